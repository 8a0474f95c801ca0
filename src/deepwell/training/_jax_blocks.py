"""Outputs of many rows, some rows at a time, so that hidden units take a bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

BLOCK_ROWS = 16_384


def in_blocks(outputs: Callable[[jax.Array], jax.Array], x: jax.Array) -> jax.Array:
    """Return `outputs(x)`, whose rows follow from the rows of `x` alone.

    Up to 16,384 rows it is that, to the bit. Of more, a block of so many is taken at a time; the
    last one reaches back over rows that were done already, so that all blocks have one shape.

    Args:
        outputs: (b, D) rows -> (b, K).
        x: (k, D).
    """
    rows = len(x)
    if rows <= BLOCK_ROWS:
        return outputs(x)
    block = jax.ShapeDtypeStruct((BLOCK_ROWS, *x.shape[1:]), x.dtype)
    told = jax.eval_shape(outputs, block)

    def step(index: jax.Array, z: jax.Array) -> jax.Array:
        first = jnp.minimum(index * BLOCK_ROWS, rows - BLOCK_ROWS)
        piece = jax.lax.dynamic_slice_in_dim(x, first, BLOCK_ROWS)
        return jax.lax.dynamic_update_slice_in_dim(z, outputs(piece), first, 0)

    z = jnp.zeros((rows, *told.shape[1:]), told.dtype)
    return jax.lax.fori_loop(0, -(-rows // BLOCK_ROWS), step, z)
