"""The order of trials at a rung, and a decision in that order."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from deepwell.records import Trial

from ._scheduler import Decision

ROUNDING = 1e-6
"""Share of a score up to which differences are those of rounding: scores have 24 bits."""


def rank(trial: Trial) -> tuple[float, float, int]:
    """Return the trial's rank key with NaN, which has no order, in the place of the worst."""
    score, cost, number = trial.rank_key()
    return (
        math.inf if math.isnan(score) else score,
        math.inf if math.isnan(cost) else cost,
        number,
    )


def split(trials: Sequence[Trial], going: Collection[int]) -> Decision:
    """Return that of the trials that are able to train on some do, and the others stop.

    Args:
        trials: all that reached a rung.
        going: numbers of those that may train on.
    """
    ranked = [t.number for t in sorted(trials, key=rank) if not t.status.over]
    return Decision(
        promote=tuple(number for number in ranked if number in going),
        prune=tuple(number for number in ranked if number not in going),
    )


def scored(trial: Trial) -> bool:
    """Whether a trial has a finite score; one that diverged before it had any has none."""
    return math.isfinite(trial.score)
