"""Inverted dropout by the coordinate hash (Srivastava et al. 2014; scaling at training time)."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from deepwell._jax._generator import Words, fold, words


def inverted_dropout(
    a: jax.Array, key: Words, layer: int, threshold: jax.Array, scale: jax.Array
) -> jax.Array:
    """Return `a * mask / keep_prob`, shape (B, H).

    Args:
        a: activations.
        key: of this member and step.
        layer: hidden layer, counted from 0.
        threshold: uint32, `drop_threshold(rate)`.
        scale: 1 / keep_prob.
    """
    drawn = words(fold(key, layer), a.shape)  # (B, H)
    return jnp.where(drawn >= threshold, a * scale, jnp.zeros_like(a))
