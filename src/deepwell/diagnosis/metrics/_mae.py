"""Mean absolute error, in the target's unit."""

from __future__ import annotations

import numpy as np

from ._metric import Metric, ratio
from ._tally import Tally


def _sums(y: np.ndarray, prediction: np.ndarray, tally: Tally) -> np.ndarray:
    off = np.abs(np.asarray(prediction, dtype=np.float64) - y)
    return np.stack([tally.total(off), tally.total(np.ones(len(y)))], axis=-1)


def _combine(sums: np.ndarray) -> np.ndarray:
    return ratio(sums[..., 0], sums[..., 1])


mae = Metric("mae", "MAE", "regression", False, False, _sums, _combine)
