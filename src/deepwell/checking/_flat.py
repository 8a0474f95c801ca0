"""A cost of trees of parameters as a cost of one vector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from deepwell._base._errors import UsageError

Cost = Callable[..., Any]


@dataclass(frozen=True)
class FlatCost:
    """`(vector, data) -> cost`; equal for the same cost and form, so that it compiles once."""

    cost: Cost
    back: Callable[[Any], Any]
    has_data: bool

    def __call__(self, vector: Any, data: Any) -> Any:
        """Return the cost of the parameters that the vector holds."""
        w = self.back(vector)
        return self.cost(w, data) if self.has_data else self.cost(w)


def flat(cost: Cost, w: Any, data: Any) -> tuple[FlatCost, jax.Array, Any]:
    """Return the cost of a vector, the parameters as one float64 vector, and data as arrays.

    To be called where 64-bit numbers are enabled.

    Raises:
        UsageError: when `w` holds no numbers.
    """
    try:
        tree = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), w)
    except (TypeError, ValueError) as error:
        raise UsageError("`w` must hold real numbers in arrays, lists or dictionaries") from error
    vector, back = ravel_pytree(tree)
    if not vector.size:
        raise UsageError("`w` must hold at least one number, got none")
    rows = jax.tree.map(_in_64_bits, data)
    return FlatCost(cost, back, data is not None), vector, rows


def _in_64_bits(leaf: Any) -> jax.Array:
    """Return data as arrays, real numbers in float64: eigenvalues near 0 need the digits."""
    array = jnp.asarray(leaf)
    real = jnp.issubdtype(array.dtype, jnp.floating)
    return array.astype(jnp.float64) if real else array
