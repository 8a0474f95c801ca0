"""Minimize any cost from its forward computation alone: JAX differentiates it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from deepwell._base._constraints import IntegerInterval, Interval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell._jax._start import start

from ._descent import Point, Rule, rule_of

_STEPS = IntegerInterval(1, 100_000_000)
_TOLERANCE = Interval(0.0, float("inf"))
_AT_ONCE = 1024  # costs between two returns to the host, where Ctrl-C is answered
_RUNNING, _STEPS_DONE, _FLAT, _STILL, _DIVERGED = range(5)
_WHY = {
    _STEPS_DONE: "steps",
    _FLAT: "gradient tolerance",
    _STILL: "cost tolerance",
    _DIVERGED: "diverged",
}


@dataclass(frozen=True)
class Minimum:
    """Where a descent ended, and how it went.

    Attributes:
        w: the parameters, in the form of the start; where it diverged, the last ones with a
            finite cost.
        cost: at `w`.
        costs: (steps + 1,) float64, the cost at the start and after each step; where it diverged,
            the last one is not finite.
        stopped: why it ended: `steps`, `gradient tolerance`, `cost tolerance` or `diverged`.
        path: the parameters at each of `costs`, as `w` with a leading axis of steps + 1; None
            unless it was asked for.
    """

    w: Any
    cost: float
    costs: np.ndarray
    stopped: str
    path: Any = None

    @property
    def steps(self) -> int:
        """Update steps taken."""
        return len(self.costs) - 1


def minimize(
    cost: Callable[..., Any],
    w0: Any,
    *,
    data: Any = None,
    optimizer: Any = "sgd",
    steps: int = 1000,
    gradient_tolerance: float = 0.0,
    cost_tolerance: float = 0.0,
    keep_path: bool = False,
    **hyperparameters: Any,
) -> Minimum:
    """Descend a cost of one's own; only its forward computation is written.

    >>> import deepwell as dw
    >>> end = dw.minimize(lambda w: w**2 - 10 * w + 25, 0.0, learning_rate=0.01, steps=1000)
    >>> round(end.w, 6), end.stopped
    (5.0, 'steps')

    Coefficients that are passed as data may change without compiling anew:

    >>> def parabola(w, c):
    ...     return c[0] * w**2 + c[1] * w + c[2]
    >>> [round(dw.minimize(parabola, 0.0, data=c, learning_rate=0.01).w, 6)
    ...  for c in [(1.0, -10.0, 25.0), (1.0, -20.0, 100.0)]]
    [5.0, 10.0]

    Args:
        cost: `(w) -> number`, or `(w, data) -> number` where data are given; in arithmetic and
            `jax.numpy`, differentiable.
        w0: where to start: a number, an array, or lists, tuples and dictionaries of them. Python's
            numbers and whole numbers compute in float64, arrays in their own type.
        data: what else the cost needs, in the same forms; it is not differentiated.
        optimizer: a name such as `momentum`, an `Optimizer`, or any Optax transformation, which
            brings its own rate.
        steps: update steps at most.
        gradient_tolerance: ends where no entry of the gradient is larger; 0 goes on.
        cost_tolerance: ends where a step changed the cost J by no more than this times
            max(1, |J|); 0 goes on.
        keep_path: whether to return the parameters at each step.
        hyperparameters: of the optimizer, the schedule and what stands beside them, as in
            `learning_rate=0.1` (0.01 unless given), `momentum=0.9`, `decay="cosine"`,
            `warmup_epochs=5`, `clip_norm=1`, `weight_decay=0.01`; every step counts as an epoch.

    Returns:
        Where it ended, with the path of the costs.

    Raises:
        UsageError: when an argument is out of its range, `w0` holds no numbers, or the cost does
            not return one number or cannot be differentiated by JAX.
    """
    _check("steps", steps, _STEPS)
    _check("gradient_tolerance", gradient_tolerance, _TOLERANCE)
    _check("cost_tolerance", cost_tolerance, _TOLERANCE)
    rule, numbers = rule_of(optimizer, steps, hyperparameters)
    task = _Task(cost, data is not None, rule, keep_path)
    limits = {"steps": steps, "flat": gradient_tolerance, "still": cost_tolerance}
    start()
    with jax.enable_x64(True):
        at = jax.tree.map(partial(_real, "w0"), w0)
        if not jax.tree.leaves(at):
            raise UsageError("`w0` must hold at least one number, got none")
        given = jax.tree.map(partial(_numeric, "data"), data)
        try:
            carry, costs, path = _descend(task, at, given, numbers, limits)
        except jax.errors.JAXTypeError as error:
            raise UsageError(
                "`cost` must be written in arithmetic and jax.numpy, without `if` or `while` on "
                f"its values, got {type(error).__name__}"
            ) from error
    code = int(carry["code"])
    w = carry["before"] if code == _DIVERGED and len(costs) > 1 else carry["w"]
    kept = jax.tree.map(lambda *parts: np.concatenate(parts), *path) if keep_path else None
    final = costs[-2] if code == _DIVERGED and len(costs) > 1 else costs[-1]
    return Minimum(jax.tree.map(_as_given, w0, w), float(final), costs, _WHY[code], kept)


@dataclass(frozen=True)
class _Task:
    """What shapes the compiled descent."""

    cost: Callable[..., Any]
    has_data: bool
    rule: Rule
    keep_path: bool

    def value(self, w: Any, data: Any) -> jax.Array:
        """Return the cost, one number."""
        told = self.cost(w, data) if self.has_data else self.cost(w)
        if not isinstance(told, int | float | np.ndarray | np.generic | jax.Array):
            raise UsageError(f"`cost` must return one real number, got {type(told).__name__}")
        value = jnp.asarray(told)
        if value.shape or not jnp.issubdtype(value.dtype, jnp.floating):
            shape = f"an array of shape {value.shape}" if value.shape else f"{value.dtype}"
            raise UsageError(
                f"`cost` must return one real number, got {shape}; take the mean or sum"
            )
        return value


def _descend(
    task: _Task, at: Any, data: Any, numbers: dict[str, float], limits: dict[str, float]
) -> tuple[dict[str, Any], np.ndarray, list[Any]]:
    """Return how it ended, all costs, and the path in pieces."""
    carry: dict[str, Any] = {
        "w": at,
        "before": at,
        "state": task.rule.init(at),
        "step": jnp.zeros((), jnp.int64),
        "last": jnp.full((), jnp.inf, jnp.float64),
        "code": jnp.zeros((), jnp.int32),
    }
    costs: list[np.ndarray] = []
    path: list[Any] = []
    while int(carry["code"]) == _RUNNING:
        carry, count, values, places = _piece(task, carry, data, numbers, limits)
        costs.append(np.asarray(values)[: int(count)])
        path.append(jax.tree.map(lambda p, n=int(count): np.asarray(p)[:n], places))
    return carry, np.concatenate(costs), path


@partial(jax.jit, static_argnums=0)
def _piece(task: _Task, carry: Any, data: Any, numbers: Any, limits: Any) -> Any:
    """Take up to `_AT_ONCE` steps; return how it stands, how many costs came, costs and path."""
    values = jnp.zeros(_AT_ONCE)
    places = jax.tree.map(
        lambda p: jnp.zeros((_AT_ONCE, *p.shape), p.dtype), carry["w"] if task.keep_path else None
    )
    slope_of = jax.value_and_grad(task.value)

    def more(loop):
        index, carry, _, _ = loop
        return (index < _AT_ONCE) & (carry["code"] == _RUNNING)

    def body(loop):
        index, carry, values, places = loop
        w = carry["w"]
        value, slope = slope_of(w, data)
        values = values.at[index].set(value)
        if task.keep_path:
            places = jax.tree.map(lambda all_, p: all_.at[index].set(p), places, w)
        code = _code(value, slope, carry, limits)
        point = Point(w, value, slope, lambda v: task.value(v, data))
        moved, state = jax.lax.cond(
            code == _RUNNING,
            lambda: task.rule.update(point, carry["state"], numbers),
            lambda: (w, carry["state"]),
        )
        before = jax.tree.map(lambda a, b: jnp.where(code == _DIVERGED, a, b), carry["before"], w)
        new = {
            "w": moved,
            "before": before,
            "state": state,
            "step": carry["step"] + (code == _RUNNING),
            "last": value.astype(carry["last"].dtype),
            "code": code,
        }
        return index + 1, new, values, places

    index, carry, values, places = jax.lax.while_loop(
        more, body, (jnp.int32(0), carry, values, places)
    )
    return carry, index, values, places


def _code(value: Any, slope: Any, carry: Any, limits: Any) -> jax.Array:
    """Return whether to go on from here, or why not; divergence comes first."""
    leaves = jax.tree.leaves(slope)
    steepest = jnp.max(jnp.stack([jnp.max(jnp.abs(g), initial=0.0) for g in leaves]))
    change = jnp.abs(value - carry["last"])
    still = change <= limits["still"] * jnp.maximum(1.0, jnp.abs(value))
    finite = jnp.isfinite(value) & jnp.isfinite(steepest)
    reasons = (
        (~finite, _DIVERGED),
        ((limits["flat"] > 0) & (steepest <= limits["flat"]), _FLAT),
        ((limits["still"] > 0) & still, _STILL),
        (carry["step"] >= limits["steps"], _STEPS_DONE),
    )
    return jnp.select(
        [when for when, _ in reasons], [jnp.int32(why) for _, why in reasons], _RUNNING
    )


def _real(name: str, leaf: Any) -> jax.Array:
    """Return a leaf as a real array: whole numbers as float64, other arrays as they are."""
    array = _numeric(name, leaf)
    if jnp.issubdtype(array.dtype, jnp.floating):
        return array
    return array.astype(jnp.float64)


def _numeric(name: str, leaf: Any) -> jax.Array:
    array = np.asarray(leaf)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise UsageError(f"`{name}` must hold real numbers, got {safe_text(repr(leaf), 80)}")
    return jnp.asarray(leaf, array.dtype)  # of a fixed type, so that every call compiles alike


def _as_given(given: Any, found: Any) -> Any:
    """Return a leaf in the form of the start: Python's numbers as float, arrays as NumPy's."""
    return float(found) if isinstance(given, int | float) else np.asarray(found)


def _check(name: str, value: object, constraint: IntegerInterval | Interval) -> None:
    if not constraint.accepts(value):
        got = safe_text(repr(value))
        raise UsageError(f"`{name}` must be {constraint.describe()}, got {got}")
