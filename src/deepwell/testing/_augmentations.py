"""What every augmentation of images must hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepwell._base._hash import Key, key, words
from deepwell.data.augmentations._augmentation import Augmentation

from ._require import in_jax, require, require_close

_SHAPES = ((64, 6, 5, 1), (64, 5, 8, 3), (4, 1, 1, 2))  # images of one pixel come last


def check_augmentation(
    augmentation: Augmentation, strengths: Mapping[str, float] | None = None
) -> None:
    """Check an augmentation of images; raises `AssertionError` with a sentence.

    - shape and type stay, what comes out is finite, and what came in is left as it is;
    - at strengths of 0 the numbers are the same;
    - an image depends on its own words alone, and some images change;
    - it says the same in JAX as in NumPy, to 1e-12 in float64.

    >>> from deepwell.data._image_augmentations import AUGMENTATIONS
    >>> check_augmentation(AUGMENTATIONS["flip"], {"flip": 0.5})

    Args:
        augmentation: the implementation.
        strengths: by hyperparameter, where they are not 1.
    """
    values = [float((strengths or {}).get(name, 1.0)) for name in augmentation.strengths]
    name, random = augmentation.name, np.random.default_rng(0)
    for shape in _SHAPES:
        for kind in (np.float32, np.float64):
            images = random.normal(size=shape).astype(kind)
            _check(augmentation, images, [kind(value) for value in values])
    images, drawn = random.normal(size=_SHAPES[1]), _drawn(augmentation, _SHAPES[1][0])
    ours = augmentation.apply(images, drawn, [np.float64(v) for v in values], np)
    require(not np.array_equal(ours, images), f"{name} must change images at {values}")
    said = in_jax(_jax_apply(augmentation), images, drawn, [np.float64(v) for v in values])
    require_close(said, ours, 1e-12, f"{name} must say the same in JAX and NumPy")


def _check(augmentation: Augmentation, images: np.ndarray, strengths: list[Any]) -> None:
    name, drawn, before = augmentation.name, _drawn(augmentation, len(images)), images.copy()
    changed = np.asarray(augmentation.apply(images, drawn, strengths, np))
    require(
        np.array_equal(images, before), f"{name} must leave the images that it gets as they are"
    )
    require(
        changed.shape == images.shape and changed.dtype == images.dtype,
        f"{name} must keep shape and type, {images.shape} of {images.dtype}, got {changed.shape} "
        f"of {changed.dtype}",
    )
    require(np.isfinite(changed).all(), f"{name} must give finite images")
    nothing = [strength * 0 for strength in strengths]
    still = augmentation.apply(images, drawn, nothing, np)
    require(np.array_equal(still, images), f"{name} at strength 0 must change nothing")
    few = augmentation.apply(images[1:3], drawn[1:3], strengths, np)
    require_close(few, changed[1:3], 1e-6, f"{name} of an image must not depend on the others")


def _drawn(augmentation: Augmentation, images: int) -> np.ndarray:
    parent: Key = key(augmentation.number)
    return words(parent, (images, augmentation.draws))


def _jax_apply(augmentation: Augmentation) -> Any:
    import jax.numpy as jnp

    return lambda images, drawn, strengths: augmentation.apply(images, drawn, strengths, jnp)
