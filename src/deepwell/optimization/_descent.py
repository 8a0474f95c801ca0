"""From a gradient to new parameters, by a rule of ours or by any Optax transformation.

Both kinds have the same two functions over trees of arrays; both are hashable, so that one
compiled descent serves every call with the same rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import optax

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._hyperparameters import complete, validate
from deepwell._base._safe_text import safe_text

from ._decay import DECAYS
from ._optimizer import Optimizer, as_optax
from ._registry import OPTIMIZERS

Numbers = Mapping[str, Any]
_OF_THE_RULE = ("momentum", "beta1", "beta2", "epsilon")
_OF_THE_SCHEDULE = ("learning_rate", "decay", "decay_rate")
_LEARNING_RATE = 0.01


@dataclass(frozen=True)
class Point:
    """Where a descent stands: parameters, their cost and gradient, and the cost as a function."""

    w: Any
    value: Any
    slope: Any
    cost: Callable[[Any], Any]


@dataclass(frozen=True)
class OwnRule:
    """One of our optimizers with a learning-rate schedule."""

    optimizer: Optimizer
    decay: str

    def init(self, w: Any) -> Any:
        """Return what the optimizer remembers at the start."""
        return as_optax(self.optimizer).init(w)

    def update(self, at: Point, state: Any, numbers: Numbers) -> Any:
        """Return `(w, state)` after one step."""
        step = (state[0] + 1).astype(jnp.float64)
        rate = DECAYS[self.decay](numbers["learning_rate"], numbers["decay_rate"], step)
        rule = as_optax(self.optimizer, **{**numbers, "learning_rate": rate})
        change, state = rule.update(at.slope, state, at.w)
        return optax.apply_updates(at.w, change), state


@dataclass(frozen=True)
class OptaxRule:
    """An Optax transformation, which brings its own rate."""

    transformation: Any

    def init(self, w: Any) -> Any:
        """Return the transformation's state at the start."""
        return self.transformation.init(w)

    def update(self, at: Point, state: Any, numbers: Numbers) -> Any:
        """Return `(w, state)` after one step; a line search may ask for the cost again."""
        rule = optax.with_extra_args_support(self.transformation)
        change, state = rule.update(
            at.slope, state, at.w, value=at.value, grad=at.slope, value_fn=at.cost
        )
        return optax.apply_updates(at.w, change), state


Rule = OwnRule | OptaxRule


def rule_of(optimizer: Any, hyperparameters: Mapping[str, Any]) -> tuple[Rule, dict[str, float]]:
    """Return the rule that a user named or gave, and its numbers.

    Args:
        optimizer: a name, an `Optimizer`, or an Optax transformation.
        hyperparameters: of the optimizer and the schedule.

    Raises:
        UsageError: when it is none of these, or a hyperparameter is unknown, without meaning here
            or out of its range.
    """
    if isinstance(optimizer, optax.GradientTransformation):
        if hyperparameters:
            raise UsageError(
                "an Optax transformation brings its own hyperparameters, got "
                f"{', '.join(hyperparameters)}; pass them when it is made"
            )
        return OptaxRule(optimizer), {}
    known = (*_OF_THE_SCHEDULE, *_OF_THE_RULE)
    for name in hyperparameters:
        if name not in known:
            hint = did_you_mean(name, known)
            raise UsageError(
                f'unknown hyperparameter "{safe_text(name)}"{hint or ";"} a descent takes '
                f"{', '.join(known)}"
            )
    if not isinstance(optimizer, Optimizer):
        optimizer = OPTIMIZERS[str(optimizer)]
    given = {"learning_rate": _LEARNING_RATE, **hyperparameters}
    given = {name: validate(name, value) for name, value in given.items()}
    if optimizer.name in OPTIMIZERS:  # some defaults depend on the optimizer
        given["optimizer"] = optimizer.name
    values = complete(given)
    numbers = {name: float(values[name]) for name in known if name != "decay"}  # type: ignore[arg-type]
    return OwnRule(optimizer, str(values["decay"])), numbers
