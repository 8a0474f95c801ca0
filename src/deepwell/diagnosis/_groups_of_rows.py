"""Rows that come in groups: what a mean of them is worth where the rows of a group err alike.

Groups are independent, rows within them need not be. The variance of a weighted mean is that of
sums over groups (Liang and Zeger 1986, Biometrika 73):

    var = G / (G - 1) sum_g (sum_(i in g) w_i (v_i - mean))^2 / (sum_i w_i)^2

and a mean over G groups has Student's t with G - 1 degrees of freedom. A share has Wilson's
interval for as many rows as would have this variance if they were independent, and no more than
there are, less what the t takes (Korn and Graubard 1998, Survey Methodology 24).
"""

from __future__ import annotations

import math

import numpy as np

from deepwell.records import Estimate

from ._intervals import wilson

Z = 1.959963984540054


def mean_variance(
    values: np.ndarray, weight: np.ndarray, group: np.ndarray | None = None
) -> tuple[float, int]:
    """Return the variance of a weighted mean over the choice of groups, and how many there are.

    Infinite for one group, which says nothing of others.

    Args:
        values: (n,).
        weight: (n,) at least 0, with a sum above 0.
        group: (n,) whole numbers; None takes each row as one of its own, without G / (G - 1).
    """
    total = float(weight.sum())
    away = weight * (values - float(weight @ values) / total)
    if group is None:
        return float(away @ away) / total**2, len(values)
    counted = weight > 0
    sums = np.bincount(np.unique(group[counted], return_inverse=True)[1], away[counted])
    if len(sums) < 2:
        return math.inf, len(sums)
    return len(sums) / (len(sums) - 1) * float(sums @ sums) / total**2, len(sums)


def weighted_share(
    hit: np.ndarray, weight: np.ndarray, group: np.ndarray | None = None
) -> Estimate:
    """Return a weighted share with Wilson's interval for the effective number of rows.

    Args:
        hit: (n,) whether a row counts.
        weight: (n,) of the rows.
        group: (n,) whole numbers, equal for rows that belong together; None for rows of their own.
    """
    total = float(weight.sum())
    if total <= 0:
        return Estimate(math.nan, math.nan, math.nan)
    rate = min(1.0, float(weight[hit].sum()) / total)
    rows = effective_rows(hit, weight, group)
    return wilson(rate * rows, rows) if rows > 0 else Estimate(rate, 0.0, 1.0)


def effective_rows(hit: np.ndarray, weight: np.ndarray, group: np.ndarray | None = None) -> float:
    """Return how many independent rows of one weight tell as much of a share; 0 for one group.

    Without groups by the weights alone (Kish). Where all groups agree on all of their rows, as at
    a share of 0, each counts as a row.

    Args:
        hit: (n,) whether a row counts.
        weight: (n,) at least 0, with a sum above 0.
        group: (n,) whole numbers; None for rows of their own.
    """
    total = float(weight.sum())
    rows = total**2 / float((weight**2).sum())
    if group is None:
        return rows
    variance, groups = mean_variance(hit.astype(np.float64), weight, group)
    if groups < 2:
        return 0.0
    rate = float(weight[hit].sum()) / total
    if 0 < rate < 1:
        rows = min(rows, rate * (1 - rate) / variance) if variance > 0 else rows
    else:
        rows = min(rows, float(groups))
    return rows * (Z / reach(groups)) ** 2


def reach(groups: int) -> float:
    """Return how many standard errors a 95 % interval of a mean over groups reaches.

    >>> [round(reach(groups), 2) for groups in (2, 5, 20, 1_000)]
    [12.71, 2.78, 2.09, 1.96]
    """
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    return float(stdtrit(max(1, groups - 1), 0.975))


def tail(statistic: float, groups: int) -> float:
    """Return the chance of a figure in units of its standard error, over groups, or a larger one.

    >>> round(tail(2.0, 10), 3), round(tail(2.0, 100_000), 3)
    (0.038, 0.023)
    """
    from scipy.special import stdtr  # type: ignore[import-untyped]

    return float(stdtr(max(1, groups - 1), -statistic))


def as_normal(statistic: float, groups: int) -> float:
    """Return the figure of a normal distribution that is as rare as one of Student's t.

    >>> round(as_normal(4.0, 5), 2)
    2.41
    """
    from scipy.special import ndtri  # type: ignore[import-untyped]

    return -float(ndtri(max(tail(statistic, groups), 1e-300)))
