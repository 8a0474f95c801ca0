"""Calibration: whether rows that are said to be right with 80 % are right in 80 % of cases.

Bins hold equal counts of rows, and every share has Wilson's interval. The calibration error is
debiased (Kumar, Liang and Ma 2019, NeurIPS 32): the squared distance of share and mean
probability in a bin, less what chance alone puts there. Whether it is chance is tested by
consistency resampling (Broecker and Smith 2007, Weather and Forecasting 22): if the probabilities
are right, labels drawn from them are as good as the true ones, so the true labels' statistic has
an even chance of any rank among those of drawn labels, for any number of rows and classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from deepwell.records import Estimate

from ._intervals import wilson
from .metrics._tally import weights

BINS = 10
_LEAST_IN_BIN = 10
_ROWS_AT_ONCE = 2_000_000
_Z = 1.959963984540054


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows that were given like probabilities.

    Attributes:
        rows: how many.
        said: their mean probability.
        share: of them where it came true, with its interval.
    """

    rows: int
    said: float
    share: Estimate

    def to_plain(self) -> dict[str, object]:
        """Return the bin for JSON."""
        return {"rows": self.rows, "said": self.said, "share": self.share.to_plain()}


@dataclass(frozen=True)
class BrierParts:
    """The Brier score and its parts: reliability - resolution + uncertainty + rest.

    Attributes:
        score: mean squared distance of probabilities and truth, summed over classes (over one of
            two classes), lower is better (Brier 1950, Monthly Weather Review 78).
        reliability: what miscalibration costs, 0 is perfect (Murphy 1973, Journal of Applied
            Meteorology 12).
        resolution: what telling rows apart gains.
        uncertainty: the score of the class shares as a constant guess.
        rest: what is left within bins (Stephenson, Coelho and Jolliffe 2008, Weather and
            Forecasting 23), so that the sum is exact.
    """

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    rest: float

    def to_plain(self) -> dict[str, float]:
        """Return the parts for JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class Calibration:
    """How far probabilities are right.

    Attributes:
        rows: how many they were compared on.
        bins: of two classes by the probability of the second one, of more by the probability of
            the class that is said; lowest first.
        right: share of rows where the class that is said is the true one.
        gap: mean probability of the class that is said, less the share of rows where it is right;
            above 0 for an overconfident model.
        error: debiased root mean squared calibration error of these bins, 0 to 1.
        by_class: the same of each class's probability.
        p_value: chance of probabilities as far off as these if they are right, all classes
            together.
        brier: the Brier score and its parts.
    """

    rows: int
    bins: tuple[ReliabilityBin, ...]
    right: float
    gap: Estimate
    error: float
    by_class: tuple[float, ...]
    p_value: float
    brier: BrierParts

    def to_plain(self) -> dict[str, object]:
        """Return the calibration for JSON."""
        return {
            "rows": self.rows,
            "bins": [one.to_plain() for one in self.bins],
            "right": self.right,
            "gap": self.gap.to_plain(),
            "error": self.error,
            "by_class": list(self.by_class),
            "p_value": self.p_value,
            "brier": self.brier.to_plain(),
        }


def calibration(
    y: np.ndarray,
    probabilities: np.ndarray,
    weight: np.ndarray | None = None,
    seed: int = 0,
    draws: int = 999,
) -> Calibration:
    """Return how far class probabilities are right.

    Args:
        y: (n,) class numbers from 0.
        probabilities: (n, C), rows summing to 1, C >= 2.
        weight: (n,) sample weights, at least 0; None means 1 for every row.
        seed: of the drawn labels of the test.
        draws: how often labels are drawn; the smallest p-value is 1 / (draws + 1).
    """
    w = weights(len(y), weight)
    said, true = binned_event(y, probabilities)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == y
    return Calibration(
        rows=len(y),
        bins=reliability(said, true, w),
        right=float(np.average(right, weights=w)),
        gap=_mean(confidence - right, w),
        error=calibration_error(said, true, w),
        by_class=tuple(
            calibration_error(probabilities[:, c], y == c, w) for c in range(probabilities.shape[1])
        ),
        p_value=calibration_p_value(y, probabilities, w, seed, draws),
        brier=brier(y, probabilities, w),
    )


def binned_event(y: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability that is compared, (n,), and whether it came true, (n,).

    Of two classes the second one's; of more that of the class that is said.
    """
    if probabilities.shape[1] == 2:
        return probabilities[:, 1], y == 1
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == y


def reliability(
    said: np.ndarray, true: np.ndarray, weight: np.ndarray | None = None, bins: int = BINS
) -> tuple[ReliabilityBin, ...]:
    """Return equally filled bins of probabilities, lowest first; fewer where rows are few.

    Args:
        said: (n,) probabilities.
        true: (n,) whether it came true.
        weight: (n,) sample weights.
        bins: at most so many.
    """
    w = weights(len(said), weight)
    place = _places(said, bins)
    found: list[ReliabilityBin] = []
    for one in np.unique(place):
        inside = (place == one) & (w > 0)
        if inside.any():
            mine = w[inside]
            share = weighted_share(float(mine[true[inside]].sum()), mine)
            mean = float(np.average(said[inside], weights=mine))
            found.append(ReliabilityBin(int(inside.sum()), mean, share))
    return tuple(found)


def weighted_share(part: float, weight: np.ndarray) -> Estimate:
    """Return a weighted share with Wilson's interval for the effective number of rows (Kish).

    Args:
        part: sum of the weights of the rows that count as hits.
        weight: (n,) of all rows.
    """
    total = float(weight.sum())
    if total <= 0:
        return Estimate(math.nan, math.nan, math.nan)
    effective = total**2 / float((weight**2).sum())
    rate = min(1.0, part / total)
    return wilson(rate * effective, effective)


def calibration_error(
    said: np.ndarray, true: np.ndarray, weight: np.ndarray | None = None, bins: int = BINS
) -> float:
    """Return the debiased root mean squared calibration error.

        sqrt(max(0, sum_b w_b ((share_b - said_b)^2 - share_b (1 - share_b) / (n_b - 1))))

    Args:
        said: (n,) probabilities.
        true: (n,) whether it came true.
        weight: (n,) sample weights.
        bins: at most so many, equally filled.
    """
    w = weights(len(said), weight)
    place = _places(said, bins)
    count = int(place.max()) + 1
    total = np.bincount(place, w, count)
    some = total > 0
    filled = np.where(some, total, 1.0)
    share = np.bincount(place, w * true, count) / filled
    mean = np.bincount(place, w * said, count) / filled
    effective = total**2 / np.maximum(np.bincount(place, w**2, count), 1e-300)
    chance = share * (1 - share) / np.maximum(effective - 1, 1.0)
    squared = float((total[some] * ((share - mean) ** 2 - chance)[some]).sum() / w.sum())
    return math.sqrt(max(0.0, squared))


def calibration_p_value(
    y: np.ndarray,
    probabilities: np.ndarray,
    weight: np.ndarray | None = None,
    seed: int = 0,
    draws: int = 999,
) -> float:
    """Return the chance that right probabilities look as wrong as these.

    The statistic sums over classes (the second of two) and bins the squared excess of true rows
    over what was said, in units of its variance:

        T = sum_c sum_b (sum_i w_i (1[y_i = c] - p_ic))^2 / (sum_i w_i^2 p_ic (1 - p_ic) + w^2 / 4)

    Its distribution under right probabilities comes from labels drawn from them, so the size is
    exact: p <= a in at most a share a of such cases.

    Args:
        y: (n,) class numbers.
        probabilities: (n, C).
        weight: (n,) sample weights.
        seed: of the drawn labels.
        draws: how many sets of labels.
    """
    n, classes = probabilities.shape
    w = weights(n, weight)
    first = 1 if classes == 2 else 0
    place = np.zeros((n, classes), np.intp)
    for c in range(first, classes):
        place[:, c] = c * BINS + _places(probabilities[:, c], BINS)
    cells = classes * BINS
    used = place[:, first:].ravel()
    p, wide = probabilities[:, first:].ravel(), np.repeat(w, classes - first)
    expected = np.bincount(used, wide * p, cells)
    variance = np.bincount(used, wide**2 * p * (1 - p), cells) + 0.25 * float((w**2).mean())

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
        beyond += int((drawn >= measured - 1e-9 * abs(measured)).sum())
    return (1 + beyond) / (draws + 1)


def brier(y: np.ndarray, probabilities: np.ndarray, weight: np.ndarray | None = None) -> BrierParts:
    """Return the Brier score with its parts, over equally filled bins of each class.

    Args:
        y: (n,) class numbers.
        probabilities: (n, C).
        weight: (n,) sample weights.
    """
    w = weights(len(y), weight)
    w = w / w.sum()
    classes = probabilities.shape[1]
    sums = np.zeros(4)
    for c in range(1 if classes == 2 else 0, classes):
        said, true = probabilities[:, c], (y == c).astype(np.float64)
        place = _places(said, BINS)
        total = np.bincount(place, w)
        filled = np.where(total > 0, total, 1.0)
        share = np.bincount(place, w * true) / filled
        mean = np.bincount(place, w * said) / filled
        base = float(w @ true)
        sums += (
            float(w @ (said - true) ** 2),
            float(total @ (mean - share) ** 2),
            float(total @ (share - base) ** 2),
            base * (1 - base),
        )
    score, reliable, resolved, uncertain = (float(s) for s in sums)
    return BrierParts(score, reliable, resolved, uncertain, score - reliable + resolved - uncertain)


def _places(said: np.ndarray, bins: int) -> np.ndarray:
    """Return the bin of each probability: bounds at quantiles, equal values together."""
    wanted = max(1, min(bins, len(said) // _LEAST_IN_BIN))
    bounds = np.quantile(said, np.linspace(0, 1, wanted + 1)[1:-1])
    return np.searchsorted(bounds, said)


def _mean(values: np.ndarray, weight: np.ndarray) -> Estimate:
    """Return a weighted mean with its normal interval."""
    total = float(weight.sum())
    mean = float(weight @ values) / total
    half = _Z * math.sqrt(float((weight**2) @ (values - mean) ** 2)) / total
    return Estimate(mean, mean - half, mean + half)
