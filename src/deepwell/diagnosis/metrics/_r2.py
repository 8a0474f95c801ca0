"""1 - R2: squared error over the spread of the target about its mean on the same rows.

0 is perfect and 1 is the mean's score. A target that does not vary gives 0 when it is hit exactly
and 1 else, as in scikit-learn.
"""

from __future__ import annotations

import numpy as np

from ._metric import Metric
from ._tally import Tally


def _sums(y: np.ndarray, prediction: np.ndarray, tally: Tally) -> np.ndarray:
    off = np.asarray(prediction, dtype=np.float64) - y
    center = np.asarray(y, dtype=np.float64) - np.mean(y, dtype=np.float64)
    columns = (off * off, np.ones(len(y)), center, center * center)
    return np.stack([tally.total(c) for c in columns], axis=-1)


def _combine(sums: np.ndarray) -> np.ndarray:
    squares, weight, center, center_squares = np.moveaxis(sums, -1, 0)
    filled = np.where(weight > 0, weight, 1.0)
    spread = center_squares - center * center / filled
    # of a constant target only rounding errors are left
    varies = spread > 1e-12 * center_squares
    still = np.where(squares > 0, 1.0, 0.0)
    return np.where(varies, squares / np.where(varies, spread, 1.0), still)


r2 = Metric("r2", "1 - R2", "regression", False, False, _sums, _combine)
