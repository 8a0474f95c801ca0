"""Dropout masks by the coordinate hash (Srivastava et al. 2014)."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from deepwell._jax._generator import Words, fold, words


def kept_units(key: Words, layer: int, shape: tuple[int, int], threshold: jax.Array) -> jax.Array:
    """Return which units of each row stay, bool (B, H).

    Args:
        key: of this member and step.
        layer: hidden layer, counted from 0, or `INPUT_LAYER`.
        shape: (B, H).
        threshold: uint32, `drop_threshold(rate)`.
    """
    return words(fold(key, layer), shape) >= threshold


def dropped(a: jax.Array, kept: jax.Array, scale: jax.Array) -> jax.Array:
    """Return `a * mask * scale`, shape (B, H).

    Args:
        a: activations.
        kept: bool, from `kept_units`.
        scale: 1 / keep_prob in inverted dropout, 1 in classic dropout.
    """
    return jnp.where(kept, a * scale, jnp.zeros_like(a))
