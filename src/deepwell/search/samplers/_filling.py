"""Points that fill the cube evenly beside those that are there."""

from __future__ import annotations

import numpy as np

from ._cube import Cube

_CANDIDATES = 256
_FARTHEST = 256  # points that are chosen by their distances, which is quadratic work


def filling(cube: Cube, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return `n` points (n, d), each of the first 256 the farthest of many from all others.

    The candidates are Sobol points, shifted at random; so many more are even by themselves, and
    the other points are those that follow in the sequence. Distances wrap around, so that the
    border of the cube is not filled before its inside.

    Args:
        cube: what may be tried, and what was.
        n: how many are wanted.
        rng: shifts the candidates.
    """
    if n == 0 or cube.dimension == 0:
        return np.zeros((n, cube.dimension))
    first = min(n, _FARTHEST)
    looked, rest = max(_CANDIDATES, 4 * first), n - first
    points = cube.snapped(sobol(cube.dimension, looked + rest, rng))
    pool = points[:looked] if rest else points
    nearest = np.full(len(pool), np.inf)
    for u in cube.tried:
        nearest = np.minimum(nearest, _apart(cube, pool, u))
    chosen: list[int] = []
    for _ in range(first):
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, _apart(cube, pool, pool[chosen[-1]]))
    return np.concatenate([pool[chosen], points[looked : looked + rest]])


def sobol(d: int, least: int, rng: np.random.Generator) -> np.ndarray:
    """Return Sobol points (m, d), shifted at random around the cube.

    They are as many as the first power of two from `least` on.
    """
    from scipy.stats import qmc  # type: ignore[import-untyped]

    points = qmc.Sobol(d, scramble=False).random_base2((least - 1).bit_length())
    return (points + rng.random(d)) % 1.0


def _apart(cube: Cube, pool: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Return squared distances (m,) that wrap around; two unordered values are 1/2 apart."""
    off = np.abs(pool - u)
    off = np.minimum(off, 1.0 - off)
    off = np.where(cube.features.ordered, off, 0.5 * (off > 1e-9))
    return np.einsum("md,md->m", off, off)
