"""Dev curves of trials as schedulers read them."""

from __future__ import annotations

import numpy as np

from deepwell.records import Status, Trial

SCORE = "dev_score"
_LOST = (Status.DIVERGED, Status.FAILED)


def curve_of(trial: Trial) -> np.ndarray:
    """Return the finite dev scores of a trial, (epochs,) float64, up to the first that is not.

    Empty for one that diverged or failed.
    """
    if trial.status in _LOST or SCORE not in trial.curves:
        return np.empty(0)
    scores = np.asarray(trial.curves[SCORE], np.float64)
    broken = np.flatnonzero(~np.isfinite(scores))
    return scores[: broken[0]] if len(broken) else scores


def noise_of(curve: np.ndarray) -> float:
    """Return the standard deviation of a curve's noise around its smooth course.

    From second differences d = y[t-1] - 2 y[t] + y[t+1], from which a straight course drops out:
    var(d) = 6 sigma^2. The course of a curve bends, most of all at first, so the median of |d|
    tells (1.4826 of it is the standard deviation of a normal distribution), not their mean. Where
    more than half of them are 0, as with scores that are counts of few rows, their mean square
    does. 0 for fewer than 4 epochs.

    Args:
        curve: (epochs,) scores.
    """
    if len(curve) < 4:
        return 0.0
    bends = np.abs(np.diff(curve, 2))
    spread = 1.4826 * float(np.median(bends))
    if spread == 0.0:
        spread = float(np.sqrt(np.mean(bends**2)))
    return spread / np.sqrt(6.0)
