"""The tree-structured Parzen estimator, multivariate and in batches.

The best points l and all others g are each described by a Parzen estimator (`_parzen`); of some
candidates drawn from l, the one with the largest l(x) / g(x) is proposed. A point whose score is
still out, or that was chosen a moment ago, counts as bad (constant liar), so that a batch spreads.
A diverged trial is among the bad ones too, and a trial that was stopped early is ranked after all
with more epochs.

Sources: Bergstra, Bardenet, Bengio and Kegl 2011, "Algorithms for hyper-parameter optimization";
Falkner, Klein and Hutter 2018, "BOHB", for kernels over all axes at once; Ginsbourger, Le Riche and
Carraro 2010 for the liar.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search.spaces._domain import Domain

from ._cube import Cube, cube_of
from ._filling import filling
from ._fresh import fresh
from ._parzen import Parzen, parzen

_FIRST = 10  # evenly spread points before the estimators decide
_BEST_SHARE, _MOST_BEST = 0.1, 25
_CANDIDATES = 64
_FULL_WEIGHT = 25  # latest points, as in Hyperopt and Optuna


def propose(
    domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
) -> list[dict[str, Value]]:
    """Return `n` configurations that are likely among the good ones and unlikely among the bad.

    Args:
        domain: what may be tried.
        history: all that was tried so far.
        n: how many configurations are wanted.
        key: where all randomness comes from.

    Returns:
        One dictionary a configuration, with a real value for every name of `domain`.
    """
    drawing = _Drawing(cube_of(domain, history), n, np.random.default_rng(key))
    return fresh(domain, history, n, drawing.draw)


class _Drawing:
    """The points of a batch, one after another."""

    def __init__(self, cube: Cube, n: int, rng: np.random.Generator) -> None:
        self._cube, self._rng = cube, rng
        known = int(np.isfinite(cube.scores).sum())
        first = n if not known else min(n, max(0, _FIRST - len(cube.tried)))
        self._spread = list(filling(cube, first, rng))
        good, self._bad = _divided(cube)
        self._bad_active = cube.active(self._bad)
        self._good = self._estimator(good, cube.active(good)) if known else None

    def draw(self, count: int) -> np.ndarray:
        """Return the next points, (count, d)."""
        points = [self._next() for _ in range(count)]
        return np.array(points).reshape(count, self._cube.dimension)

    def _next(self) -> np.ndarray:
        if self._spread:
            u = self._spread.pop(0)
        elif self._good is None:
            return self._cube.snapped(self._rng.random((1, self._cube.dimension)))[0]
        else:
            u = self._likely(self._good)
        if self._good is not None and self._cube.allowed(u):  # what is forbidden is drawn again
            self._bad = np.concatenate([self._bad, u[None]])
            self._bad_active = np.concatenate([self._bad_active, self._cube.active(u[None])])
        return u

    def _likely(self, good: Parzen) -> np.ndarray:
        candidates = self._cube.snapped(good.draw(_CANDIDATES, self._rng))
        allowed = np.array([self._cube.allowed(u) for u in candidates])
        if not allowed.any():
            return candidates[0]
        candidates = candidates[allowed]
        active = self._cube.active(candidates)
        bad = self._estimator(self._bad, self._bad_active)
        gain = good.log_density(candidates, active) - bad.log_density(candidates, active)
        return candidates[int(gain.argmax())]

    def _estimator(self, points: np.ndarray, active: np.ndarray) -> Parzen:
        return parzen(self._cube.features, points, active, _weights(len(points)))


def _divided(cube: Cube) -> tuple[np.ndarray, np.ndarray]:
    """Return the best points and all others, those whose scores are out included."""
    order = cube.ranked()
    finite = int(np.isfinite(cube.scores).sum())
    best = min(math.ceil(_BEST_SHARE * len(order)), _MOST_BEST, finite)
    others = np.sort(order[best:])
    good = cube.scored[np.sort(order[:best])]
    return good, np.concatenate([cube.scored[others], cube.pending])


def _weights(n: int) -> np.ndarray:
    """Return the weights of points in the order of proposal: the latest 25 have 1, the oldest 1/n.

    >>> _weights(27).round(2).tolist()[:3]
    [0.04, 1.0, 1.0]
    """
    ramp = max(n - _FULL_WEIGHT, 0)
    return np.concatenate([np.linspace(1.0 / max(n, 1), 1.0, ramp), np.ones(n - ramp)])
