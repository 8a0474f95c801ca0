"""From a gradient to new parameters, by a rule of ours or by any Optax transformation.

Both kinds have the same two functions over trees of arrays; both are hashable, so that one
compiled descent serves every call with the same rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._hyperparameters import OPTAX_PREFIX, complete, validate
from deepwell._base._safe_text import safe_text

from ._clipping import clipped_by_value, norm_scale
from ._decay import DECAYS, Time
from ._learning_rate import SCHEDULE_NUMBERS, warmed
from ._optimizer import Optimizer, as_optax
from ._registry import OPTIMIZERS
from ._weight_decay import kept_share

Numbers = Mapping[str, Any]
_OF_THE_RULE = ("momentum", "beta1", "beta2", "epsilon", "epsilon_root", "rms_start")
_BESIDE = ("clip_value", "clip_norm", "weight_decay")
_OF_THE_SCHEDULE = (
    "learning_rate",
    "decay",
    *(name for name in SCHEDULE_NUMBERS if name != "epochs"),
)
_NAMES = {"decay", "rms_start"}
_NUMERIC = (
    *(n for n in (*_OF_THE_SCHEDULE, *_OF_THE_RULE, *_BESIDE) if n not in _NAMES),
    "epochs",
)
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
    """One of our optimizers with a schedule, clipping and decoupled weight decay."""

    optimizer: Optimizer
    decay: str

    def init(self, w: Any) -> Any:
        """Return what the optimizer remembers at the start."""
        return as_optax(self.optimizer).init(w)

    def update(self, at: Point, state: Any, numbers: Numbers) -> Any:
        """Return `(w, state)` after one step; every step counts as an epoch."""
        step = (state[0] + 1).astype(jnp.float64)
        time = Time(step, step, 1)
        factor = DECAYS[self.decay](numbers, time, jnp) * warmed(numbers, time, jnp)
        rate = numbers["learning_rate"] * factor
        rule = as_optax(self.optimizer, **{**numbers, "learning_rate": rate})
        change, state = rule.update(_clipped(at.slope, numbers), state, at.w)
        kept = kept_share(rate, numbers["weight_decay"])
        return jax.tree.map(lambda w, by: (kept * w + by).astype(w.dtype), at.w, change), state


def _clipped(slope: Any, numbers: Numbers) -> Any:
    """Return the gradient clipped by value, then by its norm, as in training."""
    clipped = jax.tree.map(lambda g: clipped_by_value(g, numbers["clip_value"], jnp), slope)
    scale = norm_scale(jax.tree.leaves(clipped), numbers["clip_norm"], jnp)
    return jax.tree.map(lambda g: (g * scale).astype(g.dtype), clipped)


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


def rule_of(
    optimizer: Any, steps: int, hyperparameters: Mapping[str, Any]
) -> tuple[Rule, dict[str, float]]:
    """Return the rule that a user named or gave, and its numbers.

    Args:
        optimizer: a name, an `Optimizer`, or an Optax transformation.
        steps: of the whole descent, which `cosine` and `one_cycle` span.
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
    known = (*_OF_THE_SCHEDULE, *_OF_THE_RULE, *_BESIDE)
    for name in hyperparameters:
        if name not in known:
            hint = did_you_mean(name, known)
            raise UsageError(
                f'unknown hyperparameter "{safe_text(name)}"{hint or ";"} a descent takes '
                f"{', '.join(known)}"
            )
    if str(optimizer).startswith(OPTAX_PREFIX):
        name = str(optimizer).removeprefix(OPTAX_PREFIX)
        raise UsageError(
            f"a descent takes Optax's own optimizers as transformations; "
            f"import optax and pass optimizer=optax.{safe_text(name)}(0.01)"
        )
    if not isinstance(optimizer, Optimizer):
        optimizer = OPTIMIZERS[str(optimizer)]
    given = {"learning_rate": _LEARNING_RATE, **hyperparameters}
    given = {name: validate(name, value) for name, value in given.items()}
    if optimizer.name in OPTIMIZERS:  # some defaults depend on the optimizer
        given["optimizer"] = optimizer.name
    values = complete({**given, "epochs": min(steps, 1_000_000)})
    numbers = {n: float(values[n]) for n in _NUMERIC}  # type: ignore[arg-type]
    numbers["rms_from_first"] = float(values["rms_start"] == "first_gradient")
    return OwnRule(optimizer, str(values["decay"])), numbers
