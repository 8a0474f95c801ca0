"""Bayesian optimization with a Gaussian process, in true batches.

The model is that of `_gaussian_process`, the acquisition that of `_acquisition`, a batch grows as
in `_believer`. The first points fill the cube evenly. Each call learns the model anew from all that
is known, so that the function is pure.

Sources: Jones, Schonlau and Welch 1998, "Efficient global optimization of expensive black-box
functions"; Snoek, Larochelle and Adams 2012, "Practical Bayesian optimization of machine learning
algorithms".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search.spaces._domain import Domain

from ._cube import Cube, cube_of
from ._filling import filling
from ._fresh import fresh
from ._greedy import Greedy
from ._numerics import load
from ._surrogate import surrogate

_FIRST = 4  # evenly spread points before the model decides, and one more an axis
_MOST_FIRST = 16


def propose(
    domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
) -> list[dict[str, Value]]:
    """Return the `n` configurations of greatest expected improvement, each given those before it.

    Args:
        domain: what may be tried.
        history: all that was tried so far; a score that is still out counts as the mean that the
            model expects. A trial that was stopped early counts with the share of its epochs.
        n: how many configurations are wanted.
        key: where all randomness comes from.

    Returns:
        One dictionary a configuration, with a real value for every name of `domain`.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    load()
    # One thread of BLAS gives the same bits on any number of cores.
    with threadpool_limits(1, user_api="blas"):
        rng = np.random.default_rng(key)
        cube = cube_of(domain, history)
        first = _spread_out(cube, n)
        taken: list[dict[str, Value]] = []
        if first:
            taken = fresh(domain, history, first, _Spread(cube, rng, first).draw)
            history = [*history, *(Observation(values) for values in taken)]
            cube = cube_of(domain, history)
        if first == n:
            return taken
        greedy = Greedy(cube, surrogate(cube), n - first, rng)
        return taken + fresh(domain, history, n - first, greedy.draw)


def _spread_out(cube: Cube, n: int) -> int:
    """Return how many of `n` points are to be spread evenly, for want of knowledge."""
    if not np.isfinite(cube.scores).any() or not cube.dimension:
        return n
    wanted = min(_FIRST + cube.dimension, _MOST_FIRST)
    return int(np.clip(wanted - len(cube.tried), 0, n))


class _Spread:
    """Evenly spread points, other ones at each call."""

    def __init__(self, cube: Cube, rng: np.random.Generator, n: int) -> None:
        self._rng = rng
        self._dimension = cube.dimension
        self._left = list(filling(cube, n, rng))

    def draw(self, count: int) -> np.ndarray:
        """Return `count` points; random ones when those that fill the cube are used up."""
        given, self._left = self._left[:count], self._left[count:]
        more = self._rng.random((count - len(given), self._dimension))
        return np.array([*given, *more]).reshape(count, self._dimension)
