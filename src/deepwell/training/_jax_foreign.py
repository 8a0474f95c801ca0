"""Optax transformations inside the JAX program: what they remember is a list of arrays.

    optax/0, optax/1, ...   the leaves of the transformation's state, in the order of its tree

They may have any shape, so a program trains such members at their exact widths.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from deepwell.optimization._foreign import transformation

from ._program import NUMBERS, Member, State

Arrays = dict[str, Any]


def _name(place: int) -> str:
    return f"optax/{place}"


def initial_leaves(member: Member, parameters: Mapping[str, np.ndarray]) -> State:
    """Return what the member's transformation remembers at the start."""
    numbers = {name: member.number(name) for name in NUMBERS}
    with jax.enable_x64(member.dtype == "float64"):
        state = transformation(member.optimizer, numbers).init(dict(parameters))
        return {_name(i): np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(state))}


@functools.cache
def leaf_kinds(
    optimizer: str, shapes: tuple[tuple[str, tuple[int, ...]], ...], dtype: str
) -> dict[str, tuple[tuple[int, ...], Any]]:
    """Return the name, shape and type of each array that a transformation remembers.

    Args:
        optimizer: `optax:NAME`.
        shapes: name and shape of each parameter.
        dtype: of the parameters.
    """
    with jax.enable_x64(dtype == "float64"):
        tree = {name: jax.ShapeDtypeStruct(shape, dtype) for name, shape in shapes}
        numbers = {name: jax.ShapeDtypeStruct((), dtype) for name in NUMBERS}
        state = jax.eval_shape(lambda n, t: transformation(optimizer, n).init(t), numbers, tree)
        leaves = enumerate(jax.tree.leaves(state))
        return {_name(i): (leaf.shape, np.dtype(leaf.dtype)) for i, leaf in leaves}


def foreign_change(
    optimizer: str, numbers: Mapping[str, Any], held: Arrays, gradients: Arrays, parameters: Arrays
) -> tuple[Arrays, Arrays]:
    """Return the change of each parameter, and what is remembered after the step.

    Args:
        optimizer: `optax:NAME`.
        numbers: of the member, the learning rate that of the step.
        held: what is remembered, by name.
        gradients: by the names of the parameters.
        parameters: before the step.
    """
    rule = transformation(optimizer, numbers)
    tree = jax.tree.structure(jax.eval_shape(rule.init, parameters))
    state = jax.tree.unflatten(tree, [held[_name(i)] for i in range(len(held))])
    changes, state = rule.update(gradients, state, parameters)
    leaves = enumerate(jax.tree.leaves(state))
    after = {_name(i): leaf.astype(held[_name(i)].dtype) for i, leaf in leaves}
    return {name: change.astype(parameters[name].dtype) for name, change in changes.items()}, after
