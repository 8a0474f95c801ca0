"""Patience with noise: a trial stops once its smoothed curve has stopped falling.

Early stopping of a single network counts epochs without a better score, and on a noisy curve a
lucky epoch both stops it too soon and keeps it too long: the lucky score is hard to beat, and
the next lucky one begins the count anew. Here the curve is smoothed first, and an improvement has
to be larger than what its own noise does to it.
"""

from __future__ import annotations

import math

import numpy as np

from deepwell.records import Rung, Trial

from ._curves import curve_of, noise_of
from ._even_rungs import even_rungs
from ._ranking import ROUNDING, scored, split
from ._scheduler import Decision, Moment

LOOKS = 20
"""Decisions on the way, about."""

WINDOW = 5
"""Epochs that one point of the smoothed curve is the mean of."""

WAIT = 0.2
"""Share of all epochs in which a smoothed curve has to improve, and at least `LEAST_WAIT`."""

LEAST_WAIT = 5


def rungs(networks: int, epochs: int) -> tuple[Rung, ...]:
    """Return a rung every twentieth of the epochs from where a trial may first be out of patience.

    >>> [r.epochs for r in rungs(64, 50)]
    [15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45, 48, 50]
    """
    return even_rungs(networks, epochs, LOOKS, WINDOW + wait(epochs))


def wait(epochs: int) -> int:
    """Return the epochs in which a smoothed curve has to improve.

    Args:
        epochs: of a full trial.
    """
    return max(LEAST_WAIT, math.ceil(WAIT * epochs))


def decide(moment: Moment) -> Decision:
    """Return which trials train on: those that still improve by more than their noise."""
    patience = wait(moment.rungs[-1].epochs)
    going = {t.number for t in moment.trials if scored(t) and improves(t, patience)}
    return split(moment.trials, going)


def improves(trial: Trial, patience: int) -> bool:
    """Return whether a trial's smoothed curve fell by more than its noise in the last epochs.

    With s[t] the mean of the scores of epochs t - 4 to t, b[t] = min(s[1], ..., s[t]), and sigma
    the noise of a score (see `noise_of`), so that a smoothed one has sigma / sqrt(5), it does when

        b[e - patience] - b[e] > sigma / sqrt(5)

    and by more than rounding, 1e-6 of b[e].

    Args:
        trial: with its curve.
        patience: epochs.
    """
    curve = curve_of(trial)
    if len(curve) < WINDOW + patience:
        return True
    smooth = np.convolve(curve, np.full(WINDOW, 1.0 / WINDOW), "valid")
    best = np.minimum.accumulate(smooth)
    least = max(noise_of(curve) / math.sqrt(WINDOW), ROUNDING * abs(best[-1]))
    return bool(best[-1 - patience] - best[-1] > least)
