"""What rows with the same inputs and different targets say about the best possible score.

No function of the inputs is right about both of two rows that agree in all inputs and differ in
the target, so such rows bound from below what any model can reach. Rows that occur once say
nothing, and count as if they could be predicted without error.

The bound uses only how often two rows of the same inputs differ, d, which is unbiased for any
number of rows. With e the error rate of the best answer for an input and C classes,

    d <= 1 - (1 - e)^2 - e^2 / (C - 1)

which is concave in e, so that the mean over inputs obeys it too (Jensen): it gives the least e of a
d. Likewise the entropy is at least -ln(1 - d), or 2 ln(2) d for two classes, E|y - median| at least
half of E|y - y'|, and the mean squared error at least half of E(y - y')^2, the variance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepwell.records import Estimate, Finding

from ._best_possible import Floor
from ._intervals import resampled_groups, wilson
from ._metrics import METRICS, Metric
from ._texts import change_text, figure_text

SOURCE = "rows with the same inputs"
_LEAST_GROUPS = 30.0  # inputs that repeat, counted as equal ones, below which nothing is claimed
_FEW = 10.0  # differing groups, below which the bootstrap's ends are not to be trusted
_MOST_GROUPS = 500  # that are resampled; more are put together at random
_FACTORS = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class RepeatedRows:
    """Rows that share their inputs with others.

    Attributes:
        rows: that were looked at.
        repeated: of them, those whose inputs come at least twice.
        groups: different inputs among the repeated rows.
        differing: share of pairs of rows of the same inputs whose targets differ, rows counted
            alike; None for numbers.
        floor: the score below which nothing gets on rows like these; None where too few inputs
            repeat, or the metric has no such bound.
    """

    rows: int
    repeated: int
    groups: int
    differing: float | None
    floor: Estimate | None


def repeated_rows(metric: Metric, x: np.ndarray, y: np.ndarray, classes: int = 0) -> RepeatedRows:
    """Return what rows with the same inputs bound.

    Args:
        metric: whose best possible score is asked for.
        x: (n, D) inputs as the network sees them.
        y: (n,) class indices, or values in the target's unit.
        classes: C; 0 for regression.
    """
    group, size = _groups_of(x)
    repeats = size[group] > 1
    _, group = np.unique(group[repeats], return_inverse=True)
    rows, total = len(y), 0.0 if classes or not len(y) else float(y.var(dtype=np.float64))
    y = y[repeats]
    size = np.bincount(group) if len(group) else np.zeros(0, dtype=np.int64)
    share = len(y) / max(1, rows)
    effective = len(y) ** 2 / float((size.astype(np.float64) ** 2).sum()) if len(y) else 0.0
    enough = effective >= _LEAST_GROUPS
    if classes:
        apart = _differing_pairs(group, size, y, classes)
        mean = float(size @ apart) / len(y) if len(y) else math.nan
        least = _OF_CLASSES.get(metric.name)
        floor = None
        if enough and least is not None:
            ends = _mean_with_ends(apart, size, effective)
            floor = Estimate(*(share * least(end, classes) for end in ends))
        return RepeatedRows(rows, len(y), len(size), mean if len(y) else None, floor)
    floor = _floor_of_numbers(metric, group, size, y, (share, total)) if enough else None
    return RepeatedRows(rows, len(y), len(size), None, floor)


def diagnose_repeated_rows(metric: str, found: RepeatedRows) -> list[Finding]:
    """Return DW117 about a floor that repeated rows show, or DW118 where they are too few.

    Nothing is said where no row repeats, or where the metric has no such bound.
    """
    told = METRICS[metric]
    evidence: dict[str, object] = {
        "metric": metric,
        "rows": found.rows,
        "repeated_rows": found.repeated,
        "inputs": found.groups,
        "differing": found.differing,
        "floor": None if found.floor is None else found.floor.to_plain(),
    }
    if found.repeated == 0 or (told.name not in _OF_CLASSES and told.name not in _OF_NUMBERS):
        return []
    share = f"{found.repeated:,} of {found.rows:,} rows share their inputs with another"
    if found.floor is None:
        claim = "too few rows share their inputs to bound the best possible score"
        inputs = f"{found.groups:,} different inputs, of which some {_LEAST_GROUPS:.0f} are needed"
        return [Finding("DW118", "unsure", claim, f"{share}, with {inputs}", evidence)]
    least = figure_text(found.floor.value, told.percent)
    if not found.floor.low > 0:
        most = figure_text(found.floor.high, told.percent)
        claim = "no floor seen in rows with the same inputs"
        return [Finding("DW117", "ok", claim, f"{share}; it is at most {most}", evidence)]
    ends = change_text(found.floor, told.percent)
    claim = f"no model gets below {told.label} {least} {ends[ends.find('[') :]} on rows like these"
    detail = f"{share} and differ in the target; columns that are left out may tell them apart"
    return [Finding("DW117", "ok", claim, detail, evidence)]


def floor_of(found: RepeatedRows) -> Floor | None:
    """Return the floor as a bound of the best possible score; None where there is none above 0."""
    if found.floor is None or not found.floor.low > 0:
        return None
    return Floor(found.floor, SOURCE)


def _groups_of(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row the number of its inputs, and how many rows each has."""
    bits = np.ascontiguousarray(x, dtype=np.float32) + np.float32(0.0)  # -0 is 0
    words = bits.view(np.uint32).reshape(len(x), -1).astype(np.uint64)
    factors = np.random.default_rng(0).integers(1, 2**63, size=words.shape[1], dtype=np.uint64)
    with np.errstate(over="ignore"):
        key = ((words + _FACTORS) * (factors * np.uint64(2) + np.uint64(1))).sum(axis=1)
        key ^= key >> np.uint64(29)
    _, group, size = np.unique(key, return_inverse=True, return_counts=True)
    return group, size


def _differing_pairs(
    group: np.ndarray, size: np.ndarray, y: np.ndarray, classes: int
) -> np.ndarray:
    """Return for each group the share of its pairs of rows whose classes differ."""
    pair, count = np.unique(group * classes + y, return_counts=True)
    same = np.bincount(pair // classes, weights=count * (count - 1.0), minlength=len(size))
    return 1.0 - same / (size * (size - 1.0))


def _mean_with_ends(
    values: np.ndarray, size: np.ndarray, effective: float
) -> tuple[float, float, float]:
    """Return the mean over rows of a share that each group has, with its interval over groups.

    Wilson's for as many groups where few of them differ, since a mean of values in [0, 1] varies
    at most as a rate does; the bootstrap of the groups else.
    """
    mean = float(size @ values) / float(size.sum())
    if mean * effective < _FEW:
        found = wilson(mean * effective, effective)
        return found.value, found.low, found.high
    found = _resampled(values, size, lambda s: s[..., 0] / s[..., 1])
    return found.value, max(0.0, found.low), min(1.0, found.high)


def _resampled(
    values: np.ndarray, size: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray]
) -> Estimate:
    parts = (values * size, size.astype(np.float64))
    merged = np.random.default_rng(0).permutation(len(size)) % _MOST_GROUPS
    sums = np.stack([np.bincount(merged, weights=part) for part in parts], axis=-1)
    return resampled_groups(sums, statistic, np.random.default_rng(0))


def _floor_of_numbers(
    metric: Metric,
    group: np.ndarray,
    size: np.ndarray,
    y: np.ndarray,
    whole: tuple[float, float],
) -> Estimate | None:
    """Return the floor of the repeated rows' share of all rows, and of the variance of all."""
    measure = _OF_NUMBERS.get(metric.name)
    if measure is None:
        return None
    (each, finish), (share, total) = measure, whole
    spread = each(group, size, y.astype(np.float64))

    def score(s: np.ndarray) -> np.ndarray:
        return finish(share * s[..., 0] / s[..., 1], total)

    return _resampled(spread, size, score)


def _least_error(differing: float, classes: int) -> float:
    """Return the least error rate of the best answer where so many pairs differ."""
    # (1 + 1/(C - 1)) e^2 - 2 e + d = 0
    square = classes / (classes - 1.0)
    root = math.sqrt(max(0.0, 1.0 - square * min(differing, 1.0)))
    return (1.0 - root) / square


def _least_entropy(differing: float, classes: int) -> float:
    if classes == 2:
        return 2 * math.log(2) * min(differing, 0.5)
    return -math.log(max(1.0 - differing, 1.0 / classes))


def _variances(group: np.ndarray, size: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the unbiased variance of each group."""
    mean = np.bincount(group, weights=y) / size
    return np.bincount(group, weights=(y - mean[group]) ** 2) / (size - 1)


def _half_distances(group: np.ndarray, size: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return half the mean distance of two rows of each group: sum (2 i - n - 1) y_(i)."""
    order = np.lexsort((y, group))
    start = np.concatenate([[0], np.cumsum(size)[:-1]])
    place = np.arange(len(y)) - start[group[order]] + 1
    signed = (2.0 * place - size[group[order]] - 1.0) * y[order]
    total = np.bincount(group[order], weights=signed, minlength=len(size))
    return total / (size * (size - 1.0))


Spread = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
Finish = Callable[[np.ndarray, float], np.ndarray]

_OF_CLASSES: dict[str, Callable[[float, int], float]] = {
    "error": _least_error,
    "log_loss": _least_entropy,
}
_OF_NUMBERS: dict[str, tuple[Spread, Finish]] = {
    "rmse": (_variances, lambda mean, _: np.sqrt(mean)),
    "mae": (_half_distances, lambda mean, _: mean),
    "r2": (_variances, lambda mean, total: mean / total if total > 0 else mean * 0.0),
}
