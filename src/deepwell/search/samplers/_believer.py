"""A batch of points by sequential greedy choice, each fantasized at its mean.

A point whose score is still out, or that was chosen a moment ago, is taken to score what the model
expects (kriging believer): the mean stays as it is, and the uncertainty near the point is gone.
The mean and the variance at a pool of candidates are updated by one row of the Cholesky factor a
point, so that a further point costs O(n m) instead of O(n^2 m).

Source: Ginsbourger, Le Riche and Carraro 2010, "Kriging is well-suited to parallelize
optimization".
"""

from __future__ import annotations

import numpy as np

from ._acquisition import log_expected_improvement
from ._gaussian_process import Process, matern, matern_slope, squared_distances
from ._numerics import inverse_factor

_LEAST = 1e-14  # of a variance relative to the signal's


class Believer:
    """A posterior that believes its own mean at further points.

    Args:
        process: after the observations.
        best: what is to be improved on, a mean of warped scores.
        room: most points that will be believed.
    """

    def __init__(self, process: Process, best: float, room: int) -> None:
        n, f = process.points.shape
        self._process = process
        self._observed = n
        self.best = best
        self._count = n
        self._points = np.zeros((n + room, f))
        self._points[:n] = process.points
        self._inverse = np.zeros((n + room, n + room))  # of the Cholesky factor
        self._inverse[:n, :n] = inverse_factor(process.factor)
        self._pool = np.zeros((0, f))
        self._rows = np.zeros((n + room, 0))
        self._mean = self._variance = np.zeros(0)

    @property
    def pool(self) -> np.ndarray:
        """Features of the candidates, (m, f)."""
        return self._pool

    def watch(self, pool: np.ndarray) -> None:
        """Keep mean and variance at candidates (m, f) up to date from now on."""
        self._pool = pool
        k, rows = self._reduced(pool)
        self._rows = np.zeros((len(self._points), len(pool)))
        self._rows[: self._count] = rows
        self._mean = self._process.mean + self._process.alpha @ k[: self._observed]
        self._variance = 1.0 - np.einsum("nm,nm->m", rows, rows)

    def believe(self, x: np.ndarray) -> None:
        """Take a point (f,) to score its mean."""
        i = self._count
        k, rows = self._reduced(x[None])
        row = rows[:, 0]
        pivot = np.sqrt(max(1.0 + self._process.noise - row @ row, 1e-10))
        self._inverse[i, :i] = -(row @ self._inverse[:i, :i]) / pivot
        self._inverse[i, i] = 1.0 / pivot
        self._points[i] = x
        mean = self._process.mean + self._process.alpha @ k[: self._observed, 0]
        self.best = min(self.best, float(mean))
        if len(self._pool):
            across = matern(squared_distances(x[None], self._pool, self._process.weights))[0]
            new = (across - row @ self._rows[:i]) / pivot
            self._rows[i] = new
            self._variance = self._variance - new * new
        self._count = i + 1

    def on_pool(self) -> np.ndarray:
        """Return log expected improvement at the candidates, (m,)."""
        sd = self._process.sd * np.sqrt(np.maximum(self._variance, _LEAST))
        return log_expected_improvement(self._mean, sd, self.best)[0]

    def value(self, x: np.ndarray) -> np.ndarray:
        """Return log expected improvement at features (m, f)."""
        k, rows = self._reduced(x)
        variance = 1.0 - np.einsum("nm,nm->m", rows, rows)
        mean = self._process.mean + self._process.alpha @ k[: self._observed]
        sd = self._process.sd * np.sqrt(np.maximum(variance, _LEAST))
        return log_expected_improvement(mean, sd, self.best)[0]

    def slope(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return log expected improvement and its gradient (f,) at one point (f,)."""
        process, n, i = self._process, self._observed, self._count
        squared = squared_distances(self._points[:i], x[None], process.weights)[:, 0]
        k = matern(squared)
        inverse = self._inverse[:i, :i]
        row = inverse @ k
        variance = 1.0 - row @ row
        sd = process.sd * np.sqrt(max(variance, _LEAST))
        mean = process.mean + process.alpha @ k[:n]
        value, by_mean, by_sd = log_expected_improvement(
            np.array([mean]), np.array([sd]), self.best
        )
        pull = by_mean[0] * np.pad(process.alpha, (0, i - n))
        if variance > _LEAST:  # d sd = -s k'R^-1 dk / sqrt(variance)
            pull = pull - by_sd[0] * process.sd**2 / sd * (row @ inverse)
        pull = pull * matern_slope(squared)
        offsets = pull.sum() * x - pull @ self._points[:i]
        return float(value[0]), 2.0 * process.weights * offsets

    def _reduced(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return k and L^-1 k of features (m, f), (n, m) each."""
        i = self._count
        k = matern(squared_distances(self._points[:i], x, self._process.weights))
        return k, self._inverse[:i, :i] @ k
