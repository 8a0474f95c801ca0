"""Intervals: how far a figure may be from what more rows of the same kind would give.

All are 95 % intervals over the choice of rows; the model is held as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from deepwell.records import Estimate

from ._metrics import Metric
from .metrics._error import error
from .metrics._tally import Tally, weights

_NORMAL = NormalDist()
_Z = _NORMAL.inv_cdf(0.975)
_RESAMPLES = 2_000  # the ends then vary by a few per cent of the interval from seed to seed
_GROUPS = 5_000
_CELLS = 4_000_000  # numbers held at a time

Statistic = Callable[[np.ndarray], np.ndarray]


def wilson(errors: float, n: float) -> Estimate:
    """Return the error rate of `errors` among `n` rows with Wilson's score interval.

    The ends solve |p - errors/n| = z sqrt(p (1 - p) / n); unlike the textbook interval it holds
    its 95 % near 0 and 1 and for few rows (Wilson 1927, JASA 22; Brown, Cai and DasGupta 2001,
    Statistical Science 16).

    >>> e = wilson(0, 100)
    >>> round(e.value, 3), round(e.low, 3), round(e.high, 3)
    (0.0, 0.0, 0.037)

    Args:
        errors: rows that are wrong, 0 to n; a fraction when rows count by weight.
        n: rows, above 0.
    """
    rate = errors / n
    center = (rate + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * math.sqrt(rate * (1 - rate) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
    low = 0.0 if errors <= 0 else max(0.0, center - half)
    high = 1.0 if errors >= n else min(1.0, center + half)
    return Estimate(rate, low, high)


def estimate(
    metric: Metric,
    y: np.ndarray,
    prediction: np.ndarray,
    weight: np.ndarray | None = None,
    seed: int = 0,
    group: np.ndarray | None = None,
) -> Estimate:
    """Return the score of `prediction` with its interval.

    Wilson's interval for the error rate of rows that count alike, the bootstrap else.

    Args:
        metric: what is measured.
        y: (n,) targets.
        prediction: (n, C) probabilities or (n,) values in the target's unit.
        weight: (n,) sample weights, at least 0; None means 1 for every row.
        seed: of the resampling.
        group: (n,) whole numbers; rows of one number, as of one patient, are resampled together.
            None takes each row as one of its own.

    Returns:
        The estimate; infinite when a prediction is not finite, NaN where the rows do not define
        the metric.
    """
    if not np.isfinite(prediction).all():
        return Estimate(math.inf, math.inf, math.inf)
    if metric is error and _alike(weight) and _single(group):
        return wilson(float((prediction.argmax(axis=1) != y).sum()), len(y))
    return bootstrap(metric, y, prediction, weight, seed, group)


def bootstrap(
    metric: Metric,
    y: np.ndarray,
    prediction: np.ndarray,
    weight: np.ndarray | None = None,
    seed: int = 0,
    group: np.ndarray | None = None,
) -> Estimate:
    """Return the score with its bias-corrected and accelerated bootstrap interval.

    2,000 resamples of the rows (Efron 1987, JASA 82). Above 5,000 rows, random groups of rows are
    resampled instead, which gives the same interval to a per cent or two in a bounded time. Where
    no resample differs because the score is perfect, or as bad as can be, the interval is
    Wilson's for as many rows as the classes allow, rather than empty. Groups that belong together
    are often few, so their interval is widened for that (`widened`).

    Args:
        metric: what is measured.
        y: (n,) targets.
        prediction: (n, C) probabilities or (n,) values in the target's unit, all finite.
        weight: (n,) sample weights, at least 0; None means 1 for every row.
        seed: of the resampling.
        group: (n,) whole numbers; rows of one number, as of one patient, are resampled together.
            None takes each row as one of its own.
    """
    generator = np.random.default_rng(seed)
    tally = grouped(prediction, weight, generator, group)
    sums = metric.sums(y, prediction, tally)
    found = resampled_groups(sums, metric.combine, generator)
    if metric.bounded and found.low == found.high and found.value in (0.0, 1.0):
        rows = _independent_rows(y, weights(len(y), weight))
        rows = rows if group is None else min(rows, tally.groups)
        return wilson(found.value * rows, rows)
    most = 1.0 if metric.bounded else math.inf
    return found if group is None else widened(found, tally.groups, 0.0, most)


def paired_difference(
    metric: Metric,
    y: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    weight: np.ndarray | None = None,
    seed: int = 0,
    group: np.ndarray | None = None,
) -> Estimate:
    """Return score(first) - score(second) of two models on the same rows, with its interval.

    What both get wrong cancels, so it is narrower than the two models' own intervals suggest. For
    error rates of rows that count alike: with b and c rows that only the first, only the second
    has wrong, Wald's interval after adding 1/2 to each of the four cells (Agresti and Min 2005,
    Statistics in Medicine 24). The bootstrap of the difference else.

    Args:
        metric: what is measured.
        y: (n,) targets.
        first: predictions of the first model, all finite.
        second: predictions of the second model, all finite.
        weight: (n,) sample weights, at least 0; None means 1 for every row.
        seed: of the resampling.
        group: (n,) whole numbers; rows of one number, as of one patient, are resampled together.
            None takes each row as one of its own.

    Returns:
        The difference; below 0 where the first model is better.
    """
    if metric is error and _alike(weight) and _single(group):
        wrong_first, wrong_second = first.argmax(axis=1) != y, second.argmax(axis=1) != y
        only_first = int((wrong_first & ~wrong_second).sum())
        only_second = int((wrong_second & ~wrong_first).sum())
        return _matched(only_first, only_second, len(y))
    generator = np.random.default_rng(seed)
    tally = grouped(second, weight, generator, group)
    sums = np.concatenate([metric.sums(y, p, tally) for p in (first, second)], axis=-1)
    half = sums.shape[-1] // 2
    found = resampled_groups(
        sums, lambda s: metric.combine(s[..., :half]) - metric.combine(s[..., half:]), generator
    )
    most = 1.0 if metric.bounded else math.inf
    return found if group is None else widened(found, tally.groups, -most, most)


def unpaired_difference(first: Estimate, second: Estimate) -> Estimate:
    """Return first - second of figures from different rows, with its interval.

    Each end takes the distances of the two figures from the ends that pull that way, added as
    squares, so that skewed intervals stay skewed (Newcombe 1998, Statistics in Medicine 17; Zou
    and Donner 2008, ibid. 27).

    >>> gap = unpaired_difference(wilson(22, 200), wilson(6, 600))
    >>> f"{gap.value:.3f} [{gap.low:.3f}, {gap.high:.3f}]"
    '0.100 [0.062, 0.151]'
    """
    value = first.value - second.value
    down = math.hypot(first.value - first.low, second.high - second.value)
    up = math.hypot(first.high - first.value, second.value - second.low)
    return Estimate(value, value - down, value + up)


def widened(found: Estimate, groups: int, least: float, most: float) -> Estimate:
    """Return a bootstrap's interval made wider for few groups.

    The bootstrap takes the groups for all there are: its variance is (G - 1) / G of what it should
    be, and the variance itself is estimated, which is what Student's t is for. One group leaves no
    idea of the spread.

    Args:
        found: of resampled groups.
        groups: G.
        least: the least that the figure may be.
        most: the most that it may be.
    """
    if not math.isfinite(found.value):
        return found
    if groups < 2:
        return Estimate(found.value, least, most)
    low, high = (found.value + for_few(groups) * (e - found.value) for e in (found.low, found.high))
    return Estimate(found.value, max(least, low), min(most, high))


def for_few(groups: int) -> float:
    """Return the factor of `widened`: sqrt(G / (G - 1)) t(G - 1) / z.

    >>> [round(for_few(groups), 2) for groups in (2, 5, 20, 1_000)]
    [9.17, 1.58, 1.1, 1.0]
    """
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    freedom = max(1, groups - 1)
    return float(stdtrit(freedom, 0.975)) / _Z * math.sqrt(groups / freedom)


def _alike(weight: np.ndarray | None) -> bool:
    """Whether all rows count the same."""
    return weight is None or bool(np.ptp(weight) == 0)


def _single(group: np.ndarray | None) -> bool:
    """Whether no two rows belong together."""
    return group is None or len(np.unique(group)) == len(group)


def _matched(only_first: int, only_second: int, n: int) -> Estimate:
    b, c, rows = only_first + 0.5, only_second + 0.5, n + 2
    center = (b - c) / rows
    half = _Z * math.sqrt((b + c) - (b - c) ** 2 / rows) / rows
    value = (only_first - only_second) / n
    return Estimate(value, max(-1.0, center - half), min(1.0, center + half))


def grouped(
    prediction: np.ndarray,
    weight: np.ndarray | None,
    generator: np.random.Generator,
    group: np.ndarray | None = None,
) -> Tally:
    """Return the tally whose groups are resampled: single rows, or random groups of many rows.

    Args:
        prediction: (n, C) or (n,); only its shape counts.
        weight: (n,) sample weights; None means 1 for every row.
        generator: of random groups.
        group: (n,) whole numbers, equal for rows that stay together; None for rows of their own.
    """
    together = np.arange(len(prediction))
    if group is not None:
        together = np.unique(group, return_inverse=True)[1]
    n = int(together.max()) + 1
    classes = prediction.shape[1] if prediction.ndim == 2 else 1
    groups = min(n, _GROUPS, max(200, _CELLS // (8 * classes)))
    into = np.arange(n) if groups == n else generator.permutation(n) % groups
    return Tally(weights(len(prediction), weight), into[together], groups)


def resampled_groups(
    sums: np.ndarray, statistic: Statistic, generator: np.random.Generator
) -> Estimate:
    """Return the statistic of the (m, k) sums with its BCa interval over resampled groups.

    Args:
        sums: of each group of rows.
        statistic: (..., k) sums over groups -> (...) figures.
        generator: of the resampling.
    """
    total = sums.sum(axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        value = float(statistic(total))
        draws = _resampled(sums, statistic, generator)
        left_out = statistic(total - sums)
    draws, left_out = draws[np.isfinite(draws)], left_out[np.isfinite(left_out)]
    if not math.isfinite(value) or len(draws) == 0:
        return Estimate(value, value, value)
    below = (np.sum(draws < value) + 0.5 * np.sum(draws == value)) / len(draws)
    least = 0.5 / len(draws)
    bias = _NORMAL.inv_cdf(min(max(float(below), least), 1 - least))
    acceleration = _acceleration(left_out)
    shares = [_corrected_share(bias, acceleration, z) for z in (-_Z, _Z)]
    low, high = (float(q) for q in np.quantile(draws, shares))
    return Estimate(value, min(low, value), max(high, value))


def _resampled(
    sums: np.ndarray, statistic: Statistic, generator: np.random.Generator
) -> np.ndarray:
    """Return the statistic of as many resamples of the groups, drawn with replacement."""
    groups = len(sums)
    batch = max(1, min(_RESAMPLES, _CELLS // groups))
    found: list[np.ndarray] = []
    for start in range(0, _RESAMPLES, batch):
        size = min(batch, _RESAMPLES - start)
        drawn = generator.integers(groups, size=(size, groups))
        drawn += groups * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * groups).reshape(size, groups)
        found.append(statistic(counts.astype(np.float64) @ sums))
    return np.concatenate(found)


def _acceleration(left_out: np.ndarray) -> float:
    """Return a sixth of the skewness of the jackknife's influences."""
    away = left_out.mean() - left_out if len(left_out) else left_out
    spread = float((away**2).sum())
    if spread == 0 or not math.isfinite(spread):
        return 0.0
    return float((away**3).sum()) / (6 * spread**1.5)


def _corrected_share(bias: float, acceleration: float, z: float) -> float:
    """Return the share of resamples below an end: alpha after both corrections."""
    shifted = bias + z
    return _NORMAL.cdf(bias + shifted / max(1 - acceleration * shifted, 0.1))


def _independent_rows(y: np.ndarray, weight: np.ndarray) -> float:
    """Return how many rows a perfect score of per-class rates rests on, on the safe side.

    With n_c effective rows of class c (Kish: squared sum of weights over sum of squares) an
    average over C classes has the variance of C^2 / sum(1 / n_c) rows; we take a quarter, which
    is exact for a contrast of two classes.
    """
    count, squares = np.bincount(y, weights=weight), np.bincount(y, weights=weight**2)
    present = count > 0
    shares = squares[present] / count[present] ** 2
    return float(max(1.0, 0.25 * len(shares) ** 2 / shares.sum()))
