"""Draws of greatest expected improvement, each given those before it."""

from __future__ import annotations

import itertools
import math

import numpy as np

from ._believer import Believer
from ._cube import Cube
from ._filling import sobol
from ._maximize import Climb, climbed
from ._surrogate import Surrogate

_SPREAD, _NEAR = 1024, 1024  # candidates all over the cube, and near the best
_CENTERS = 10  # best points that candidates are near to
_LISTED = 4096  # points of a finite domain that are all candidates
_WORK = 4e8  # multiplications that climbing may take in all, per evaluation a point
_MOST_STEPS = 40
_REACH = 0.1  # of a climb that stays near the best points
_ROOM = 64  # further points that may be passed over and still be believed


class Greedy:
    """The points of a batch, one after another.

    Args:
        cube: what may be tried, and what was.
        model: of the scores.
        n: how many points are wanted; more can be drawn.
        rng: draws candidates.
    """

    def __init__(self, cube: Cube, model: Surrogate, n: int, rng: np.random.Generator) -> None:
        self._cube, self._rng = cube, rng
        size = len(model.process.points) + len(cube.pending) + n
        self._room = n + _ROOM
        self._believer = Believer(model.process, model.best, len(cube.pending) + self._room)
        for u in cube.pending:
            self._believer.believe(cube.features.of(u[None])[0])
        self._turn = len(cube.tried)
        # A point that was tried may promise most again, as a corner of a continuum does.
        self._taken = {u.tobytes() for u in cube.tried}
        self._pool, self._near = self._candidates()
        self._open = np.ones(len(self._pool), bool)
        self._believer.watch(cube.features.of(self._pool))
        self._steps = int(np.clip(_WORK / (n * size**2), 4, _MOST_STEPS))
        self._starts = 6 if n == 1 else 3 if n <= 8 else 1

    def draw(self, count: int) -> np.ndarray:
        """Return the next points, (count, d)."""
        return np.array([self._next() for _ in range(count)])

    @property
    def _discrete(self) -> bool:
        return not self._cube.features.continuous.any()

    def _next(self) -> np.ndarray:
        """Return the next point: every second one is sought near the best ones only."""
        self._turn += 1
        local = self._turn % 2 == 0 and self._near.any()
        starts = self._best_open(self._open & self._near if local else self._open)
        if not starts:  # a finite domain is used up, or nothing of the pool is allowed
            return self._cube.snapped(self._rng.random((1, self._cube.dimension)))[0]
        climb = Climb(self._steps, _REACH if local else 1.0)
        climbs = [
            climbed(self._believer, self._cube, (self._pool[i], value), climb, self._rng)
            for i, value in starts
        ]
        ends = [(u, value) for u, value in climbs if self._acceptable(u)]
        u = max(ends, key=lambda end: end[1])[0] if ends else self._pool[starts[0][0]]
        self._taken.add(u.tobytes())
        if self._room:
            self._room -= 1
            self._believer.believe(self._cube.features.of(u[None])[0])
        return u

    def _best_open(self, open_: np.ndarray) -> list[tuple[int, float]]:
        """Return the best candidates that are apart; what is not acceptable is shut.

        They are places in the pool, each with its acquisition.
        """
        found: list[tuple[int, float]] = []
        near = 0
        for i, value in self._believer.promising(open_):
            apart = [np.abs(self._pool[other] - self._pool[i]).max() for other, _ in found]
            if min(apart, default=1.0) < 0.02:
                near += 1
            elif self._acceptable(self._pool[i]):
                found.append((i, value))
            else:
                self._open[i] = False
            if len(found) == self._starts or near > 100:
                break
        return found

    def _acceptable(self, u: np.ndarray) -> bool:
        return u.tobytes() not in self._taken and self._cube.allowed(u)

    def _candidates(self) -> tuple[np.ndarray, np.ndarray]:
        """Return points all over the cube and near the best ones, and which are the latter.

        Of a small finite domain they are all of its points.
        """
        cube, rng = self._cube, self._rng
        counts = cube.features.counts
        if self._discrete and math.prod(int(c) for c in counts) <= _LISTED:
            middles = [[(k + 0.5) / c for k in range(c)] for c in counts]
            every = np.unique(cube.snapped(np.array(list(itertools.product(*middles)))), axis=0)
            return every, np.zeros(len(every), bool)
        centers = cube.scored[cube.ranked()[:_CENTERS]]
        at = centers[rng.integers(len(centers), size=_NEAR)]
        size = 10.0 ** rng.uniform(-4, -0.5, size=(_NEAR, 1))
        share = np.maximum(rng.random((_NEAR, 1)), 1.0 / cube.dimension)
        moved = rng.random(at.shape) < share
        near = np.abs(at + moved * size * rng.standard_normal(at.shape))  # reflected at 0 and 1
        near = np.where(near > 1.0, np.maximum(2.0 - near, 0.0), near)
        spread = sobol(cube.dimension, _SPREAD, rng)
        pool = cube.snapped(np.concatenate([spread, near]))
        return pool, np.arange(len(pool)) >= len(spread)
