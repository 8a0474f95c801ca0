"""1 - AUC: the share of (positive, negative) pairs ranked wrongly, ties one half.

With more than two classes it is the mean over one-versus-rest areas of the classes that have both
positive and negative rows. NaN when none has.

An area is no sum over rows, but its first-order expansion is: with the *placement* V of a
positive row, the share of negatives ranked below it, and U of a negative row, the share of
positives ranked above it, AUC = mean V = mean U, and resampling changes it by the sum of the
changes of both means (DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44). The row statistics
are V and U less half the area, so that at the full rows mean V + mean U is the area itself.
"""

from __future__ import annotations

import numpy as np

from ._metric import Metric, mean_of_defined, ratio
from ._tally import Tally


def _sums(y: np.ndarray, prediction: np.ndarray, tally: Tally) -> np.ndarray:
    columns = [1] if prediction.shape[1] == 2 else range(prediction.shape[1])
    parts = [_one_class(y == c, prediction[:, c], tally) for c in columns]
    return np.concatenate([np.stack(part, axis=-1) for part in zip(*parts, strict=True)], axis=-1)


def _one_class(positive: np.ndarray, score: np.ndarray, tally: Tally) -> tuple[np.ndarray, ...]:
    """Return sums of V and of weight over positives, of U and of weight over negatives."""
    _, rank = np.unique(score, return_inverse=True)
    w_positive = np.where(positive, tally.weight, 0.0)
    w_negative = np.where(positive, 0.0, tally.weight)
    v = _share_below(rank, w_negative)
    u = 1 - _share_below(rank, w_positive)
    total = w_positive.sum()
    half = 0.5 * (w_positive @ v) / total if total > 0 else 0.0
    return (
        tally.total(np.where(positive, v - half, 0.0)),
        tally.total(positive),
        tally.total(np.where(positive, 0.0, u - half)),
        tally.total(~positive),
    )


def _share_below(rank: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return for each row the share of `weight` at lower ranks, half of its own rank counted."""
    at = np.bincount(rank, weights=weight)
    below = np.cumsum(at) - 0.5 * at
    total = at.sum()
    return (below / total if total > 0 else below)[rank]


def _combine(sums: np.ndarray) -> np.ndarray:
    v, positives, u, negatives = np.split(sums, 4, axis=-1)
    area = ratio(v, positives) + ratio(u, negatives)
    return np.clip(1 - mean_of_defined(area), 0.0, 1.0)


auc = Metric("auc", "1 - AUC", "classification", False, True, _sums, _combine)
