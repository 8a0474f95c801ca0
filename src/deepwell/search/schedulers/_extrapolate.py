"""Learning-curve extrapolation: a trial stops when it will hardly come to beat the best one.

After Domhan, Springenberg and Hutter (2015, IJCAI): each dev curve is carried on to its last epoch
with its uncertainty, and a trial stops when the probability that it ends below the best score so
far is under 5 %. Curves bend in ways that no family of formulas has, so the uncertainty that is
computed is too small. How much too small is measured: the first half of every curve foretells its
present, and where that misses, all intervals are widened until they would have held it.
"""

from __future__ import annotations

import numpy as np

from deepwell.records import Rung, Trial

from ._curve_fit import LEAST, forecast
from ._curves import curve_of
from ._even_rungs import even_rungs
from ._ranking import scored, split
from ._scheduler import Decision, Moment

LOOKS = 10
"""Decisions on the way, about."""

CHANCE = 0.05
"""Probability of beating the best score below which a trial stops."""

FIRST = 2 * LEAST
"""Epochs before the first decision, so that half of them can foretell the others."""

ENOUGH = 10
"""Curves that the widening must have been measured on; with fewer, nobody stops."""

_LUCK = 1.4  # standard deviations that the best of about 8 noisy epochs lies below the curve
_HELD, _NORMAL = 0.9, 1.645  # intervals that are made to hold 90 %


def rungs(networks: int, epochs: int) -> tuple[Rung, ...]:
    """Return a rung every tenth of the epochs from the twelfth on; any number may reach them.

    >>> [r.epochs for r in rungs(64, 50)]
    [15, 20, 25, 30, 35, 40, 45, 50]
    """
    return even_rungs(networks, epochs, LOOKS, FIRST)


def decide(moment: Moment) -> Decision:
    """Return which trials train on: those with a fair chance to beat the best score so far."""
    going = {t.number for t in moment.trials if scored(t)}
    best = min((t.score for t in moment.trials if scored(t)), default=np.inf)
    last = moment.rungs[-1].epochs
    judged = [t for t in moment.trials if len(curve_of(t)) == moment.epoch and scored(t)]
    if moment.epoch >= FIRST and len(judged) >= ENOUGH:
        chances = chances_to_beat(judged, best, last)
        going -= {
            t.number
            for t, chance in zip(judged, chances.tolist(), strict=True)
            if chance < CHANCE and t.score > best
        }
    return split(moment.trials, going)


def chances_to_beat(trials: list[Trial], best: float, last: int) -> np.ndarray:
    """Return the probability of each trial (N,) to reach a score below `best` at its last epoch.

    Its score will be the best of several noisy epochs, so its curve needs to come near only.

    Args:
        trials: with curves of equal length, `FIRST` epochs at least.
        best: the score to beat.
        last: epochs of a full trial.
    """
    curves = np.stack([curve_of(trial) for trial in trials])
    ends = np.array([min(t.spec.whole("epochs"), last) for t in trials])
    ahead = forecast(curves, ends, last)
    return ahead.below(best + _LUCK * ahead.noise, widening(curves, last))


def widening(curves: np.ndarray, last: int) -> float:
    """Return the factor on scales with which the first halves of curves foretell their ends.

    Args:
        curves: (N, n) scores.
        last: epochs of a full trial.

    Returns:
        The 90th percentile of |score - foretold| / spread over that of a normal distribution, and
        never less than 1.
    """
    n = curves.shape[1]
    half = forecast(curves[:, : n // 2], np.full(len(curves), n), last)
    off = np.abs(curves[:, -1] - half.center())
    spread = np.where(half.degrees > 2, half.spread(), np.inf)
    ratio = off[spread > 0] / spread[spread > 0]
    return max(1.0, float(np.quantile(ratio, _HELD)) / _NORMAL) if len(ratio) else 1.0
