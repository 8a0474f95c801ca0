"""Is it chance that probabilities look wrong? Labels drawn from them, and factors on groups.

The statistic sums over classes (the second of two) and bins the squared excess of true rows over
what was said, in units of its variance:

    T = sum_c sum_b (sum_i w_i (1[y_i = c] - p_ic))^2 / (sum_i w_i^2 p_ic (1 - p_ic) + w^2 / 4)

Consistency resampling (Broecker and Smith 2007, Weather and Forecasting 22): if the probabilities
are right, labels drawn from them are as good as the true ones, so the true labels' statistic has
an even chance of any rank among those of drawn labels, for any number of rows and classes.

Labels are drawn row by row. Where the rows of a group come true together, T is larger than that
although every probability is right. So there is a second distribution beside it, the wild bootstrap
by groups (Cameron, Gelbach and Miller 2008, Review of Economics and Statistics 90): if the
probabilities are right, the sums over each group have the mean 0, so they are taken times a factor
drawn at random, with mean 0, variance 1 and third moment 1, as the skewed sums of rare classes need
(Mammen 1993, Annals of Statistics 21).
"""

from __future__ import annotations

import math

import numpy as np

from ._equal_bins import BINS, equal_bins
from .metrics._tally import by_unit, weights

_ROWS_AT_ONCE = 2_000_000
_HELD = 4_000_000  # sums over groups
_ROOT = math.sqrt(5)
_FACTORS, _OFTEN = ((1 - _ROOT) / 2, (1 + _ROOT) / 2), (_ROOT + 1) / (2 * _ROOT)


def calibration_p_value(
    y: np.ndarray,
    probabilities: np.ndarray,
    weight: np.ndarray | None = None,
    seed: int = 0,
    draws: int = 999,
) -> float:
    """Return the chance that right probabilities look as wrong as these.

    T has its distribution from labels drawn from the probabilities, so the size is exact: p <= a
    in at most a share a of such cases.

    Args:
        y: (n,) class numbers.
        probabilities: (n, C).
        weight: (n,) sample weights, which must not depend on the label (`without_class_factor`).
        seed: of the drawn labels.
        draws: how many sets of labels.
    """
    n, classes = probabilities.shape
    w = weights(n, weight)
    first = _first(classes)
    place = np.zeros((n, classes), np.intp)
    for c in range(first, classes):
        place[:, c] = c * BINS + equal_bins(probabilities[:, c])
    cells = classes * BINS
    used = place[:, first:].ravel()
    p, wide = probabilities[:, first:].ravel(), np.repeat(w, classes - first)
    expected = np.bincount(used, wide * p, cells)
    variance = np.bincount(used, wide**2 * p * (1 - p), cells) + _least_variance(w)

    def statistic(labels: np.ndarray) -> np.ndarray:  # (k, n) -> (k,)
        k = len(labels)
        cell = place[np.arange(n), labels]
        counted = (labels >= first) * w
        flat = (cell + cells * np.arange(k)[:, None]).ravel()
        observed = np.bincount(flat, counted.ravel(), k * cells).reshape(k, cells)
        return ((observed - expected) ** 2 / variance).sum(axis=1)

    measured = float(statistic(np.asarray(y)[None])[0])
    generator = np.random.default_rng(seed)
    upper = np.cumsum(probabilities, axis=1)[:, :-1]
    batch = max(1, _ROWS_AT_ONCE // max(1, n * classes))
    beyond = 0
    for start in range(0, draws, batch):
        uniform = generator.random((min(batch, draws - start), n, 1))
        drawn = statistic((uniform > upper).sum(axis=2))
        beyond += _reached(drawn, measured)
    return (1 + beyond) / (draws + 1)


def grouped_p_value(
    y: np.ndarray,
    probabilities: np.ndarray,
    weight: np.ndarray,
    group: np.ndarray,
    seed: int = 0,
    draws: int = 999,
) -> float:
    """Return the same chance where rows of a group may come true together.

    Both distributions must find T large, since the second one is exact for many groups alone.

    Args:
        y: (n,) class numbers.
        probabilities: (n, C).
        weight: (n,) sample weights, which must not depend on the label.
        group: (n,) whole numbers, equal for rows that belong together.
        seed: of the drawn labels and factors.
        draws: how many of each.
    """
    classes = probabilities.shape[1]
    first = _first(classes)
    cells = (classes - first) * BINS
    # Many groups are put together at random: what is independent stays so.
    tally = by_unit(weight, group, max(200, min(5_000, _HELD // cells)), seed)
    parts: list[np.ndarray] = []
    variances: list[np.ndarray] = []
    for c in range(first, classes):
        p = probabilities[:, c]
        place = equal_bins(p)
        parts.append(tally.table(place, BINS, (y == c) - p))
        variances.append(np.bincount(place, weight**2 * p * (1 - p), BINS))
    sums = np.concatenate(parts, axis=1)  # (groups, cells)
    scale = 1 / np.sqrt(np.concatenate(variances) + _least_variance(weight))
    measured = float(((sums.sum(axis=0) * scale) ** 2).sum())
    generator = np.random.default_rng(seed)
    batch = max(1, _ROWS_AT_ONCE // (tally.groups + cells))
    beyond = 0
    for start in range(0, draws, batch):
        often = generator.random((min(batch, draws - start), tally.groups)) < _OFTEN
        drawn = np.where(often, *_FACTORS) @ sums
        beyond += _reached(((drawn * scale) ** 2).sum(axis=1), measured)
    by_groups = (1 + beyond) / (draws + 1)
    return max(by_groups, calibration_p_value(y, probabilities, weight, seed, draws))


def without_class_factor(
    y: np.ndarray, probabilities: np.ndarray, weight: np.ndarray, factor: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities and weights as they are without factors of the classes.

    Among rows that count by f_c, the probability of class c that is right is

        q_c = f_c p_c / sum_j f_j p_j

    with p_c that of the rows as they come, so p_c is q_c / f_c over its sum. A row's weight goes
    with the label that it has, and labels that are drawn would need those of their own.

    Args:
        y: (n,) class numbers.
        probabilities: (n, C) of the weighted rows.
        weight: (n,) weights with the factors.
        factor: (C,) at least 0; rows of classes that count nothing are left out.
    """
    counted = factor > 0
    divided = np.where(counted, factor, 1.0)
    p = np.where(counted, probabilities / divided, 0.0)
    p /= np.maximum(p.sum(axis=1, keepdims=True), 1e-300)
    return p, np.where(counted[y], weight / divided[y], 0.0)


def _first(classes: int) -> int:
    """Return the first class that is looked at: of two the second one says all."""
    return 1 if classes == 2 else 0


def _least_variance(weight: np.ndarray) -> float:
    return 0.25 * float((weight**2).mean())


def _reached(drawn: np.ndarray, measured: float) -> int:
    return int((drawn >= measured - 1e-9 * abs(measured)).sum())
