"""Medians of times of which some are only known to be longer than a cap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Median:
    """The middle of several runs.

    Attributes:
        seconds: the median; None where it is censored: half of the runs or more hit the cap.
        low, high: the quickest run, and the slowest one (None: it hit the cap).
        runs, reached: how many there were, and how many got there.
    """

    seconds: float | None
    low: float | None
    high: float | None
    runs: int
    reached: int


def median(times: Sequence[float | None]) -> Median | None:
    """Return the median of times; None among them stands for a run that hit the cap.

    A censored time is longer than any other, whatever it is, so the median of an odd number of
    runs is exact as long as more than half of them got there. Of an even number both runs in the
    middle must have.

    >>> median([3.0, None, 1.0])
    Median(seconds=3.0, low=1.0, high=None, runs=3, reached=2)
    >>> median([3.0, None]).seconds is None
    True
    """
    if not times:
        return None
    ordered = sorted(math.inf if t is None else t for t in times)
    count = len(ordered)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    return Median(
        _finite(middle),
        _finite(ordered[0]),
        _finite(ordered[-1]),
        count,
        sum(math.isfinite(t) for t in ordered),
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
