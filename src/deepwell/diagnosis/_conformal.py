"""Conformal prediction: sets of classes and intervals that hold the truth as often as asked.

With n rows that the network was not trained on and their scores s_i, how strange the truth looks,
a set holds all answers that are no stranger than the k-th smallest score, k = ceil((n + 1) c). For
new rows like those n, whatever their distribution and whatever the network, the truth is then in
the set with a probability of at least c, and of at most c + 1 / (n + 1) where no scores are equal
(Vovk, Gammerman and Shafer 2005; Lei et al. 2018, JASA 113). This is an average over rows, not a
promise for each kind of row, and over sets of n rows: for the n rows at hand it varies as
Beta(k, n + 1 - k).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

KEPT = 1_000  # rows whose scores are kept: coverage then varies by 0.7 points at 95 %
_DIGITS = 7
_EDGE = 1e-9
_MOST_BINS = 10
_LEAST_IN_BIN = 100


@dataclass(frozen=True)
class ClassScores:
    """How strange the true class looked in each of n rows that were not trained on.

    Attributes:
        smallest: 1 - p of the true class (Sadinle, Lei and Wasserman 2019, JASA 114), whose sets
            are smallest on average.
        adaptive: summed probability of the classes above the true one (after Romano, Sesia and
            Candes 2020, NeurIPS 33, without their random part), whose sets grow where the network
            is less sure.
    """

    smallest: tuple[float, ...]
    adaptive: tuple[float, ...]


@dataclass(frozen=True)
class ValueScores:
    """How far off each of n rows was that were not trained on.

    Attributes:
        predictions: values that were predicted, in the target's unit.
        residuals: sizes of their errors.
    """

    predictions: tuple[float, ...]
    residuals: tuple[float, ...]


Scores = ClassScores | ValueScores


def class_scores(y: np.ndarray, probabilities: np.ndarray, seed: int = 0) -> ClassScores:
    """Return the scores of rows, at most 1,000 of them, drawn by `seed`.

    Args:
        y: (n,) class numbers.
        probabilities: (n, C), of a network that was not trained on these rows.
        seed: of the draw.
    """
    rows = _drawn(len(y), seed)
    y, p = np.asarray(y)[rows], np.asarray(probabilities, np.float64)[rows]
    own = p[np.arange(len(y)), y]
    above = _mass_above(p)[np.arange(len(y)), y]
    return ClassScores(_rounded_up(1 - own), _rounded_up(above))


def value_scores(y: np.ndarray, predictions: np.ndarray, seed: int = 0) -> ValueScores:
    """Return the scores of rows, at most 1,000 of them, drawn by `seed`.

    Args:
        y: (n,) values in the target's unit.
        predictions: (n,) of a network that was not trained on these rows.
        seed: of the draw.
    """
    rows = _drawn(len(y), seed)
    said = np.asarray(predictions, np.float64)[rows]
    residuals = np.abs(np.asarray(y, np.float64)[rows] - said)
    return ValueScores(tuple(said.tolist()), tuple(residuals.tolist()))


def limit(scores: Sequence[float] | np.ndarray, coverage: float) -> float:
    """Return the k-th smallest score, k = ceil((n + 1) coverage); infinity where n is too small.

    >>> limit([0.1, 0.2, 0.3, 0.4], 0.8), limit([0.1, 0.2, 0.3, 0.4], 0.9)
    (0.4, inf)
    """
    k = _rank(len(scores), coverage)
    return float(np.sort(np.asarray(scores))[k - 1]) if k <= len(scores) else math.inf


def checked_coverage(coverage: object) -> float:
    """Return a coverage above 0 and below 1.

    Raises:
        UsageError: when it is not one.
    """
    if isinstance(coverage, int | float) and 0 < coverage < 1:
        return float(coverage)
    raise UsageError(
        f"`coverage` must be above 0 and below 1, got {safe_text(repr(coverage))}; 0.95 asks for "
        "sets that hold the truth in 95 of 100 rows"
    )


def smallest_sets(scores: ClassScores, probabilities: np.ndarray, coverage: float) -> np.ndarray:
    """Return (n, C) which classes are in each row's set: those with p >= 1 - limit.

    The class that is said is always in it, so no set is empty.
    """
    p = np.asarray(probabilities, np.float64)
    inside = 1 - p <= limit(scores.smallest, coverage) + _EDGE
    return inside | _said(p)


def adaptive_sets(scores: ClassScores, probabilities: np.ndarray, coverage: float) -> np.ndarray:
    """Return (n, C) which classes are in each row's set: likely ones until enough is summed up."""
    p = np.asarray(probabilities, np.float64)
    return (_mass_above(p) <= limit(scores.adaptive, coverage) + _EDGE) | _said(p)


def half_width(scores: ValueScores, predictions: np.ndarray, coverage: float) -> np.ndarray:
    """Return (n,) how far intervals reach to both sides: one number for all rows."""
    return np.full(len(predictions), limit(scores.residuals, coverage))


def adaptive_half_width(
    scores: ValueScores, predictions: np.ndarray, coverage: float
) -> np.ndarray:
    """Return (n,) how far intervals reach to both sides, by the size of what is predicted.

    The rows are cut by their predictions into at most 10 equally filled bins of 100 rows or more,
    and of enough to have the k-th smallest score; each bin has its own limit, so the coverage
    holds in every bin (Mondrian conformal prediction, Vovk et al. 2005, section 4.5).
    """
    said, residuals = np.asarray(scores.predictions), np.asarray(scores.residuals)
    least = max(_LEAST_IN_BIN, math.ceil(2 / (1 - coverage)))
    bins = max(1, min(_MOST_BINS, len(said) // least))
    bounds = np.quantile(said, np.linspace(0, 1, bins + 1)[1:-1])
    kept, asked = np.searchsorted(bounds, said), np.searchsorted(bounds, predictions)
    limits = np.array([limit(residuals[kept == one], coverage) for one in range(bins)])
    return limits[asked]


def coverage_range(rows: int, coverage: float) -> tuple[float, float]:
    """Return between what the true coverage of sets from so many rows lies, 95 times in 100.

    The quantiles of Beta(k, rows + 1 - k) with k = ceil((rows + 1) coverage).

    >>> tuple(round(end, 3) for end in coverage_range(1_000, 0.95))
    (0.936, 0.963)
    """
    from scipy.special import betaincinv  # type: ignore[import-untyped]

    k = _rank(rows, coverage)
    if k > rows:
        return 1.0, 1.0
    quantile: Any = betaincinv
    return float(quantile(k, rows + 1 - k, 0.025)), float(quantile(k, rows + 1 - k, 0.975))


def _rank(rows: int, coverage: float) -> int:
    return max(1, math.ceil((rows + 1) * coverage - 1e-9))


def _drawn(n: int, seed: int) -> np.ndarray:
    if n <= KEPT:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, KEPT, replace=False))


def _rounded_up(scores: np.ndarray) -> tuple[float, ...]:
    """Return scores with few digits, never smaller: sets only grow by it."""
    unit = 10.0**-_DIGITS
    raised: list[float] = (np.ceil(scores / unit) * unit).tolist()
    return tuple(round(score, _DIGITS) for score in raised)


def _said(p: np.ndarray) -> np.ndarray:
    said = np.zeros(p.shape, bool)
    said[np.arange(len(p)), p.argmax(axis=1)] = True
    return said


def _mass_above(p: np.ndarray) -> np.ndarray:
    """Return (n, C) the summed probability of the classes that are likelier in the row."""
    order = np.argsort(-p, axis=1, kind="stable")
    sorted_p = np.take_along_axis(p, order, axis=1)
    before = np.cumsum(sorted_p, axis=1) - sorted_p
    found = np.empty_like(p)
    np.put_along_axis(found, order, before, axis=1)
    return found
