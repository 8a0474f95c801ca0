"""Augmentation of images (D7): each train image comes a little different in each step.

The changes come in this order, each only where its hyperparameters are not 0; mixup and noise
follow. All draws are hashed by coordinates, so that nothing depends on who trains beside a network:

    word(fold(fold(fold(key(seed), 13), step), number of the augmentation), place in the batch, j)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deepwell._base._errors import UsageError
from deepwell._base._registry import Registry

from .augmentations._augmentation import Augmentation as Augmentation
from .augmentations._brightness import brightness
from .augmentations._contrast import contrast
from .augmentations._crop import crop
from .augmentations._flip import flip
from .augmentations._move import move

AUGMENTATIONS: Registry[Augmentation] = Registry(
    "augmentation", {a.name: a for a in (flip, move, crop, contrast, brightness)}
)
STRENGTHS = tuple(name for a in AUGMENTATIONS.values() for name in a.strengths)


def check_augmentation(strengths: Mapping[str, float], image: Sequence[int]) -> None:
    """Raise `UsageError` where rows cannot be augmented so.

    Args:
        strengths: by the names of `STRENGTHS`, and `augment`; other names are passed over.
        image: height, width and channels of a row, empty where it is no image.
    """
    wanted = [name for name in ("augment", *STRENGTHS) if strengths.get(name)]
    if wanted and len(image) != 3:
        raise UsageError(
            f"`{wanted[0]}` needs images, and these rows are none; give X of the shape "
            "(rows, height, width) or (rows, height, width, channels), or leave it out"
        )
    if "crop" in wanted and strengths["crop"] >= min(image[:2]):
        raise UsageError(
            f"`crop` must be less than the smaller side of the images, {min(image[:2])}, got "
            f"{strengths['crop']:g}; an eighth of it is usual"
        )
