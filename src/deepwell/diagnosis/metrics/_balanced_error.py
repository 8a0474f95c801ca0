"""Balanced error: the mean over classes of each class's own error rate.

Classes without a row do not count. A constant guess scores 1 - 1/C however unequal the classes.
"""

from __future__ import annotations

import numpy as np

from ._metric import Metric, mean_of_defined, ratio
from ._tally import Tally


def _sums(y: np.ndarray, prediction: np.ndarray, tally: Tally) -> np.ndarray:
    classes = prediction.shape[1]
    wrong = prediction.argmax(axis=1) != y
    missed = tally.table(y, classes, wrong)
    rows = tally.table(y, classes, np.ones(len(y)))
    return np.concatenate([missed, rows], axis=-1)


def _combine(sums: np.ndarray) -> np.ndarray:
    missed, rows = np.split(sums, 2, axis=-1)
    return mean_of_defined(ratio(missed, rows))


balanced_error = Metric(
    "balanced_error",
    "balanced error",
    "classification",
    True,
    True,
    _sums,
    _combine,
    of_decisions=True,
)
