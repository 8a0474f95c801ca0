"""Does the cost fall as it must (C3)?

One step of plain descent with rate alpha over all rows changes a smooth cost by at most

    J(w - alpha g) - J(w) <= -alpha (1 - alpha L / 2) |g|^2

with L the largest eigenvalue of the Hessian on the way (Nesterov 2004, section 1.2.3): below
alpha = 2 / L the cost falls in every step. So where it rose, either the rate is above 2 / L or the
step was not along the gradient of this cost. Mini-batches and dropout bring noise: there the cost
falls on average only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from deepwell._base._constraints import IntegerInterval, Interval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell._jax._start import start

from ._curvature import curvature
from ._flat import Cost, flat

FALLS, RATE, GRADIENT, COST, NOISY, UNCLEAR = (
    "falls",
    "rate too high",
    "gradient wrong",
    "cost incomplete",
    "noisy",
    "unclear",
)
_DROPOUT = Interval(0.0, 1.0, high_closed=False)
_POINTS = IntegerInterval(2, 100)
_ROUNDING = 1e-12  # of a cost in float64
_SINGLE, _DOUBLE = 1e-6, 1e-14  # of the parameters, a few roundings in float32 and float64
_APART = 1e-3  # of a step: a wrong gradient is further off, rounding is not
_COST_APART = 1e-4  # of a cost that was recorded in float32


@dataclass(frozen=True)
class CostFall:
    """Whether a full-batch descent falls as it must.

    Attributes:
        verdict: `falls`; `rate too high`; `gradient wrong`; `cost incomplete` where the recorded
            costs are not those of the parameters; `noisy` where dropout is on and nothing can be
            said; `unclear` where the cost rose with a right step below the limit, as at a kink.
        detail: the same with its figures, in a sentence.
        costs: (T + 1,) at each point of the path, float64; empty where it is noisy.
        rose: the first step after which the cost was higher, counted from 1; 0 where none was.
        learning_rate: of that step, or the highest.
        limit: 2 over the largest eigenvalue on that step, or at points of the whole path where the
            cost falls; infinite where nothing bends up.
        apart: largest `|step + rate gradient| / |rate gradient|` of all steps, beyond rounding.
    """

    verdict: str
    detail: str
    costs: np.ndarray
    rose: int
    learning_rate: float
    limit: float
    apart: float


@dataclass(frozen=True)
class AverageFall:
    """Whether a noisy cost falls on average.

    Attributes:
        falls: whether it does at the 5 % level; None for too few costs to tell.
        p_value: how likely a trend as steep is by chance, of Kendall's test on the blocks' means.
        blocks: mean cost of each block, first to last.
    """

    falls: bool | None
    p_value: float
    blocks: np.ndarray


def cost_falls(
    cost: Cost,
    path: Any,
    learning_rate: float | Any,
    *,
    data: Any = None,
    costs: Any = None,
    dropout: float = 0.0,
    points: int = 5,
) -> CostFall:
    """Say whether a descent over all rows falls as it must, and if not, why.

    >>> import deepwell as dw
    >>> bowl = lambda w: 2 * w**2                                  # its curvature is 4
    >>> end = dw.minimize(bowl, 1.0, learning_rate=0.4, steps=5, keep_path=True)
    >>> cost_falls(bowl, end.path, 0.4).verdict
    'falls'
    >>> end = dw.minimize(bowl, 1.0, learning_rate=0.6, steps=5, keep_path=True)
    >>> cost_falls(bowl, end.path, 0.6).detail
    'the cost rose in step 1: the rate 0.6 is above 0.5, 2 over the largest eigenvalue there'

    A cost that falls does not prove the gradient right: `deepwell.check_gradients` does.

    Args:
        cost: `(w) -> number`, or `(w, data) -> number` where data are given, in `jax.numpy`;
            penalties included, dropout off. For a dense network, `network_cost`.
        path: parameters with a leading axis of T + 1 points, as `Minimum.path`; of plain descent.
        learning_rate: of all steps, or (T,) of each.
        data: what else the cost needs, all rows.
        costs: (T + 1,) as recorded by the training, to be compared; None compares nothing.
        dropout: rate with which the descent was made; above 0 the verdict is `noisy`.
        points: at which the largest eigenvalue is measured.

    Raises:
        UsageError: when an argument is out of its range, or the path has fewer than two points.
    """
    if not _DROPOUT.accepts(dropout):
        _refuse("dropout", _DROPOUT.describe(), dropout)
    if not _POINTS.accepts(points):
        _refuse("points", _POINTS.describe(), points)
    if dropout > 0:
        return CostFall(
            NOISY,
            "with dropout every step has another cost; check with keep_prob 1 (dropout 0) first",
            *(np.zeros(0), 0, float(np.max(learning_rate)), math.nan, math.nan),
        )
    start()
    ignored = np.errstate(over="ignore", invalid="ignore")  # a path may lead to infinity
    with jax.enable_x64(True), ignored:
        steps = _measured(cost, path, learning_rate, data)
    if costs is not None and (told := _compared(steps, costs)):
        return _verdict(steps, COST, told, math.nan)
    higher = np.diff(steps.costs) > steps.rounding
    rose = np.flatnonzero(higher | ~np.isfinite(steps.costs[1:]))
    if not len(rose):
        limit = _limit(steps, cost, data, np.linspace(0, len(steps.rates), points))
        return _fallen(steps, limit)
    first = int(rose[0])
    limit = _limit(steps, cost, data, first + np.linspace(0, 1, points))
    return _risen(steps, first, limit)


@dataclass(frozen=True)
class _Steps:
    """A descent.

    Attributes:
        points: (T + 1, n); costs: (T + 1,); rates: (T,).
        apart: (T,) how far each step is off the rate times the gradient.
        rounding: (T,) what rounding of the parameters may add to the cost in each step.
        back: from a point to the parameters' form.
    """

    points: np.ndarray
    costs: np.ndarray
    rates: np.ndarray
    apart: np.ndarray
    rounding: np.ndarray
    back: Any


def _measured(cost: Cost, path: Any, learning_rate: Any, data: Any) -> _Steps:
    leaves = jax.tree.leaves(path)
    count = {np.shape(leaf)[0] if np.ndim(leaf) else 0 for leaf in leaves}
    if len(count) != 1 or min(count) < 2:
        raise UsageError(
            "`path` must hold at least two points along a leading axis, the same number in every "
            "array; take keep_path=True"
        )
    start_of = jax.tree.map(lambda leaf: jnp.asarray(leaf[0], jnp.float64), path)
    of_vector, _, rows = flat(cost, start_of, data)
    _, back = ravel_pytree(start_of)
    points = np.concatenate(
        [np.asarray(leaf, np.float64).reshape(len(leaf), -1) for leaf in leaves], axis=1
    )
    rates = np.broadcast_to(np.asarray(learning_rate, np.float64), (len(points) - 1,))
    if not (np.isfinite(rates).all() and (rates > 0).all()):
        _refuse("learning_rate", "above 0", learning_rate)
    costs, slopes = (np.asarray(part) for part in _along(of_vector, points, rows))
    wanted = -rates[:, None] * slopes[:-1]
    off = np.linalg.norm(np.diff(points, axis=0) - wanted, axis=1)
    exact = all(np.asarray(leaf).dtype == np.float64 for leaf in leaves)
    rounded = (_DOUBLE if exact else _SINGLE) * np.linalg.norm(points[1:], axis=1)
    off = np.maximum(0, off - rounded)
    size = np.linalg.norm(wanted, axis=1)
    apart = np.where(off == 0, 0.0, off / np.maximum(size, np.finfo(float).tiny))
    rounding = _ROUNDING * np.abs(costs[:-1]) + rounded * np.linalg.norm(slopes[1:], axis=1)
    return _Steps(points, costs, rates, apart, rounding, back)


@partial(jax.jit, static_argnums=0)
def _along(cost: Any, points: Any, data: Any) -> Any:
    return jax.lax.map(lambda w: jax.value_and_grad(cost)(w, data), points)


def _compared(steps: _Steps, costs: Any) -> str:
    """Return what is wrong with recorded costs, nothing where they are the cost's own."""
    recorded = np.asarray(costs, np.float64)
    if recorded.shape != steps.costs.shape:
        raise UsageError(
            f"`costs` must hold one cost a point of the path, {steps.costs.shape}, "
            f"got {recorded.shape}"
        )
    off = np.abs(recorded - steps.costs)
    wrong = np.flatnonzero(~(off <= _COST_APART * np.maximum(np.abs(steps.costs), off)))
    wrong = wrong[off[wrong] > _COST_APART * np.abs(steps.costs).max()]
    if not len(wrong):
        return ""
    at = int(wrong[0])
    return (
        f"the recorded cost {recorded[at]:.6g} at point {at} is not the cost {steps.costs[at]:.6g} "
        "of the parameters there; is a penalty left out, or dropout on?"
    )


def _limit(steps: _Steps, cost: Cost, data: Any, places: np.ndarray) -> float:
    """Return 2 over the largest eigenvalue at places of the path, in steps from its start."""
    largest = 0.0
    for place in places:
        step = min(int(place), len(steps.rates) - 1)
        part = place - step
        w = steps.points[step] + part * (steps.points[step + 1] - steps.points[step])
        with jax.enable_x64(True):
            at = steps.back(jnp.asarray(w))
        try:
            largest = max(largest, curvature(cost, at, data=data).largest)
        except UsageError:  # not finite there: no limit on the rate is low enough
            largest = math.inf
    return math.inf if largest <= 0 else 2.0 / largest


def _fallen(steps: _Steps, limit: float) -> CostFall:
    rate, worst = float(steps.rates.max()), float(steps.apart.max())
    told = f"the cost fell in all {len(steps.rates):,} steps; the highest rate {rate:.3g} is "
    told += f"{'below' if rate < limit else 'above'} {limit:.3g}, 2 over the largest eigenvalue"
    if worst > _APART:
        told += f", but a step is {100 * worst:.3g} % off the rate times the gradient of this cost"
    return _verdict(steps, FALLS, told, limit)


def _risen(steps: _Steps, first: int, limit: float) -> CostFall:
    rate, apart = float(steps.rates[first]), float(steps.apart[first])
    told = f"the cost rose in step {first + 1}: "
    if apart > _APART:
        told += (
            f"the step is {100 * apart:.3g} % off the rate times the gradient of this cost; "
            "the gradient is wrong, or lacks a term such as the penalty"
        )
        verdict = GRADIENT
    elif rate >= limit:
        told += f"the rate {rate:.3g} is above {limit:.3g}, 2 over the largest eigenvalue there"
        verdict = RATE
    else:
        told += (
            f"though the step is right and the rate {rate:.3g} below {limit:.3g}, 2 over the "
            "largest eigenvalue; a kink lies on the way, or curvature between the points measured"
        )
        verdict = UNCLEAR
    return _verdict(steps, verdict, told, limit, first + 1)


def _verdict(steps: _Steps, verdict: str, told: str, limit: float, rose: int = 0) -> CostFall:
    rate = float(steps.rates[rose - 1] if rose else steps.rates.max())
    return CostFall(verdict, told, steps.costs, rose, rate, limit, float(steps.apart.max()))


def cost_falls_on_average(costs: Any, *, blocks: int = 10) -> AverageFall:
    """Say whether the costs of mini-batches fall on average.

    The costs are cut into blocks; Kendall's rank test, exact, asks whether the means of the blocks
    fall from first to last.

    >>> noisy = [3.0, 2.2, 2.9, 1.8, 2.0, 1.1, 1.6, 0.9, 1.2, 0.4, 0.8, 0.3]
    >>> cost_falls_on_average(noisy, blocks=6).falls
    True

    Args:
        costs: (T,) of the steps or epochs, in order.
        blocks: at least 5, so that a trend can be told at the 5 % level.

    Raises:
        UsageError: when a cost is not finite, or `blocks` is out of its range.
    """
    allowed = IntegerInterval(5, 100)
    if not allowed.accepts(blocks):
        _refuse("blocks", allowed.describe(), blocks)
    values = np.asarray(costs, np.float64).ravel()
    if not np.isfinite(values).all():
        raise UsageError("`costs` must be finite; deepwell.nan_origin tells where a NaN came from")
    if len(values) < blocks:
        return AverageFall(None, 1.0, values)
    means = np.array([part.mean() for part in np.array_split(values, blocks)])
    pairs = np.sign(means[None, :] - means[:, None])[np.triu_indices(blocks, 1)]
    chance = _chance_of_falling(blocks, int((pairs > 0).sum() + np.ceil((pairs == 0).sum() / 2)))
    return AverageFall(chance < 0.05, chance, means)


def _chance_of_falling(n: int, rising: int) -> float:
    """Return how likely a random order of n numbers has at most so many rising pairs."""
    ways = np.ones(1)  # by the number of rising pairs, as shares of all orders
    for size in range(2, n + 1):
        ways = np.convolve(ways, np.full(size, 1 / size))
    return float(ways[: rising + 1].sum())


def _refuse(name: str, must: str, got: object) -> None:
    raise UsageError(f"`{name}` must be {must}, got {safe_text(repr(got), 100)}")
