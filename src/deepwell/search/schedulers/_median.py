"""Median stopping (Golovin et al. 2017, KDD, "Google Vizier", section 3.2.2).

A trial stops when the best score that it has reached is worse than what the median of the others
had on average on their way to the same epoch. It is lenient, since a best score is compared with
averages, and it has no ladder of rungs: how many go on depends on how the curves differ.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from deepwell.records import Rung

from ._curves import curve_of
from ._even_rungs import even_rungs
from ._ranking import ROUNDING, scored, split
from ._scheduler import Decision, Moment

LOOKS = 10
"""Decisions on the way, about."""

WARM_UP = 5
"""Epochs before the first decision, and at least a tenth of all."""

LEAST = 5
"""Other trials that there must be, for below that a median says little."""


def rungs(networks: int, epochs: int) -> tuple[Rung, ...]:
    """Return a rung every tenth of the epochs after the warm-up; any number may reach them.

    >>> [r.epochs for r in rungs(64, 50)]
    [5, 10, 15, 20, 25, 30, 35, 40, 45, 50]
    """
    return even_rungs(networks, epochs, LOOKS, WARM_UP)


def decide(moment: Moment) -> Decision:
    """Return which trials train on: best score <= median of the others' running averages.

    The running average of a trial at epoch e is the mean of its scores in epochs 1 to e; one that
    stopped by itself before e has that of its last epoch. The others are all trials that reached
    the rung; those that a decision stopped before are not among them. What rounding makes of equal
    scores decides nothing.
    """
    curves = {trial.number: curve_of(trial) for trial in moment.trials}
    averages = {n: float(curve.mean()) for n, curve in curves.items() if len(curve)}
    ordered = sorted(averages.values())
    going: set[int] = set()
    for trial in moment.trials:
        if not scored(trial):
            continue
        own = averages.get(trial.number)
        others = len(ordered) - (own is not None)
        limit = median_without(ordered, own) if others >= LEAST else trial.score
        if trial.score <= limit + ROUNDING * abs(limit):
            going.add(trial.number)
    return split(moment.trials, going)


def median_without(ordered: Sequence[float], own: float | None) -> float:
    """Return the median of numbers in order without one of them, None for without none.

    >>> median_without([1.0, 2.0, 4.0, 8.0], 2.0)
    4.0
    """
    gone = len(ordered) if own is None else bisect_left(ordered, own)
    left = len(ordered) - (own is not None)
    middle = [ordered[k + (k >= gone)] for k in ((left - 1) // 2, left // 2)]
    return (middle[0] + middle[1]) / 2
