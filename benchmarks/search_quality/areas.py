"""Areas under target curves, and rank tests between strategies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TARGETS = 10.0 ** np.linspace(2, -8, 51)


def area(excess: Sequence[float]) -> float:
    """Return the mean, over the evaluations, of the share of the 51 targets reached so far.

    >>> area([100.0])  # the first of the 51
    0.0196078431372549
    """
    best = np.minimum.accumulate(np.asarray(excess, float))
    return float((best[:, None] <= TARGETS).mean())


@dataclass(frozen=True)
class Comparison:
    """Two strategies on the same runs.

    Attributes:
        runs, wins, losses: how many; the others are ties.
        ours, theirs: mean areas.
        p_value: of Wilcoxon's signed-rank test, two-sided; 1 where all are ties.
    """

    runs: int
    wins: int
    losses: int
    ours: float
    theirs: float
    p_value: float

    @property
    def verdict(self) -> str:
        """`better`, `worse` or `not told apart`, at 5 %."""
        if self.p_value >= 0.05:
            return "not told apart"
        return "better" if self.ours > self.theirs else "worse"


def compared(ours: Sequence[float], theirs: Sequence[float]) -> Comparison:
    """Return the comparison of areas of the same runs, in the same order."""
    from scipy.stats import wilcoxon

    a, b = np.asarray(ours, float), np.asarray(theirs, float)
    apart = a - b
    p = float(wilcoxon(apart, method="approx").pvalue) if np.any(apart != 0) else 1.0
    return Comparison(
        len(a), int((apart > 0).sum()), int((apart < 0).sum()), float(a.mean()), float(b.mean()), p
    )
