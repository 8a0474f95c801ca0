"""A device's work compiled for the shapes of a structure, ahead of any member."""

from __future__ import annotations

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ._jax_device import one_by_one, together
from ._jax_layout import empty_lanes, empty_settings, order_shape
from ._jax_step import Rows, Steps
from ._program import Structure


def compiled_work(structure: Structure, mesh: Mesh, rows: Rows, lanes: int, *, in_turn: bool):
    """Return the compiled call that moves all members of all devices.

    Args:
        structure: what the members share.
        mesh: the devices.
        rows: of the data, for their shapes.
        lanes: members in flight on each device.
        in_turn: whether a device visits its lanes one after another, else all as one step.
    """
    by_lane, shared = PartitionSpec("lanes"), PartitionSpec()
    mapped = jax.shard_map(
        one_by_one(structure) if in_turn else together(structure),
        mesh=mesh,
        in_specs=(by_lane, by_lane, shared, shared, *([by_lane, by_lane] if in_turn else [])),
        out_specs=(by_lane, by_lane),
        check_vma=False,
    )

    def described(like, spec: PartitionSpec):
        sharding = NamedSharding(mesh, spec)
        return jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), like
        )

    every = lanes * mesh.size
    order = np.zeros(order_shape(structure), np.int32)
    filled = np.ones(order.shape[:-1], np.int32)
    steps = Steps(order, filled, np.int32(0), np.int32(0), np.int32(1), np.bool_(True))
    visits = (np.zeros(every, np.int32), np.zeros(mesh.size, np.int32))
    return (
        jax.jit(mapped, donate_argnums=(1,))
        .lower(
            described(empty_settings(structure, every), by_lane),
            described(empty_lanes(structure, every), by_lane),
            described(rows, shared),
            described(steps, shared),
            *(described(visits, by_lane) if in_turn else ()),
        )
        .compile()
    )
