"""A batch of points by sequential greedy choice, each fantasized at its mean.

A point whose score is still out, or that was chosen a moment ago, is taken to score what the model
expects (kriging believer): the mean stays as it is, and the uncertainty near the point is gone.
With v = L^-1 k the variance is 1 - sum_i v_i^2, and a believed point adds one row to L^-1. So what
a point promises only falls as others are believed, and candidates are looked at anew only when they
come first (lazy greedy choice). The first rows alone give the variance after some observations.

Sources: Ginsbourger, Le Riche and Carraro 2010, "Kriging is well-suited to parallelize
optimization"; Minoux 1978, "Accelerated greedy algorithms for maximizing submodular set functions".
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ._acquisition import log_expected_improvement
from ._gaussian_process import Process, matern, matern_slope, squared_distances
from ._numerics import inverse_factor, lower_product, lower_products

_LEAST = 1e-14  # of a variance relative to the signal's
_PART = 256  # candidates whose covariances are in the cache together
_AT_ONCE = 64  # candidates that are looked at anew together
_FIRST, _LOOKED_AT = 256, 4  # observations by which neighbors are chosen, and how many are


class Believer:
    """A posterior that believes its own mean at further points.

    Args:
        process: after the observations, those that tell most of good points first.
        best: what is to be improved on, a mean of warped scores.
        room: most points that will be believed.
    """

    def __init__(self, process: Process, best: float, room: int) -> None:
        n, f = process.points.shape
        self._process = process
        self._observed = n
        self.best = best
        self._count = n
        self._points = np.zeros((n + room, f))  # over the length scales
        self._points[:n] = process.points * process.inverse_lengths
        self._inverse = np.zeros((n + room, n + room))  # of the Cholesky factor
        self._inverse[:n, :n] = inverse_factor(process.factor)
        self.watch(np.zeros((0, f)))

    def watch(self, pool: np.ndarray) -> None:
        """Take the candidates to choose from, features (m, f)."""
        m = len(pool)
        self._pool = pool * self._process.inverse_lengths
        self._watched = self._count
        self._k = np.zeros((m, len(self._points)))
        self._mean, self._variance = np.zeros(m), np.zeros(m)
        for start in range(0, m, _PART):
            part = slice(start, start + _PART)
            k = self._covariance(self._pool[part])
            rows = lower_product(self._inverse[: self._count, : self._count], k)
            self._k[part, : self._count] = k.T
            self._mean[part] = self._means(k)
            self._variance[part] = 1.0 - np.einsum("nm,nm->m", rows, rows)
        self._promise = self._gain(self._mean, self._variance)
        self._current = np.ones(m, bool)

    def believe(self, x: np.ndarray) -> None:
        """Take a point (f,) to score its mean."""
        i, x = self._count, x * self._process.inverse_lengths
        k = self._covariance(x[None])[:, 0]
        row, back = lower_products(self._inverse[:i, :i], k)
        pivot = np.sqrt(max(1.0 + self._process.noise - row @ row, 1e-10))
        self._inverse[i, :i] = -back / pivot
        self._inverse[i, i] = 1.0 / pivot
        self._points[i] = x
        self._count = i + 1
        self.best = min(self.best, float(self._means(k)))
        self._k[:, i] = matern(squared_distances(self._pool, x[None]))[:, 0]
        self._current[:] = False

    def promising(self, open_: np.ndarray) -> Iterator[tuple[int, float]]:
        """Yield places of candidates and their log expected improvement, the greatest first.

        Args:
            open_: which candidates count, (m,) bool.
        """
        left = np.flatnonzero(open_)
        while len(left):
            left = left[np.argsort(-self._promise[left], kind="stable")]
            old = ~self._current[left]
            known = int(old.argmax()) if old.any() else len(left)
            for place in left[:known]:
                yield int(place), float(self._promise[place])
            self._renew(left[old][:_AT_ONCE])
            left = left[known:]

    def best_above(self, x: np.ndarray, value: float) -> tuple[int, float] | None:
        """Return the place and the log expected improvement of a good one of features (m, f).

        It is the best one of the four that promise most by the first observations alone. None where
        that does not exceed `value`.
        """
        i = self._count
        first = min(_FIRST, i)
        k = self._covariance(x * self._process.inverse_lengths)
        rows = self._inverse[:first, :first] @ k[:first]
        mean, variance = self._means(k), 1.0 - np.einsum("nm,nm->m", rows, rows)
        places = np.argsort(-self._gain(mean, variance), kind="stable")[:_LOOKED_AT]
        rows = self._inverse[first:i, :i] @ k[:, places]
        variance = variance[places] - np.einsum("nm,nm->m", rows, rows)
        promise = self._gain(mean[places], variance)
        best = int(promise.argmax())
        if not promise[best] > value:
            return None
        return int(places[best]), float(promise[best])

    def slope(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return log expected improvement and its gradient (f,) at one point (f,)."""
        process, i = self._process, self._count
        off = self._points[:i] - x * self._process.inverse_lengths
        squared = np.einsum("nf,nf->n", off, off)
        k = matern(squared)
        row, back = lower_products(self._inverse[:i, :i], k)
        variance = 1.0 - row @ row
        sd = process.sd * np.sqrt(max(variance, _LEAST))
        value, by_mean, by_sd = log_expected_improvement(
            np.array([self._means(k)]), np.array([sd]), self.best
        )
        pull = np.zeros(i)
        if variance > _LEAST:  # d sd = -s k'R^-1 dk / sqrt(variance)
            pull = -by_sd[0] * process.sd**2 / sd * back
        pull[: self._observed] += by_mean[0] * process.alpha
        slope = (pull * matern_slope(squared)) @ off
        return float(value[0]), -2.0 * self._process.inverse_lengths * slope

    def _renew(self, places: np.ndarray) -> None:
        """Look at candidates anew: take off what was believed since `watch`."""
        first, i = self._watched, self._count
        rows = self._inverse[first:i, :i] @ self._k[places, :i].T
        variance = self._variance[places] - np.einsum("nm,nm->m", rows, rows)
        self._promise[places] = self._gain(self._mean[places], variance)
        self._current[places] = True

    def _covariance(self, x: np.ndarray) -> np.ndarray:
        """Return k of all points with features (m, f) over the length scales, (n, m)."""
        return matern(squared_distances(self._points[: self._count], x))

    def _means(self, k: np.ndarray) -> np.ndarray:
        return self._process.mean + self._process.alpha @ k[: self._observed]

    def _gain(self, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
        sd = self._process.sd * np.sqrt(np.maximum(variance, _LEAST))
        return log_expected_improvement(mean, sd, self.best)[0]
