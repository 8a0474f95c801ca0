"""A Gaussian process whose scales, noise and warp of the scores are learned.

With scores y, their warp z (see `_warp`), and the Matern 5/2 kernel with one length scale l_j an
axis (automatic relevance determination),

    k(x, x') = (1 + r + r^2 / 3) exp(-r),    r^2 = 5 sum_j (x_j - x'_j)^2 / l_j^2,
    R = K + lambda I,   mu = 1'R^-1 z / 1'R^-1 1,   s^2 = (z - mu)' R^-1 (z - mu) / n,

the negative logarithm of the marginal likelihood, at its best mean mu and variance s^2, is

    (n / 2) log s^2 + log |R| / 2 - sum_i log z'(y_i) + constant,

to which the priors' are added: log l_j is normal about log(0.2 sqrt(d)) with standard deviation
sqrt(3) (Hvarfner, Hellsten and Nardi 2024, "Vanilla Bayesian optimization performs great in high
dimensions"), log lambda and the warp's log c as below. Gradients are analytic.

Sources: Rasmussen and Williams 2006, "Gaussian processes for machine learning", chapters 2, 4 and
5; Snelson, Rasmussen and Ghahramani 2004, "Warped Gaussian processes".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ._numerics import cholesky, inverse, minimized, solved, solved_lower
from ._warp import Warp, warped

LENGTH_SPREAD = math.sqrt(3.0)
NOISE, NOISE_SPREAD = math.log(1e-4), 3.0
NOISE_RANGE = (math.log(1e-8), math.log(10.0))
LENGTH_RANGE = (math.log(0.01), math.log(100.0))
OFFSET, OFFSET_SPREAD = 0.0, 2.0
OFFSET_RANGE = (-8.0, 8.0)


@dataclass(frozen=True)
class Scales:
    """What is learned of a process.

    Attributes:
        lengths: logarithm of the length scale of each axis, (d,).
        noise: logarithm of the noise's variance over the signal's.
        offset: logarithm of the warp's c; None where the scores are not warped.
    """

    lengths: np.ndarray
    noise: float
    offset: float | None


@dataclass(frozen=True)
class Process:
    """A posterior: what is known after the observations.

    Attributes:
        points: features of the observations, (n, f).
        inverse_lengths: 1 / l of each feature, (f,).
        noise: lambda, the noise's variance over the signal's.
        mean: mu, of the warped scores.
        sd: s, of the warped scores.
        factor: lower Cholesky factor of R, (n, n).
        alpha: R^-1 (z - mu), (n,).
        warp: of the scores.
    """

    points: np.ndarray
    inverse_lengths: np.ndarray
    noise: float
    mean: float
    sd: float
    factor: np.ndarray
    alpha: np.ndarray
    warp: Warp

    def covariance(self, x: np.ndarray) -> np.ndarray:
        """Return k of the observations with features (m, f): (n, m)."""
        scale = self.inverse_lengths
        return matern(squared_distances(self.points * scale, x * scale))

    def predict(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation, (m,) each, of the warped function at (m, f)."""
        k = self.covariance(x)
        v = solved_lower(self.factor, k)
        variance = np.maximum(1.0 - np.einsum("nm,nm->m", v, v), 1e-14)
        return self.mean + self.alpha @ k, self.sd * np.sqrt(variance)

    def means(self, x: np.ndarray) -> np.ndarray:
        """Return the mean (m,) of the warped function at features (m, f)."""
        return self.mean + self.alpha @ self.covariance(x)


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return sum_j (a_j - b_j)^2 of all pairs: (n, m) of (n, f) and (m, f)."""
    products = a @ b.T
    squares = np.einsum("nf,nf->n", a, a)[:, None] + np.einsum("mf,mf->m", b, b)[None, :]
    return np.maximum(squares - 2.0 * products, 0.0)


def matern(squared: np.ndarray) -> np.ndarray:
    """Return the Matern 5/2 correlation at squared distances."""
    r = np.sqrt(5.0 * squared)
    k = r / 3.0
    k += 1.0
    k *= r
    k += 1.0
    k *= np.exp(np.negative(r, out=r), out=r)
    return k


def matern_slope(squared: np.ndarray) -> np.ndarray:
    """Return the derivative of `matern` by the squared distance."""
    r = np.sqrt(5.0 * squared)
    return -5.0 / 6.0 * (1.0 + r) * np.exp(-r)


@dataclass(frozen=True)
class Likelihood:
    """The function that is minimized: negative log posterior of the scales, and its gradient.

    Attributes:
        squares: squared differences of each axis, (d, n, n).
        scores: finite, standardized by `_warp.standardized`, (n,).
        warping: whether the warp is learned too.
    """

    squares: np.ndarray
    scores: np.ndarray
    warping: bool

    def __call__(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Return value and gradient at log l (d,), log lambda, and log c where it is learned."""
        d, n = len(self.squares), len(self.scores)
        weights = np.exp(-2.0 * theta[:d])
        squared = np.tensordot(weights, self.squares, axes=1)
        noise = math.exp(theta[d])
        matrix = matern(squared)
        matrix[np.diag_indices(n)] += noise + 1e-10
        factor = cholesky(matrix)
        if factor is None:
            return math.inf, np.zeros_like(theta)
        inverted = inverse(factor)
        z, slope, bend, bend_slope = warped(self.scores, theta[d + 1] if self.warping else None)
        ones = inverted.sum(axis=1)
        centered = z - (ones @ z) / ones.sum()
        alpha = inverted @ centered
        variance = max(float(centered @ alpha) / n, 1e-300)
        value = 0.5 * n * math.log(variance) + np.log(np.diag(factor)).sum() - bend
        outer = inverted - np.outer(alpha, alpha) / variance
        by_length = np.tensordot(self.squares, outer * matern_slope(squared), axes=2)
        gradient = np.zeros_like(theta)
        gradient[:d] = -weights * by_length
        gradient[d] = 0.5 * noise * np.trace(outer)
        if self.warping:
            gradient[d + 1] = alpha @ slope / variance - bend_slope
        prior, prior_slope = _prior(theta, d)
        return float(value + prior), gradient + prior_slope


def _prior(theta: np.ndarray, d: int) -> tuple[float, np.ndarray]:
    center, spread = _prior_places(d, len(theta) > d + 1)
    off = (theta - center) / spread
    return 0.5 * float(off @ off), off / spread


def _prior_places(d: int, warping: bool) -> tuple[np.ndarray, np.ndarray]:
    length = math.log(0.2 * math.sqrt(d))
    tail = [OFFSET] if warping else []
    tail_spread = [OFFSET_SPREAD] if warping else []
    center = np.array([length] * d + [NOISE, *tail])
    return center, np.array([LENGTH_SPREAD] * d + [NOISE_SPREAD, *tail_spread])


def learned(
    points: np.ndarray, scores: np.ndarray, axis: np.ndarray, steps: int, warping: bool = True
) -> Scales:
    """Return the scales of greatest posterior density.

    Args:
        points: features of the observations, (n, f).
        scores: finite and standardized, (n,).
        axis: of each feature, (f,).
        steps: evaluations of the likelihood from each of the two starts.
        warping: whether the warp of the scores is learned too.
    """
    d = int(axis.max()) + 1 if len(axis) else 0
    center, _ = _prior_places(d, warping)
    if not np.ptp(scores) > 0:
        return Scales(center[:d], float(center[d]), float(center[d + 1]) if warping else None)
    squares = np.zeros((d, len(points), len(points)))
    for column, j in enumerate(axis):
        squares[j] += (points[:, column, None] - points[None, :, column]) ** 2
    likelihood = Likelihood(squares, scores, warping)
    ranges = [LENGTH_RANGE] * d + [NOISE_RANGE] + ([OFFSET_RANGE] if warping else [])
    best, lowest = center, math.inf
    for start in _starts(center, d):
        found, value = minimized(likelihood, start, ranges, steps)
        if value < lowest and np.isfinite(found).all():
            best, lowest = found, value
    return Scales(best[:d], float(best[d]), float(best[d + 1]) if warping else None)


def _starts(center: np.ndarray, d: int) -> list[np.ndarray]:
    """Return two starts: little noise and the raw scores, much noise and a strong warp."""
    other = center.copy()
    other[:d] += 1.0
    other[d] = math.log(1e-2)
    other[d + 1 :] -= 3.0
    return [center, other]


def conditioned(
    points: np.ndarray, scores: np.ndarray, axis: np.ndarray, scales: Scales
) -> Process:
    """Return the posterior at given scales after all observations, (n, f) and (n,)."""
    scale = np.exp(-scales.lengths)[axis]
    noise = math.exp(scales.noise)
    matrix = matern(squared_distances(points * scale, points * scale))
    factor, noise = _factor(matrix, noise)
    warp = Warp(scales.offset)
    z = warp.forward(scores)
    ones, scored = solved(factor, np.stack([np.ones_like(z), z], axis=1)).T
    mean = float(scored.sum() / ones.sum())
    alpha = scored - mean * ones
    variance = float((z - mean) @ alpha) / len(z)
    sd = math.sqrt(variance) if variance > 1e-300 else 1.0
    return Process(points, scale, noise, mean, sd, factor, alpha, warp)


def _factor(matrix: np.ndarray, noise: float) -> tuple[np.ndarray, float]:
    """Return the Cholesky factor of K + lambda I, with the noise raised until there is one."""
    while True:
        factor = cholesky(matrix + (noise + 1e-10) * np.eye(len(matrix)))
        if factor is not None:
            return factor, noise
        noise = max(10.0 * noise, 1e-9)
