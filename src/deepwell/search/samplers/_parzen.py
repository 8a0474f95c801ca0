"""Parzen estimators over a cube: mixtures of products of one kernel an axis.

Around each point lies a kernel, and one more, as wide as the cube, stands for the prior. Along a
continuous axis, and an ordered one of many values, a kernel is a normal density cut off at 0 and 1.
Along an ordered axis of few values it is that normal's mass on the share of each value. Along an
unordered axis of c values it is Aitchison and Aitken's: the point's own value and, with a weight
that shrinks as points come, any other alike. Where an axis does not matter for a point, its kernel
is flat there; where it does not matter for a candidate, it is left out.

The width of a kernel along an axis is the larger distance to its two neighbors, but not below
1 / min(100, n + 2) and not above 1.

Sources: Bergstra, Bardenet, Bengio and Kegl 2011, "Algorithms for hyper-parameter optimization";
Aitchison and Aitken 1976, "Multivariate binary discrimination by the kernel method"; Watanabe 2023,
"Tree-structured Parzen estimator: understanding its algorithm components".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._features import Features

_FEW = 64  # values of an ordered axis up to which their shares are integrated
_LEAST = 1e-300


@dataclass(frozen=True)
class Parzen:
    """A mixture over the cube.

    Attributes:
        features: of the axes.
        points: centers, (n + 1, d); the last is that of the prior.
        active: which axes matter for each point, (n + 1, d).
        widths: of the kernels, (n + 1, d).
        log_weights: of the kernels, (n + 1,).
        other: weight of the flat part of an unordered kernel.
    """

    features: Features
    points: np.ndarray
    active: np.ndarray
    widths: np.ndarray
    log_weights: np.ndarray
    other: float

    def draw(self, m: int, rng: np.random.Generator) -> np.ndarray:
        """Return `m` points drawn from the mixture, (m, d), snapped to the values of the axes."""
        from scipy.special import ndtr, ndtri  # type: ignore[import-untyped]

        who = rng.choice(len(self.points), size=m, p=np.exp(self.log_weights))
        center, width = self.points[who], self.widths[who]
        named = ~self.features.ordered
        prior = (who == len(self.points) - 1)[:, None]
        flat = ~self.active[who] | (named & prior)
        low, high = ndtr(-center / width), ndtr((1.0 - center) / width)
        u = rng.random(center.shape)
        near = center + width * ndtri(low + u * (high - low))
        drawn = np.where(flat, u, np.clip(near, 0.0, 1.0))
        elsewhere = rng.random(center.shape) < self.other
        drawn = np.where(named & ~flat, np.where(elsewhere, u, center), drawn)
        return self.features.snapped(drawn)

    def log_density(self, at: np.ndarray, active: np.ndarray) -> np.ndarray:
        """Return the logarithm of the density, (m,), at snapped points (m, d)."""
        total = np.broadcast_to(self.log_weights, (len(at), len(self.points))).copy()
        for j in range(at.shape[1]):
            total += np.where(active[:, j, None] & self.active[:, j], self._along(j, at[:, j]), 0.0)
        top = total.max(axis=1)
        return top + np.log(np.exp(total - top[:, None]).sum(axis=1))

    def _along(self, j: int, at: np.ndarray) -> np.ndarray:
        """Return log densities (m, n + 1) of all kernels along one axis."""
        from scipy.special import ndtr  # type: ignore[import-untyped]

        count = int(self.features.counts[j])
        center, width = self.points[:, j], self.widths[:, j]
        mass = ndtr((1.0 - center) / width) - ndtr(-center / width)
        if not self.features.ordered[j]:
            same = np.abs(at[:, None] - center) < 0.5 / count
            flat = self.other * np.ones_like(center)
            flat[-1] = 1.0  # the prior
            return np.log(count * np.where(same, 1.0 - flat, 0.0) + flat)
        if 0 < count <= _FEW:
            edges = np.arange(count + 1) / count
            below = ndtr((edges[:, None] - center) / width)
            table = np.log(np.maximum(np.diff(below, axis=0) * count / mass, _LEAST))
            return table[np.minimum((at * count).astype(int), count - 1)]
        z = (at[:, None] - center) / width
        return -0.5 * z * z - np.log(np.sqrt(2.0 * np.pi) * width * mass)


def parzen(
    features: Features, points: np.ndarray, active: np.ndarray, weights: np.ndarray
) -> Parzen:
    """Return the estimator of points.

    Args:
        features: of the axes.
        points: snapped, (n, d).
        active: which axes matter for each, (n, d).
        weights: of each against the prior's 1, (n,).
    """
    n, d = points.shape
    widths = np.ones((n + 1, d))
    for j in range(d):
        here = active[:, j]
        widths[:n, j][here] = _widths(points[here, j], n)
    all_weights = np.append(weights, 1.0)
    return Parzen(
        features,
        np.concatenate([points, np.full((1, d), 0.5)]),
        np.concatenate([active, np.ones((1, d), bool)]),
        widths,
        np.log(all_weights / all_weights.sum()),
        1.0 / (n + 2.0),
    )


def _widths(at: np.ndarray, n: int) -> np.ndarray:
    """Return the larger distance of each place in [0, 1] to its two neighbors, within limits."""
    order = np.argsort(at, kind="stable")
    ends = np.concatenate([[0.0], at[order], [1.0]])
    gaps = np.diff(ends)
    widths = np.empty(len(at))
    widths[order] = np.maximum(gaps[:-1], gaps[1:])
    return np.clip(widths, 1.0 / min(100.0, n + 2.0), 1.0)
