"""What every optimizer must hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepwell._base._hyperparameters import complete
from deepwell.optimization._optimizer import Optimizer

from ._require import in_jax, require, require_close

_STEPS = 5


def check_optimizer(optimizer: Optimizer, numbers: Mapping[str, float] | None = None) -> None:
    """Check a rule of descent; raises `AssertionError` with a sentence.

    - `change` returns a change and as many slots as are named, of the gradient's shape and type,
      and leaves what it was given as it was;
    - it says the same in JAX as in NumPy, to 1e-12 in float64;
    - each entry goes its own way: a rule may not mix entries of an array, since programs pad them;
    - where gradient and slots are 0, nothing moves: padded weights stay 0;
    - on a bowl with its minimum at 1 it comes nearer to it.

    >>> from deepwell.optimization import OPTIMIZERS
    >>> check_optimizer(OPTIMIZERS["adam"])

    Args:
        optimizer: the rule.
        numbers: hyperparameters of its own, and values that differ from the defaults.
    """
    values = {**_defaults(optimizer.name), "learning_rate": 0.01, **(numbers or {})}
    require(isinstance(optimizer.name, str) and optimizer.name, "an optimizer must have a name")
    require(
        isinstance(optimizer.slots, tuple) and len(set(optimizer.slots)) == len(optimizer.slots),
        f"the slots of {optimizer.name} must be a tuple of different names",
    )
    for kind in (np.float32, np.float64):
        _check_forms(optimizer, values, kind)
    _check_jax(optimizer, values)
    _check_entries(optimizer, values)
    _check_zero(optimizer, values)
    _check_descent(optimizer, values)


def _defaults(name: str) -> dict[str, float]:
    """Return all numeric hyperparameters at their defaults for this optimizer."""
    try:
        values = complete({"optimizer": name})
    except ValueError:  # a rule that is not registered
        values = complete({})
    numbers = {n: float(v) for n, v in values.items() if isinstance(v, int | float)}
    return {**numbers, "rms_from_first": 0.0}


def _gradients(kind: Any, shape: tuple[int, ...] = (3, 4)) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 2, (_STEPS, *shape)).astype(kind)


def _run(optimizer: Optimizer, values: Mapping[str, Any], gradients: np.ndarray) -> np.ndarray:
    """Return the change of each step, from slots that start at 0."""
    kind = gradients.dtype.type
    typed = {name: kind(value) for name, value in values.items()}
    slots: Any = tuple(np.zeros_like(gradients[0]) for _ in optimizer.slots)
    changes = []
    for t, gradient in enumerate(gradients, 1):
        change, slots = optimizer.change(gradient, slots, typed, kind(t), np)
        changes.append(np.broadcast_to(change, gradient.shape))
    return np.stack(changes)


def _check_forms(optimizer: Optimizer, values: Mapping[str, float], kind: Any) -> None:
    name = optimizer.name
    gradient = _gradients(kind)[0]
    slots = tuple(np.full_like(gradient, 0.5) for _ in optimizer.slots)
    typed = {n: kind(v) for n, v in values.items()}
    copies = gradient.copy(), [s.copy() for s in slots], dict(typed)
    change, new = optimizer.change(gradient, slots, typed, kind(2), np)
    require(
        len(new) == len(optimizer.slots),
        f"{name} names {len(optimizer.slots)} slots but returns {len(new)}",
    )
    for what, array in (
        ("change", change),
        *((f"slot {s}", n) for s, n in zip(optimizer.slots, new, strict=True)),
    ):
        array = np.asarray(array)
        require(
            array.shape == gradient.shape and array.dtype == kind,
            f"the {what} of {name} must be {kind.__name__} of shape {gradient.shape}, "
            f"got {array.dtype} of shape {array.shape}",
        )
        require(np.isfinite(array).all(), f"the {what} of {name} must be finite")
    same = np.array_equal(gradient, copies[0]) and typed == copies[2]
    same = same and all(np.array_equal(a, b) for a, b in zip(slots, copies[1], strict=True))
    require(same, f"{name} must leave its arguments as they are")


def _check_jax(optimizer: Optimizer, values: Mapping[str, float]) -> None:
    import jax.numpy as jnp

    gradients = _gradients(np.float64)
    numbers = {name: np.float64(value) for name, value in values.items()}
    slots: Any = tuple(np.zeros_like(gradients[0]) for _ in optimizer.slots)
    for t, gradient in enumerate(gradients, 1):
        change, new = optimizer.change(gradient, slots, numbers, np.float64(t), np)
        said, kept = in_jax(
            lambda g, s, n, step: optimizer.change(g, s, n, step, jnp),
            gradient, slots, numbers, np.float64(t),
        )  # fmt: skip
        require_close(said, change, 1e-12, f"{optimizer.name} must say the same in JAX and NumPy")
        for one, other in zip(kept, new, strict=True):
            require_close(
                one, other, 1e-12, f"{optimizer.name} must keep the same in JAX and NumPy"
            )
        slots = new


def _check_entries(optimizer: Optimizer, values: Mapping[str, float]) -> None:
    gradients = _gradients(np.float64)
    whole = _run(optimizer, values, gradients)
    alone = _run(optimizer, values, gradients[:, 1:2, 2:3])
    require(
        np.array_equal(whole[:, 1:2, 2:3], alone),
        f"{optimizer.name} must treat each entry by itself: an entry alone moves otherwise than "
        "among others",
    )


def _check_zero(optimizer: Optimizer, values: Mapping[str, float]) -> None:
    for kind in (np.float32, np.float64):
        moved = _run(optimizer, values, np.zeros((_STEPS, 2, 2), kind))
        require(not moved.any(), f"{optimizer.name} must move nothing where the gradient is 0")


def _check_descent(optimizer: Optimizer, values: Mapping[str, float]) -> None:
    w = np.array([3.0, -1.0])
    typed = {name: np.float64(value) for name, value in values.items()}
    slots: Any = tuple(np.zeros_like(w) for _ in optimizer.slots)
    for t in range(1, 301):
        change, slots = optimizer.change(2 * (w - 1), slots, typed, np.float64(t), np)
        w = w + change
    left = float(np.abs(w - 1).max())
    require(
        left < 1.8,
        f"{optimizer.name} must come nearer to the minimum of a bowl in 300 steps of rate "
        f"{values['learning_rate']:g}: from 2 away it is {left:.3g} away",
    )
