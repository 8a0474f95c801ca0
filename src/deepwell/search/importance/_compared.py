"""The points that were tried with scores that may be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.records import Observation
from deepwell.search.spaces._domain import Domain

_FAR_OUT = 3.0  # ranges between the quartiles above the third one: Tukey's "far out" (1977)


@dataclass(frozen=True, eq=False)
class Compared:
    """Points of the unit cube and their scores.

    Attributes:
        units: (n, d).
        active: (n, d) whether an axis matters at a point.
        scores: (n,) lower is better, all finite.
        left_out: trials without a score, or outside of the domain.
        worst: how many diverged or lie far off, and count as the worst of the others.
    """

    units: np.ndarray
    active: np.ndarray
    scores: np.ndarray
    left_out: int
    worst: int


def compared(domain: Domain, history: Sequence[Observation]) -> Compared:
    """Return what was tried inside of a domain.

    A score that is infinite, or more than three times the range between the quartiles above the
    third one, counts as the worst of the others: a few failures say that something is bad, not how
    bad, and their squares would outweigh all else.
    """
    points: list[np.ndarray] = []
    active: list[np.ndarray] = []
    scores: list[float] = []
    for one in history:
        unit = None if one.pending else domain.encode(one.values)
        if unit is not None:
            points.append(unit)
            active.append(domain.active(one.values))
            scores.append(one.score)
    found = np.array(scores, np.float64)
    finite = found[np.isfinite(found)]
    worst = 0
    if len(finite):
        limit = _limit(finite)
        worst = int((found > limit).sum())
        found = np.minimum(found, limit)
    else:
        points, active, found = list[np.ndarray](), list[np.ndarray](), finite
    shape = (len(points), len(domain.axes))
    return Compared(
        units=np.array(points, np.float64).reshape(shape),
        active=np.array(active, np.bool_).reshape(shape),
        scores=found,
        left_out=len(history) - len(points),
        worst=worst,
    )


def _limit(finite: np.ndarray) -> float:
    """Return the worst score that counts as it is."""
    low, high = np.quantile(finite, [0.25, 0.75])
    fence = high + _FAR_OUT * (high - low) if high > low else math.inf
    return float(finite[finite <= fence].max())
