"""The contract of a metric: a function of sums over rows.

    score = combine(sum over rows of weight * statistics(row))

Error rates, confusions, squared errors and (to first order) areas under ROC curves all have this
form. It is what makes one bootstrap serve them all: resampling the rows means weighting the
sums, and a difference between two models on the same rows weights both sums alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ._tally import Tally, whole

Sums = Callable[[np.ndarray, np.ndarray, Tally], np.ndarray]
Combine = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Metric:
    """A figure of merit; lower is better, and 0 is perfect.

    Predictions are, for classification, (n, C) probabilities with the columns in class order,
    C >= 2 also for two classes; for regression (n,) values in the target's unit. `y` is (n,):
    whole numbers from 0 for classes, values in the target's unit for regression.

    Attributes:
        name: as in `--metric error`.
        label: what the figure is, as in `1 - AUC`.
        task: `classification` or `regression`.
        percent: whether people read it as per cent.
        bounded: whether it lies in [0, 1] with 0 within reach of a perfect model.
        sums: `(y, prediction, tally) -> (groups, k)` sums of the row statistics.
        combine: `(..., k) -> (...)` the score from the sums; NaN where it is not defined.
        of_decisions: whether only the class that is said counts, not its probability.
    """

    name: str
    label: str
    task: str
    percent: bool
    bounded: bool
    sums: Sums
    combine: Combine
    of_decisions: bool = False

    def loss(
        self, y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None
    ) -> float:
        """Return the score of `prediction`.

        Args:
            y: (n,) targets.
            prediction: (n, C) probabilities or (n,) values.
            weight: (n,) sample weights, at least 0; None means 1 for every row.

        Returns:
            The score, lower is better: infinity when a prediction is not finite, so that no such
            model is ever selected; NaN where the rows do not define the metric, as the AUC of
            one class.
        """
        if not np.isfinite(prediction).all():
            return float("inf")
        with np.errstate(over="ignore"):
            return float(self.combine(self.sums(y, prediction, whole(len(y), weight)))[0])


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return above / below, NaN where below is 0."""
    filled = np.where(below > 0, below, 1.0)
    return np.where(below > 0, above / filled, np.nan)


def mean_of_defined(values: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis of the numbers that are not NaN; NaN if none is."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))
