"""A step's rows augmented for one member (D7): mixup, then noise; as `augment.hpp` does it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from deepwell._jax._generator import Words, fold, words
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
    x, mixture = batch.x, None
    if "mixup" in structure.extras:
        drawn = words(fold(_key(numbers, "mix"), step), (len(batch.y), 2))
        partner = drawn[:, 0] % batch.filled.astype(jnp.uint32)
        share = numbers["shares"][drawn[:, 1] >> 22]  # (B,)
        x = share[:, None] * x + (1 - share)[:, None] * batch.x[partner]
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
