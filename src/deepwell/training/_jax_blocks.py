"""Outputs of many rows, some rows at a time, so that hidden units take a bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from deepwell.networks._architecture import Architecture

BLOCK_ROWS = 16_384
_BLOCK_NUMBERS = 4_000_000  # that a convolutional layer makes of the rows of a block


def block_rows(network: Architecture) -> int:
    """Return the rows that go through a network at a time."""
    if network.front is None:
        return BLOCK_ROWS
    return max(16, min(BLOCK_ROWS, _BLOCK_NUMBERS // network.front.most_seen()))


def in_blocks(
    outputs: Callable[[jax.Array], jax.Array], x: jax.Array, block_rows: int
) -> jax.Array:
    """Return `outputs(x)`, whose rows follow from the rows of `x` alone.

    Up to `block_rows` it is that, to the bit. Of more, a block of so many is taken at a time; the
    last one reaches back over rows that were done already, so that all blocks have one shape.

    Args:
        outputs: (b, D) rows -> (b, K).
        x: (k, D).
        block_rows: rows of a block.
    """
    rows = len(x)
    if rows <= block_rows:
        return outputs(x)
    block = jax.ShapeDtypeStruct((block_rows, *x.shape[1:]), x.dtype)
    told = jax.eval_shape(outputs, block)

    def step(index: jax.Array, z: jax.Array) -> jax.Array:
        first = jnp.minimum(index * block_rows, rows - block_rows)
        piece = jax.lax.dynamic_slice_in_dim(x, first, block_rows)
        return jax.lax.dynamic_update_slice_in_dim(z, outputs(piece), first, 0)

    z = jnp.zeros((rows, *told.shape[1:]), told.dtype)
    return jax.lax.fori_loop(0, -(-rows // block_rows), step, z)
