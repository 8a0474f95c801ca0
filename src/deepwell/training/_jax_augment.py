"""A step's rows augmented for one member (D7): its images, then mixup, then noise.

Mixup and noise are as `augment.hpp` does them; images are augmented here alone.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp

from deepwell._jax._generator import Words, fold, words
from deepwell.data._image_augmentations import AUGMENTATIONS
from deepwell.networks._losses import Loss
from deepwell.optimization._gradient_noise import normal_of

from ._program import Structure

Arrays = dict[str, jax.Array]


def augmented(structure: Structure, numbers: Arrays, batch: Any, step: jax.Array):
    """Return the inputs (B, D) that a member sees, and the mixture of targets or None.

    Args:
        structure: says which techniques any member of the program uses.
        numbers: of this member.
        batch: x (B, D), y (B,), and how many places hold rows, which all come first.
        step: counted from 1.
    """
    x, mixture = _images_augmented(structure, numbers, batch.x, step), None
    if "mixup" in structure.extras:
        drawn = words(fold(_key(numbers, "mix"), step), (len(batch.y), 2))
        partner = drawn[:, 0] % batch.filled.astype(jnp.uint32)
        share = numbers["shares"][drawn[:, 1] >> 22]  # (B,)
        x = share[:, None] * x + (1 - share)[:, None] * x[partner]
        mixture = batch.y[partner], share
    if "input_noise" in structure.extras:
        key, shape = fold(_key(numbers, "input_noise"), step), x.shape
        deviation = numbers["input_noise"]
        exists = jnp.arange(shape[1]) < numbers["inputs"]

        def noisy(x: jax.Array) -> jax.Array:
            noise = normal_of(words(key, shape), x.dtype, jnp)
            return x + jnp.where(exists, deviation * noise, 0)

        x = jax.lax.cond(deviation > 0, noisy, lambda x: x, x)
    return x, mixture


def _images_augmented(structure: Structure, numbers: Arrays, x: jax.Array, step: jax.Array):
    """Return the rows (B, D) with their images augmented; a member at 0 keeps them to the bit."""
    used = [a for a in AUGMENTATIONS.values() if set(a.strengths) & set(structure.extras)]
    if not structure.image:
        return x
    size = math.prod(structure.image)
    images = x[:, :size].reshape(len(x), *structure.image)
    key = fold(_key(numbers, "image"), step)
    for augmentation in used:
        strengths = [numbers[name] for name in augmentation.strengths]

        def changed(images: jax.Array, augmentation=augmentation, strengths=strengths):
            drawn = words(fold(key, augmentation.number), (len(x), augmentation.draws))
            return augmentation.apply(images, drawn, strengths, jnp)

        wanted = functools.reduce(jnp.logical_or, [strength > 0 for strength in strengths])
        images = jax.lax.cond(wanted, changed, lambda images: images, images)
    return x.at[:, :size].set(images.reshape(len(x), size))


def mixed_loss(loss: Loss, y: jax.Array, mixture: Any, smoothing: Any):
    """Return `outputs -> (rows, slope)` for targets that may be mixtures.

    A cross-entropy of softmax is mixed as such, which is that of the mixed labels; the targets of
    one output are mixed as numbers.
    """
    if mixture is None:
        return lambda z: (loss.rows(z, y, jnp, smoothing), loss.slope(z, y, jnp, smoothing))
    other, share = mixture
    if loss.name != "softmax":
        y = share * y + (1 - share) * other
        return lambda z: (loss.rows(z, y, jnp, smoothing), loss.slope(z, y, jnp, smoothing))

    def both(z: jax.Array):
        rows = [loss.rows(z, t, jnp, smoothing) for t in (y, other)]
        slopes = [loss.slope(z, t, jnp, smoothing) for t in (y, other)]
        part = share[:, None]
        return (
            share * rows[0] + (1 - share) * rows[1],
            part * slopes[0] + (1 - part) * slopes[1],
        )

    return both


def _key(numbers: Arrays, name: str) -> Words:
    return Words(numbers[f"{name}_first"], numbers[f"{name}_second"])
