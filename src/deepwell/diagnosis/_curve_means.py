"""The mean scores of a learning curve, and how sure they are.

Runs differ by their rows, seeds and batches; their variances over the sizes are smoothed as
v0 + v1 / n, and runs of neighbouring sizes, which share rows, may correlate. However many runs
there are, all parts are taken of the same train rows, which are a sample themselves. If v1 / n is
what choosing n rows does, then the mean over all parts of a sample of N rows varies by v1 / N from
sample to sample, at every size (Hoeffding 1948, "A class of statistics with asymptotically normal
distribution", to first order), the less alike the further two sizes are apart: as the root of
their ratio.

All sizes are scored on the same dev rows. A jackknife over groups of them says how much each size
is off on its own. What moves the whole curve is kept apart, as a factor, since few errors among few
rows are as skewed as it is. Runs of one fold share its dev rows, so that between folds runs differ
by these as well: how much runs differ is measured within folds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepwell.records import Estimate

_SIMULATIONS = 2_000
_INEXACT = 0.005  # of a score: no real curve is one of these to the last digit
_MOST_SHARED = 1.5  # of a factor: beyond it, one error among few rows, it says nothing
_UPPER = 0.975
_Z = 1.959964


@dataclass(frozen=True, eq=False)
class CurveScores:
    """The scores of networks that were trained on parts of the rows.

    Attributes:
        sizes: (S,) rows, rising.
        scores: (R, S) of run r on s rows; lower is better, none below 0.
        by_group: (G, S) mean score of the runs without each of G groups of dev rows; no groups
            where the dev rows' luck is not to be counted.
        worth: smallest gain that matters.
        fold: (R,) number of the fold whose dev rows a run is scored on; None where all share them.
        least_variance: of a mean score by the dev rows, where none of them may differ by luck.
    """

    sizes: np.ndarray
    scores: np.ndarray
    by_group: np.ndarray
    worth: float
    least_variance: float = 0.0
    fold: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class CurveMeans:
    """Mean scores at some sizes.

    Attributes:
        sizes, values: (S,).
        covariance: (S, S) of what moves each on its own, known to `freedom` degrees.
        shared: standard deviation of the factor, near 1, that moves all alike.
    """

    sizes: np.ndarray
    values: np.ndarray
    covariance: np.ndarray
    freedom: float
    shared: float

    def upto(self, rows: float) -> CurveMeans:
        inside = self.sizes <= rows
        within = self.covariance[np.ix_(inside, inside)]
        return CurveMeans(
            self.sizes[inside], self.values[inside], within, self.freedom, self.shared
        )


def curve_means(measured: CurveScores) -> CurveMeans:
    """Return the mean scores with what is known of their errors."""
    runs, count = measured.scores.shape
    values = measured.scores.mean(axis=0)
    away, free = _within_folds(measured)
    varied: np.ndarray = (away**2).sum(axis=0) / free
    flat, falling = _smoothed(varied, measured.sizes)
    variance = flat + falling * measured.sizes[-1] / measured.sizes
    scale = max(1e-9 * float(np.abs(values).max()), 1e-12)
    spread = np.sqrt(variance + scale**2)
    alike = away / spread
    products: np.ndarray = alike[:, 1:] * alike[:, :-1]
    neighbours = float(products.sum()) / (free * (count - 1))
    lingering = min(max(neighbours, 0.0), 0.9)
    apart = np.array([[abs(i - j) for j in range(count)] for i in range(count)])
    by_runs = np.outer(spread, spread) * lingering**apart / runs
    freedom = free * max(1.0, count * (1 - lingering) / (1 + lingering) / 2)
    by_dev_rows, shared = _by_dev_rows(measured, values)
    ratio = measured.sizes[:, None] / measured.sizes
    by_sample = falling * np.minimum(ratio, 1 / ratio) ** 0.5
    covariance = by_runs + by_sample + by_dev_rows + np.diag((_INEXACT * values) ** 2)
    return CurveMeans(
        measured.sizes.astype(float), values, covariance, freedom, min(shared, _MOST_SHARED)
    )


def _within_folds(measured: CurveScores) -> tuple[np.ndarray, int]:
    """Return (R, S) scores less the mean of their fold, and the degrees of freedom they have."""
    runs = len(measured.scores)
    fold = np.zeros(runs, np.intp) if measured.fold is None else measured.fold
    folds, place = np.unique(fold, return_inverse=True)
    means = np.stack([measured.scores[place == f].mean(axis=0) for f in range(len(folds))])
    return measured.scores - means[place], runs - len(folds)


def _smoothed(variance: np.ndarray, sizes: np.ndarray) -> tuple[float, float]:
    """Return v0 and v1 / n_max of v0 + v1 / n, nearest to variances each known to one share."""
    from scipy import optimize  # type: ignore[import-untyped]

    solver: Any = optimize

    terms = np.stack([np.ones(len(sizes)), sizes[-1] / sizes], axis=1)
    parts: np.ndarray = np.array([float(variance.mean()), 0.0])
    for _ in range(5):
        fitted: np.ndarray = terms @ parts
        weight = 1 / np.maximum(fitted, 1e-3 * float(variance.mean()) + 1e-300)
        solved: tuple[np.ndarray, float] = solver.nnls(terms * weight[:, None], variance * weight)
        parts = np.asarray(solved[0], np.float64)
    return float(parts[0]), float(parts[1])


def _by_dev_rows(measured: CurveScores, values: np.ndarray) -> tuple[np.ndarray, float]:
    """Return what the choice of dev rows does to each size on its own, and to all as a factor.

    A jackknife over groups of rows: the factor follows what leaving a group out does, relative to
    the score, on average over the sizes from half of the largest on, from where the forecast
    goes; what is left of it is each size's own.
    """
    count = len(measured.sizes)
    least = measured.least_variance * np.eye(count)
    groups = len(measured.by_group)
    if groups < 2 or not (values > 0).all():
        return least, 0.0
    moved = (measured.by_group - measured.by_group.mean(axis=0)) / values
    together = moved[:, measured.sizes >= measured.sizes[-1] / 2].mean(axis=1)
    own = (moved - together[:, None]) * values
    share = (groups - 1) / groups
    return least + share * own.T @ own, math.sqrt(share * float(together @ together))


def mean_points(means: CurveMeans) -> tuple[Estimate, ...]:
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    t = float(stdtrit(means.freedom, _UPPER))
    found: list[Estimate] = []
    for value, error in zip(means.values, np.sqrt(np.diag(means.covariance)), strict=True):
        own = t * error / value if value > 0 else 0.0
        half = math.hypot(own, _Z * means.shared)
        low, high = value * math.exp(-half), value * math.exp(half)
        found.append(Estimate(float(value), float(low), float(high if value > 0 else t * error)))
    return tuple(found)


def steepest_rise(
    means: CurveMeans, random: np.random.Generator
) -> tuple[float, tuple[int, int, float]]:
    """Return the p-value of the steepest rise, and from how many rows to how many it is, how high.

    The least favorable of the curves that never rise is the flat one: the p-value is the share of
    flat curves with this covariance whose steepest rise, in standard errors, is as steep.
    """
    count = len(means.values)
    first, second = np.triu_indices(count, 1)
    cov = means.covariance
    error = np.sqrt(cov[first, first] + cov[second, second] - 2 * cov[first, second])
    steep = (means.values[second] - means.values[first]) / error
    at = int(np.argmax(steep))
    noise = random.standard_normal((_SIMULATIONS, count)) @ np.linalg.cholesky(cov).T
    noise /= np.sqrt(random.chisquare(means.freedom, (_SIMULATIONS, 1)) / means.freedom)
    chance = ((noise[:, second] - noise[:, first]) / error).max(axis=1)
    p = float((1 + np.count_nonzero(chance >= steep[at])) / (1 + _SIMULATIONS))
    height = float(means.values[second[at]] - means.values[first[at]])
    return p, (int(means.sizes[first[at]]), int(means.sizes[second[at]]), height)
