"""The contract of an optimizer: a pure rule from a gradient to a change.

A rule works on one array at a time and uses arithmetic and `xp.sqrt` alone, so the same lines
serve JAX, NumPy and, retold, the native core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Array = Any
Numbers = Mapping[str, Any]
Slots = tuple[Any, ...]


@dataclass(frozen=True)
class Optimizer:
    """A rule of descent.

    Attributes:
        name: as in search spaces.
        slots: names of what the rule remembers, each one array per parameter, starting at 0.
        change: `(gradient, slots, numbers, step, xp) -> (change, slots)`; the parameter moves by
            adding `change`. `numbers` holds the hyperparameters, with `learning_rate` already
            decayed for this step; `step` counts from 1.
    """

    name: str
    slots: tuple[str, ...]
    change: Callable[[Array, Slots, Numbers, Any, Any], tuple[Array, Slots]]


def over_root(numerator: Array, squares: Array, numbers: Numbers, xp: Any) -> Array:
    """Return `numerator / (sqrt(squares + epsilon_root) + epsilon)`."""
    return numerator / (xp.sqrt(squares + numbers.get("epsilon_root", 0)) + numbers["epsilon"])


def as_optax(optimizer: Optimizer, **numbers: float) -> Any:
    """Return the optimizer as an Optax `GradientTransformation` with fixed hyperparameters.

    Args:
        optimizer: a rule.
        numbers: its hyperparameters, as in `learning_rate=0.01, beta1=0.9`; `epsilon_root` and
            `rms_from_first` (1 where RMSprop starts from the first gradient) are 0 unless given.
    """
    import jax
    import jax.numpy as jnp
    import optax

    def init(params):
        zeros = [jax.tree.map(jnp.zeros_like, params) for _ in optimizer.slots]
        return (jnp.zeros((), jnp.int32), *zeros)

    def change(gradient, slots, step):
        # In the gradient's own type, so that 1 - beta and 1 - beta**step round alike.
        kind = jnp.result_type(gradient)
        values = {name: jnp.asarray(value, kind) for name, value in numbers.items()}
        return optimizer.change(gradient, slots, values, step.astype(kind), jnp)

    def update(updates, state, params=None):
        del params
        step = state[0] + 1
        leaves, tree = jax.tree.flatten(updates)
        slots = zip(*(jax.tree.leaves(s) for s in state[1:]), strict=True)
        rows = list(slots) if optimizer.slots else [()] * len(leaves)
        moved = [change(g, s, step) for g, s in zip(leaves, rows, strict=True)]
        changes = jax.tree.unflatten(tree, [by for by, _ in moved])
        kept = [
            jax.tree.unflatten(tree, [new[i] for _, new in moved])
            for i in range(len(optimizer.slots))
        ]
        return changes, (step, *kept)

    return optax.GradientTransformation(init, update)
