"""Slopes of a cost along directions, each with a bound of its own error.

A slope is Richardson's extrapolation of two-sided differences with steps h and h / 2. Its doubt
adds what halving the step changed (truncation, and kinks between theta - h and theta + h) and what
rounding can do; both are measured, since costs of other libraries compute in whatever they like.
Moré & Wild 2011, "Estimating computational noise", is the source of the rounding's measurement.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

Costs = Callable[[np.ndarray], np.ndarray]

_LADDER = 10.0 ** -np.arange(1, 9)  # relative steps that are tried
_PROBES = 5  # directions by which rounding is measured
_LADDERS = 3  # of these, directions by which the step is chosen
# Of the chosen step, where that does not do; the first of them always confirms it.
_REFINED = (0.1, 10.0, 0.01, 100.0, 1e-3, 1e3, 1e-4, 1e-5, 1e-6, 1e-7)
_EPS = {8: 2.0**-8, 11: 2.0**-11, 24: 2.0**-24}  # bfloat16, float16, float32 by their bits


@dataclass(frozen=True)
class Direction:
    """A change of some entries: `size[i]` at `at[i]` a unit of step."""

    at: np.ndarray
    size: np.ndarray


@dataclass(frozen=True)
class Surroundings:
    """What steps near a point are worth.

    Attributes:
        at: (n,) the point.
        cost: there.
        noise: rounding of the cost, absolute.
        step: relative step that balances the errors.
        floor: slope, in units of relative steps, below which nothing differs from 0.
        resolution: relative rounding of the parameters that the cost sees.
    """

    at: np.ndarray
    cost: float
    noise: float
    step: float
    floor: float
    resolution: float


@dataclass(frozen=True)
class Slopes:
    """Slopes along directions.

    Attributes:
        value: (k,) the slopes; NaN where the cost is not finite around the point.
        doubt: (k,) about how wrong they may be; infinite where not finite.
        kinked: (k,) whether a kink lies within the step.
    """

    value: np.ndarray
    doubt: np.ndarray
    kinked: np.ndarray


def survey(
    costs: Costs, at: np.ndarray, scales: np.ndarray, resolution: float, rng: np.random.Generator
) -> Surroundings:
    """Measure rounding and the best step at a point, along directions of all entries."""
    places = np.arange(len(at))
    ways = [Direction(places, scales * rng.choice((-1.0, 1.0), len(at))) for _ in range(_PROBES)]
    cost = float(costs(at[None])[0])
    reach = np.concatenate([[cost], _along(costs, at, ways, np.array([0.01])).ravel()])
    moved = np.abs(reach[1:] - cost)
    fell = float(np.median(moved[np.isfinite(moved)])) if np.isfinite(moved).any() else 0.0
    near = at + 0.01 * scales * rng.normal(size=len(at))
    stored = _representable(reach[np.isfinite(reach)])
    noise = max(_noise(costs, at, near, ways), stored * abs(cost))
    here = Surroundings(at, cost, noise, 1e-4, 1e-12 * fell / 0.01, resolution)
    tried = _ladder(costs, here, ways)
    if np.array([t.kinked for t in tried])[2:5].all(axis=0).any():
        # The point lies on a kink, where all steps are poor; most entries are not concerned.
        beside = float(costs(near[None])[0])
        if np.isfinite(beside):
            tried = _ladder(costs, replace(here, at=near, cost=beside), ways)
    unseen = _unseen(tried)
    if unseen > noise:
        unseen = max(unseen, _wobble(costs, at, ways, 1e-4)[0])
    more = max(0.0, unseen - noise)
    with np.errstate(divide="ignore", invalid="ignore"):
        rounding = 2 * more / _LADDER[:, None]
        doubts = np.array([t.doubt / np.abs(t.value) for t in tried]) + rounding / np.array(
            [np.abs(t.value) for t in tried]
        )
    doubts = np.median(np.where(np.isfinite(doubts), doubts, np.inf), axis=1)
    if not np.isfinite(doubts).any():
        return here
    good = np.flatnonzero(doubts <= 3 * doubts.min())
    # The shortest: fewest kinks within.
    return replace(here, step=float(_LADDER[good[-1]]), noise=noise + more)


def _unseen(tried: Sequence[Slopes]) -> float:
    """Return the rounding by which slopes of short steps contradict those of long ones.

    A cost may move in steps so coarse, as a sum of single and double precision, that short lines
    see none of them: then slopes of short steps look sure and are wrong.
    """
    values, doubts = (np.array([getattr(t, n) for t in tried]) for n in ("value", "doubt"))
    columns = np.arange(values.shape[1])
    best: np.ndarray = 1 + doubts[1:4].argmin(axis=0)  # steps of 1e-2 to 1e-4
    value, doubt = values[best, columns], doubts[best, columns]
    with np.errstate(invalid="ignore"):
        missed = np.abs(values - value)
        missed = np.where(missed > 10 * (doubts + doubt), missed, 0.0)
    shorter = np.arange(len(tried))[:, None] > best
    return float(np.median(np.where(shorter, missed, 0.0) * _LADDER[:, None], axis=1).max())


def _ladder(costs: Costs, here: Surroundings, ways: Sequence[Direction]) -> list[Slopes]:
    return [slopes(costs, replace(here, step=float(h)), ways[:_LADDERS]) for h in _LADDER]


def slopes(costs: Costs, here: Surroundings, ways: Sequence[Direction]) -> Slopes:
    """Return the slope along each direction with the chosen step.

    How much the slopes to both sides differ is in proportion to the step where the cost is
    smooth; what is left, twice the difference at h / 2 less that at h, is the jump at a kink.
    """
    h = here.step
    values = _along(costs, here.at, ways, np.array([h, -h, h / 2, -h / 2]))
    with np.errstate(over="ignore", invalid="ignore"):
        whole = (values[:, 0] - values[:, 1]) / (2 * h)
        half = (values[:, 2] - values[:, 3]) / h
        value = (4 * half - whole) / 3
        bends = (values[:, [0, 2]] + values[:, [1, 3]] - 2 * here.cost) / [h, h / 2]
        jump = np.abs(2 * bends[:, 1] - bends[:, 0])
        rounding = np.maximum(here.noise, 2.0**-51 * np.abs(values).max(axis=1, initial=0.0)) / h
        lost = here.resolution / h * np.array([_relative(here.at, way) for way in ways])
        doubt = np.abs(value - half) + jump / 2 + 2 * rounding + lost * np.abs(value)
    known = np.isfinite(values).all(axis=1)
    return Slopes(
        np.where(known, value, np.nan),
        np.where(known, doubt, np.inf),
        known & (jump > np.maximum(40 * rounding, 1e-7 * np.abs(value))),
    )


def refined(
    costs: Costs,
    here: Surroundings,
    ways: Sequence[Direction],
    first: Slopes,
    settled: Callable[[np.ndarray, Slopes], np.ndarray],
) -> Slopes:
    """Return the slopes with the step, longer or shorter, that leaves each the least doubt.

    A kink between theta - h and theta + h goes out of the way of a shorter step; one at theta
    itself stays.

    Args:
        costs: (k, n) -> (k,).
        here: the point.
        ways: directions.
        first: their slopes with the chosen step.
        settled: which of some directions, by number and slopes, need no further step.
    """
    best = Slopes(*(values.copy() for values in vars(first).values()))
    left = np.arange(len(ways))
    for factor in _REFINED:
        again = slopes(
            costs, replace(here, step=here.step * factor), [ways[i] for i in left.tolist()]
        )
        better = again.doubt < best.doubt[left]
        for name, values in vars(best).items():
            values[left[better]] = getattr(again, name)[better]
        left = left[~settled(left, Slopes(*(values[left] for values in vars(best).values())))]
        if not len(left):
            break
    return best


def _along(
    costs: Costs, at: np.ndarray, ways: Sequence[Direction], steps: np.ndarray
) -> np.ndarray:
    """Return (k, s) the costs at `at + step * direction`, a bounded number of points at once."""
    found = np.empty((len(ways), len(steps)))
    many = max(1, int(2**25 / (8 * max(len(at), 1) * len(steps))))
    for first in range(0, len(ways), many):
        part = ways[first : first + many]
        points = np.repeat(at[None], len(part) * len(steps), axis=0)
        for i, way in enumerate(part):
            rows = slice(i * len(steps), (i + 1) * len(steps))
            points[rows, way.at] += steps[:, None] * way.size
        found[first : first + many] = costs(points).reshape(len(part), len(steps))
    return found


def _relative(at: np.ndarray, way: Direction) -> float:
    """Return the largest entry in units of its change: what rounding the entries can cost."""
    moving = way.size != 0
    return float(np.abs(at[way.at][moving] / way.size[moving]).max(initial=0.0))


def _noise(costs: Costs, at: np.ndarray, near: np.ndarray, ways: Sequence[Direction]) -> float:
    """Return the cost's rounding.

    Steps of 1e-6 see single precision inside the cost, which those of 1e-9 may step over; those of
    1e-9 see double precision, where kinks are not yet in the way. Coarse rounding is believed only
    where it shows at a point beside too, since kinks close to the point look like it.
    """
    coarse, size = _wobble(costs, at, ways, 1e-6)
    if coarse > 0.02 * 2.0**-24 * size:
        coarse = min(coarse, _wobble(costs, near, ways, 1e-6)[0])
    return coarse if coarse > 0.02 * 2.0**-24 * size else _wobble(costs, at, ways, 1e-9)[0]


def _wobble(
    costs: Costs, at: np.ndarray, ways: Sequence[Direction], step: float
) -> tuple[float, float]:
    """Return the size of errors in costs on short lines, from high differences, and the costs'.

    Differences of every order tell the same size where they are rounding, and their signs change;
    of a curved cost they fall with the order, or keep their sign.
    """
    values = _along(costs, at, ways, step * np.arange(8))
    values = values[np.isfinite(values).all(axis=1)]
    if not len(values):
        return 0.0, 0.0
    orders = [_rounding(values, order) for order in (4, 5, 6)]
    signs = np.sign(np.diff(values, 4, axis=1))
    turns = np.mean(signs[:, 1:] * signs[:, :-1] <= 0)
    random = turns >= 0.5 and (max(orders) < 4 * min(orders) or step < 1e-6)
    return min(orders) if random else 0.0, float(np.abs(values).max())


def _rounding(values: np.ndarray, order: int) -> float:
    """Return the standard deviation of independent errors whose differences these would be."""
    share = math.factorial(order) ** 2 / math.factorial(2 * order)
    spread = np.mean(np.diff(values, order, axis=1) ** 2, axis=1)
    return math.sqrt(share * float(np.median(spread)))


def _representable(values: np.ndarray) -> float:
    """Return the relative rounding of the coarsest format that holds all the values."""
    if len(np.unique(values)) < 4:
        return 2.0**-53
    mantissas, _ = np.frexp(values)
    for bits, eps in _EPS.items():
        if (np.ldexp(mantissas, bits) % 1 == 0).all():
            return eps
    return 2.0**-53
