"""Are rows of one group, or of neighboring times, alike beyond what their inputs say?

If so, a split that parts them lets a model recognize a dev row's kin among the train rows, and
the dev score is too good for rows of new groups, or of the future. Measured on the residuals of
a ridge regression of the target on the inputs, of the train rows: for groups the intraclass
correlation

    (B - W) / (B + (k - 1) W)

with the mean squares B between and W within groups of k rows in the mean (Fisher 1925), for times
the correlation of each residual with the next one's. The p-value comes from residuals dealt out
anew, drawn until 10 are as alike, at most 399 times (Besag and Clifford 1991).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deepwell.records import Straddling

_PENALTY = 0.01
_WIDEST = 500
_PRODUCTS = 2e8
_LEAST_FITTED = 2_000
_MOST_ROWS = 10_000
_SHUFFLES, _REACHED = 399, 10
_LEAST_ROWS = 40


def straddling_groups(
    name: str, codes: np.ndarray, dev: np.ndarray, residuals: np.ndarray, seed: int
) -> Straddling | None:
    """Return how a column's groups lie across the split, None where hardly any has two rows.

    Args:
        name: of the column.
        codes: (n,) number of each row's group, -1 for none.
        dev: (n,) whether a row is a dev row, else it is a train row.
        residuals: (m, K) of the train rows, in their order; NaN for rows that do not count, such
            as copies, which are alike whatever their group.
        seed: of the shuffles.
    """
    in_train, in_dev = (np.unique(codes[part & (codes >= 0)]) for part in (~dev, dev))
    across = np.intersect1d(in_train, in_dev)
    named = (codes[~dev] >= 0) & ~np.isnan(residuals[:, 0])
    groups, left = codes[~dev][named], residuals[named]
    several = np.bincount(groups, minlength=1)[groups] > 1
    if several.sum() > _MOST_ROWS:
        several &= _some_groups(groups, seed)
    groups, left = np.unique(groups[several], return_inverse=True)[1], left[several]
    if len(groups) < _LEAST_ROWS:
        return None
    alike, p_value = _alike(lambda r: within_groups(groups, r), left, seed)
    return Straddling(
        name=name,
        groups=len(np.union1d(in_train, in_dev)),
        straddling=len(across),
        dev_rows=int(np.isin(codes[dev], across).sum()),
        of=int(dev.sum()),
        alike=alike,
        p_value=p_value,
    )


def neighboring_times(
    name: str, times: np.ndarray, dev_rows: int, residuals: np.ndarray, seed: int
) -> Straddling | None:
    """Return how alike rows of neighboring times are, None where there are too few.

    Args:
        name: of the column.
        times: (m,) of the train rows, NaN where blank.
        dev_rows: rows of dev, which lie between them.
        residuals: (m, K) of the train rows, NaN for those that do not count.
        seed: of the shuffles and of the order of equal times.
    """
    shuffled = np.random.default_rng(seed).permutation(len(times))
    order = shuffled[np.argsort(times[shuffled], kind="stable")]
    order = order[~(np.isnan(times) | np.isnan(residuals[:, 0]))[order]]
    first = max(0, len(order) - _MOST_ROWS) // 2
    order = order[first : first + _MOST_ROWS]
    if len(order) < _LEAST_ROWS:
        return None
    alike, p_value = _alike(_neighbors, residuals[order], seed)
    distinct = len(np.unique(times[order]))
    return Straddling(name, distinct, distinct, dev_rows, dev_rows, alike, p_value, time=True)


def residuals_of(x: np.ndarray, wanted: np.ndarray, seed: int) -> np.ndarray:
    """Return (n, K) residuals of a ridge regression of `wanted` (n, K) on the inputs (n, D).

    Fitted on a sample where there are more rows than that takes.
    """
    most = int(max(_LEAST_FITTED, _PRODUCTS / max(1, min(_WIDEST, x.shape[1])) ** 2))
    inputs, wanted = x[:, :_WIDEST], wanted - wanted.mean(axis=0)
    fitted, target = inputs, wanted
    if len(x) > most:
        chosen = np.random.default_rng(seed).choice(len(x), most, replace=False)
        fitted, target = inputs[chosen], wanted[chosen]
    fitted = fitted.astype(np.float64)
    moments = fitted.T @ fitted
    moments[np.diag_indices_from(moments)] += _PENALTY * len(fitted) + fitted.shape[1]
    weights = np.linalg.solve(moments, fitted.T @ target)
    return wanted - inputs @ weights.astype(inputs.dtype)


def _some_groups(groups: np.ndarray, seed: int) -> np.ndarray:
    """Return (n,) whether a row's group is among those, drawn at random, that are looked at."""
    counts = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(counts))
    kept = np.zeros(len(counts), bool)
    kept[order[np.cumsum(counts[order]) <= _MOST_ROWS]] = True
    return kept[groups]


def within_groups(groups: np.ndarray, residuals: np.ndarray) -> float:
    """Return the intraclass correlation of residuals (n, K), their columns together.

    Args:
        groups: (n,) numbers from 0 without gaps, each twice or more.
        residuals: of the rows.
    """
    n, counts = len(groups), np.bincount(groups)
    sums = np.stack([np.bincount(groups, column) for column in residuals.T], axis=1)
    middle = residuals.mean(axis=0)
    total = float(((residuals - middle) ** 2).sum())
    between = float((counts[:, None] * (sums / counts[:, None] - middle) ** 2).sum())
    if len(counts) < 2 or n == len(counts) or total <= 0:
        return 0.0
    b, w = between / (len(counts) - 1), (total - between) / (n - len(counts))
    size = (n - float((counts**2).sum()) / n) / (len(counts) - 1)
    return (b - w) / (b + (size - 1) * w)


def _neighbors(residuals: np.ndarray) -> float:
    """Return the correlation of each row's residuals with the next one's."""
    centered = residuals - residuals.mean(axis=0)
    total = float((centered**2).sum())
    return float((centered[1:] * centered[:-1]).sum() / total) if total > 0 else 0.0


def _alike(
    statistic: Callable[[np.ndarray], float], residuals: np.ndarray, seed: int
) -> tuple[float, float]:
    generator = np.random.default_rng(seed)
    observed = statistic(residuals)
    reached = 0
    for drawn in range(1, _SHUFFLES + 1):
        reached += statistic(residuals[generator.permutation(len(residuals))]) >= observed
        if reached == _REACHED:
            return observed, _REACHED / drawn
    return observed, (1 + reached) / (1 + _SHUFFLES)
