"""Error rate: the share of rows whose likeliest class is wrong."""

from __future__ import annotations

import numpy as np

from ._metric import Metric, ratio
from ._tally import Tally


def _sums(y: np.ndarray, prediction: np.ndarray, tally: Tally) -> np.ndarray:
    wrong = prediction.argmax(axis=1) != y
    return np.stack([tally.total(wrong), tally.total(np.ones(len(y)))], axis=-1)


def _combine(sums: np.ndarray) -> np.ndarray:
    return ratio(sums[..., 0], sums[..., 1])


error = Metric("error", "error", "classification", True, True, _sums, _combine, of_decisions=True)
