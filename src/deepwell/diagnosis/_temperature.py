"""Temperature scaling: one number that makes overconfident probabilities honest.

    q_c = p_c^(1/T) / sum_j p_j^(1/T)

which divides the network's raw outputs by T (Guo et al. 2017, ICML). T above 1 makes probabilities
milder; the class that is said, and so the error rate, stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepwell.records import Estimate

from ._calibration import binned_event, calibration_error
from ._cross_fit import random_folds
from ._intervals import paired_difference
from .metrics._log_loss import log_loss
from .metrics._tally import weights

LEAST, MOST = 0.05, 20.0
_SMALLEST = 1e-300
_ITERATIONS = 100


@dataclass(frozen=True)
class Scaling:
    """What temperature scaling does.

    Attributes:
        temperature: fitted on all rows, 0.05 to 20: the one to use.
        change: of the log loss, below 0 where it helps: each row with a temperature that was
            fitted on other rows.
        error_before, error_after: debiased calibration error without it and, on rows that did not
            fit it, with it.
    """

    temperature: float
    change: Estimate
    error_before: float
    error_after: float

    def to_plain(self) -> dict[str, object]:
        """Return the scaling for JSON."""
        return {**vars(self), "change": self.change.to_plain()}


def at_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return class probabilities (n, C) at a temperature.

    >>> at_temperature(np.array([[0.9, 0.1]]), 2.0).round(3)
    array([[0.75, 0.25]])
    """
    if temperature == 1.0:
        return probabilities
    scaled = _logs(probabilities) / temperature
    raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def fit_temperature(
    y: np.ndarray, probabilities: np.ndarray, weight: np.ndarray | None = None
) -> float:
    """Return the temperature with the least log loss on these rows, 0.05 to 20.

    The log loss is convex in a = 1 / T; its slope is brought to 0 by Newton's steps within
    brackets that close.

    Args:
        y: (n,) class numbers.
        probabilities: (n, C).
        weight: (n,) sample weights.
    """
    w = weights(len(y), weight)
    z = _logs(probabilities)
    z = z - z.max(axis=1, keepdims=True)
    own = z[np.arange(len(y)), y]

    def slopes(a: float) -> tuple[float, float]:
        raised = np.exp(a * z)
        q = raised / raised.sum(axis=1, keepdims=True)
        mean = (q * z).sum(axis=1)
        spread = (q * z**2).sum(axis=1) - mean**2
        return float(w @ (mean - own)), float(w @ spread)

    low, high = 1 / MOST, 1 / LEAST
    if slopes(low)[0] >= 0:
        return MOST
    if slopes(high)[0] <= 0:
        return LEAST
    a = 1.0
    for _ in range(_ITERATIONS):
        slope, curvature = slopes(a)
        low, high = (a, high) if slope < 0 else (low, a)
        step = a - slope / curvature if curvature > 0 else low
        following = step if low < step < high else (low * high) ** 0.5
        if abs(following - a) <= 1e-10 * a:
            break
        a = following
    return 1 / a


def temperature_scaling(
    y: np.ndarray,
    probabilities: np.ndarray,
    weight: np.ndarray | None = None,
    seed: int = 0,
    group: np.ndarray | None = None,
) -> Scaling:
    """Return the temperature of these rows, and what it does to rows that did not fit it.

    Args:
        y: (n,) class numbers.
        probabilities: (n, C).
        weight: (n,) sample weights.
        seed: of the five random parts, each scaled by the temperature of the others.
        group: (n,) whole numbers, equal for rows that belong together: they are in one part, and
            are resampled together.
    """
    w = weights(len(y), weight)
    scaled = np.array(probabilities, np.float64)
    for inside, outside in random_folds(y, seed, group):
        scaled[inside] = at_temperature(
            probabilities[inside], fit_temperature(y[outside], probabilities[outside], w[outside])
        )
    before, after = (binned_event(y, p) for p in (probabilities, scaled))
    as_given = np.asarray(probabilities, float)
    return Scaling(
        fit_temperature(y, probabilities, w),
        paired_difference(log_loss, y, scaled, as_given, weight, seed, group),
        calibration_error(*before, w, group),
        calibration_error(*after, w, group),
    )


def _logs(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(np.asarray(probabilities, np.float64), _SMALLEST))
