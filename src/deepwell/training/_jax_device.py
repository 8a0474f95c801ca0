"""What one device compiles: its lanes one after another, or all of them as one step."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ._jax_step import Rows, Steps, gather, member_chunk
from ._program import Structure


def one_by_one(structure: Structure):
    """Return the loop of a device that visits its lanes in turn, and no other lane."""
    chunk = member_chunk(structure)

    def device(settings, states, rows: Rows, steps: Steps, turns, count):
        batches = gather(rows, steps)

        def visit(index, carry):
            states, costs = carry
            lane = turns[index]

            def read(lanes):
                return jax.lax.dynamic_index_in_dim(lanes, lane, keepdims=False)

            def write(lanes, one):
                return jax.lax.dynamic_update_index_in_dim(lanes, one, lane, 0)

            mine, held = jax.tree.map(read, (settings, states))
            state, cost = chunk(mine, held, rows, batches, steps)
            return jax.tree.map(write, states, state), write(costs, cost)

        costs = jnp.full((len(turns), 3), jnp.nan, structure.dtype)
        return jax.lax.fori_loop(0, count[0], visit, (states, costs))

    return device


def together(structure: Structure):
    """Return the step of a device that moves all its lanes at once."""
    chunk = member_chunk(structure)

    def device(settings, states, rows: Rows, steps: Steps):
        batches = gather(rows, steps)

        def move(mine, held):
            return chunk(mine, held, rows, batches, steps)

        return jax.vmap(move)(settings, states)

    return device
