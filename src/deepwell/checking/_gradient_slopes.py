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
_PROBES = 5  # directions by which noise and step are chosen
_REFINED = (10.0, 0.1, 0.01, 1e-3, 1e-4, 1e-5)  # of the chosen step, where it does not do
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
        step: (k,) relative step of each.
    """

    value: np.ndarray
    doubt: np.ndarray
    kinked: np.ndarray
    step: np.ndarray


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
    noise = max(_wobble(costs, at, ways), _representable(reach[np.isfinite(reach)]) * abs(cost))
    here = Surroundings(at, cost, noise, 1e-4, 1e-12 * fell / 0.01, resolution)
    tried = [slopes(costs, replace(here, step=float(h)), ways) for h in _LADDER]
    doubts = np.array([np.median(t.doubt / np.maximum(np.abs(t.value), 1e-300)) for t in tried])
    if not np.isfinite(doubts).any():
        return here
    good = np.flatnonzero(doubts <= 3 * np.nanmin(doubts))
    return replace(here, step=float(_LADDER[good[-1]]))  # the shortest: fewest kinks within


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
        np.full(len(ways), h),
    )


def refined(costs: Costs, here: Surroundings, ways: Sequence[Direction], first: Slopes) -> Slopes:
    """Return the slopes with the step, longer or shorter, that leaves each the least doubt.

    A kink between theta - h and theta + h goes out of the way of a shorter step; one at theta
    itself stays.
    """
    tried = [first] + [slopes(costs, replace(here, step=here.step * f), ways) for f in _REFINED]
    doubts = np.array([t.doubt for t in tried])
    best, columns = doubts.argmin(axis=0), np.arange(len(ways))
    return Slopes(
        np.array([t.value for t in tried])[best, columns],
        doubts[best, columns],
        np.array([t.kinked for t in tried])[best, columns],
        np.array([t.step for t in tried])[best, columns],
    )


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


def _wobble(costs: Costs, at: np.ndarray, ways: Sequence[Direction]) -> float:
    """Return the cost's rounding, from fifth differences of costs on short lines.

    Steps of 1e-6 see single precision inside the cost, which those of 1e-9 may step over; those of
    1e-9 see double precision, where kinks are not yet in the way.
    """
    sizes = []
    factor = math.factorial(5) ** 2 / math.factorial(10)
    for step in (1e-6, 1e-9):
        values = _along(costs, at, ways, step * np.arange(8))
        values = values[np.isfinite(values).all(axis=1)]
        if not len(values):
            return 0.0
        differences = np.diff(values, 5, axis=1)
        sizes.append(float(np.median(np.sqrt(factor * np.mean(differences**2, axis=1)))))
        largest = float(np.abs(values).max())
    return sizes[0] if sizes[0] > 0.02 * 2.0**-24 * largest else sizes[1]


def _representable(values: np.ndarray) -> float:
    """Return the relative rounding of the coarsest format that holds all the values."""
    if len(np.unique(values)) < 4:
        return 2.0**-53
    mantissas, _ = np.frexp(values)
    for bits, eps in _EPS.items():
        if (np.ldexp(mantissas, bits) % 1 == 0).all():
            return eps
    return 2.0**-53
