"""Calibration: whether rows that are said to be right with 80 % are right in 80 % of cases.

Bins hold equal counts of rows, and every share has Wilson's interval. The calibration error is
debiased (Kumar, Liang and Ma 2019, NeurIPS 32): the squared distance of share and mean
probability in a bin, less what chance alone puts there. Whether it is chance is tested beside
(`_calibration_test`). Where rows come in groups, as of one patient, chance is that of groups.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from deepwell.records import Estimate

from ._calibration_test import calibration_p_value, grouped_p_value, without_class_factor
from ._equal_bins import BINS, equal_bins
from ._groups_of_rows import Z, mean_variance, reach, weighted_share
from .metrics._tally import weights


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
    class_factor: np.ndarray | None = None,
    group: np.ndarray | None = None,
) -> Calibration:
    """Return how far class probabilities are right.

    Args:
        y: (n,) class numbers from 0.
        probabilities: (n, C), rows summing to 1, C >= 2.
        weight: (n,) sample weights, at least 0; None means 1 for every row.
        seed: of the drawn labels of the test.
        draws: how often labels are drawn; the smallest p-value is 1 / (draws + 1).
        class_factor: (C,) by which the weights of each class's rows are multiplied, at least 0;
            None where weights do not depend on the class.
        group: (n,) whole numbers, equal for rows that belong together; None for rows of their own.
    """
    w = weights(len(y), weight)
    tested = (probabilities, w)
    if class_factor is not None:
        tested = without_class_factor(y, probabilities, w, class_factor)
    if group is None:
        p_value = calibration_p_value(y, *tested, seed, draws)
    else:
        p_value = grouped_p_value(y, *tested, group, seed, draws)
    said, true = binned_event(y, probabilities)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == y
    return Calibration(
        rows=len(y),
        bins=reliability(said, true, w, group=group),
        right=float(np.average(right, weights=w)),
        gap=_mean(confidence - right, w, group),
        error=calibration_error(said, true, w, group),
        by_class=tuple(
            calibration_error(probabilities[:, c], y == c, w, group)
            for c in range(probabilities.shape[1])
        ),
        p_value=p_value,
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
    said: np.ndarray,
    true: np.ndarray,
    weight: np.ndarray | None = None,
    bins: int = BINS,
    group: np.ndarray | None = None,
) -> tuple[ReliabilityBin, ...]:
    """Return equally filled bins of probabilities, lowest first; fewer where rows are few.

    Args:
        said: (n,) probabilities.
        true: (n,) whether it came true.
        weight: (n,) sample weights.
        bins: at most so many.
        group: (n,) whole numbers, equal for rows that belong together; None for rows of their own.
    """
    w = weights(len(said), weight)
    place = equal_bins(said, bins)
    found: list[ReliabilityBin] = []
    for one in np.unique(place):
        inside = (place == one) & (w > 0)
        if inside.any():
            mine = w[inside]
            came = weighted_share(true[inside], mine, None if group is None else group[inside])
            mean = float(np.average(said[inside], weights=mine))
            found.append(ReliabilityBin(int(inside.sum()), mean, came))
    return tuple(found)


def calibration_error(
    said: np.ndarray,
    true: np.ndarray,
    weight: np.ndarray | None = None,
    group: np.ndarray | None = None,
) -> float:
    """Return the debiased root mean squared calibration error, over equally filled bins.

        sqrt(max(0, sum_b w_b ((share_b - said_b)^2 - share_b (1 - share_b) / (n_b - 1))))

    With groups the last term is the variance of the share over groups; a bin of one group alone,
    which has none, counts nothing.

    Args:
        said: (n,) probabilities.
        true: (n,) whether it came true.
        weight: (n,) sample weights.
        group: (n,) whole numbers, equal for rows that belong together; None for rows of their own.
    """
    w = weights(len(said), weight)
    place = equal_bins(said)
    count = int(place.max()) + 1
    total = np.bincount(place, w, count)
    some = total > 0
    filled = np.where(some, total, 1.0)
    came = np.bincount(place, w * true, count) / filled
    apart = (came - np.bincount(place, w * said, count) / filled) ** 2
    if group is None:
        effective = total**2 / np.maximum(np.bincount(place, w**2, count), 1e-300)
        chance = came * (1 - came) / np.maximum(effective - 1, 1.0)
    else:
        chance = np.zeros(count)
        for one in np.flatnonzero(some):
            inside = place == one
            chance[one], _ = mean_variance(true[inside] * 1.0, w[inside], group[inside])
        chance = np.where(np.isfinite(chance), chance, apart)
    squared = float((total[some] * (apart - chance)[some]).sum() / w.sum())
    return math.sqrt(max(0.0, squared))


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
        place = equal_bins(said, BINS)
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


def _mean(values: np.ndarray, weight: np.ndarray, group: np.ndarray | None) -> Estimate:
    """Return a weighted mean of figures from -1 to 1 with its interval: normal, over groups t."""
    mean = float(weight @ values) / float(weight.sum())
    variance, groups = mean_variance(values, weight, group)
    if not math.isfinite(variance):
        return Estimate(mean, -1.0, 1.0)
    half = (Z if group is None else reach(groups)) * math.sqrt(variance)
    return Estimate(mean, mean - half, mean + half)
