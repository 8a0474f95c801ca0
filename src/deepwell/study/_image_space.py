"""What a space asks of images: convolutions, and their augmentation."""

from __future__ import annotations

from collections.abc import Sequence

from deepwell._base._hyperparameters import changes_of
from deepwell.data._image_augmentations import STRENGTHS, check_augmentation
from deepwell.execution._members import check_convolutions
from deepwell.search.spaces._distribution import Distribution
from deepwell.search.spaces._entry import values_of
from deepwell.search.spaces._space import Space

_AUGMENTING = ("augment", *STRENGTHS)
_LISTED = 1_000  # values of an entry that are looked at one by one


def convolves(space: Space) -> bool:
    """Return whether networks of a space may have convolutional layers."""
    if "conv_layers" in space:
        return _most(space["conv_layers"]) > 0
    channels = space.get("conv_channels")
    values = None if channels is None else values_of(channels, _LISTED)
    return any(isinstance(one, tuple) and len(one) > 0 for one in values or ())


def augments(space: Space) -> bool:
    """Return whether networks of a space may augment images."""
    return any(most > 0 for most in _strengths(space).values())


def check_images(space: Space, image: Sequence[int]) -> None:
    """Refuse a space that is for images where rows are none, or for larger images than they are.

    Args:
        space: what may be tried.
        image: height, width and channels of a row, empty where it is no image.

    Raises:
        UsageError: when a network of the space could not be trained.
    """
    if convolves(space):
        check_convolutions(image)
    check_augmentation(_strengths(space), image)


def _strengths(space: Space) -> dict[str, float]:
    """Return the largest strengths that networks may have, from the start or by a change."""
    found = {name: _most(space[name]) for name in _AUGMENTING if name in space}
    entry = space.get("change")
    count = 0 if entry is None else entry.count() or 0
    texts = [str(entry.from_unit((i + 0.5) / count)) for i in range(count) if entry is not None]
    for numbers in (numbers for text in texts for numbers in changes_of(text).values()):
        for name in set(STRENGTHS) & set(numbers):
            found[name] = max(found.get(name, 0.0), float(numbers[name]))  # type: ignore[arg-type]
    return found


def _most(entry: Distribution) -> float:
    """Return the largest number that an entry may take; choices come in any order."""
    values = values_of(entry, _LISTED) or (entry.from_unit(1.0),)
    return max(float(value) for value in values)  # type: ignore[arg-type]
