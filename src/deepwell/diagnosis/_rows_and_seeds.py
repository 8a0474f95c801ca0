"""Intervals of a mean over rows and over seeds, both of which could have come out otherwise.

Networks of one configuration differ by their seed; all of them are scored on the same rows. With
k seeds and m rows, x[i, j] = mean + seed[i] + row[j] + rest[i, j], all three random: a figure that
counts k * m independent values, or the rows alone, is too sure of itself.
"""

from __future__ import annotations

import math

import numpy as np

from deepwell.records import Estimate

from ._metrics import Metric
from .metrics._tally import Tally, weights

_SHARE = 0.975


def row_scores(
    metric: Metric, y: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None = None
) -> np.ndarray:
    """Return (n,) values whose mean is the score and whose spread says how sure it is.

    For a mean over rows, as the error rate and the log loss are, the rows' own values; for others
    (RMSE, AUC, F1) the jackknife's pseudo-values n score - (n - 1) score without the row (Tukey
    1958), moved so that their mean is the score itself.

    Args:
        metric: what is measured.
        y: (n,) targets.
        prediction: (n, C) probabilities or (n,) values, all finite.
        weight: (n,) sample weights, at least 0; None means 1 for every row.
    """
    n = len(y)
    sums = metric.sums(y, prediction, Tally(weights(n, weight), np.arange(n), n))
    total = sums.sum(axis=0)
    score = float(metric.combine(total))
    without = metric.combine(total - sums)
    away = (n - 1) * (score - np.where(np.isfinite(without), without, score))
    return score + away - away.mean()


def rows_and_seeds(first: np.ndarray, second: np.ndarray | None = None) -> Estimate:
    """Return the mean of `first`, less that of `second`, with its 95 % interval over both.

    The interval's half width h adds what seeds and rows contribute, each with its own quantile of
    Student's t, as squares:

        h^2 = t(k - 1)^2 S^2 / k + sum over blocks of t(m - 1)^2 max(0, MSR - MSE) / (k m)

    with S^2 the variance over seeds of each seed's figure, and MSR and MSE the mean squares of
    rows and of what is left (crossed random effects; the addition of unequal parts is that of
    Burdick and Graybill 1992, Confidence Intervals on Variance Components). For a single seed only
    the rows count. In simulations with 2 to 8 seeds it holds in 94 to 98 % of the cases.

    For a difference of two configurations whose networks share seeds and rows, give the array of
    differences as `first`: what both have in common cancels.

    >>> x = np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 1.0]])
    >>> found = rows_and_seeds(x)
    >>> round(found.value, 3)
    0.625

    Args:
        first: (k, m) values of k seeds on m rows, such as `row_scores`.
        second: (k, n) values of the same seeds, in the same order, on n other rows; None for 0.

    Returns:
        The estimate. Its ends are infinite where one row leaves no idea of the spread.
    """
    blocks = [np.atleast_2d(np.asarray(b, np.float64)) for b in (first, second) if b is not None]
    by_seed = blocks[0].mean(axis=1)
    if len(blocks) == 2:
        by_seed = by_seed - blocks[1].mean(axis=1)
    value, seeds = float(by_seed.mean()), len(by_seed)
    squares = sum(_of_rows(block) for block in blocks)
    if seeds > 1:
        squares += _quantile(seeds - 1) ** 2 * float(by_seed.var(ddof=1)) / seeds
    half = math.sqrt(squares)
    return Estimate(value, value - half, value + half)


def _of_rows(block: np.ndarray) -> float:
    """Return the square of what the choice of rows contributes to the half width."""
    seeds, rows = block.shape
    if rows < 2:
        return math.inf
    mean = block.mean()
    by_row = block.mean(axis=0)
    rows_square = seeds * float(((by_row - mean) ** 2).sum()) / (rows - 1)
    rest_square = 0.0
    if seeds > 1:
        rest = block - block.mean(axis=1, keepdims=True) - by_row + mean
        rest_square = float((rest**2).sum()) / ((seeds - 1) * (rows - 1))
    return _quantile(rows - 1) ** 2 * max(0.0, rows_square - rest_square) / (seeds * rows)


def _quantile(freedom: int) -> float:
    """Return the upper 2.5 % point of Student's t."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    return float(stdtrit(freedom, _SHARE))
