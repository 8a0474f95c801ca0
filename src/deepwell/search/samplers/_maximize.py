"""The best point of an acquisition near a start, in a mixed space.

Climbing along the continuous axes by L-BFGS-B, and among the neighbors along the discrete ones, in
turns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._believer import Believer
from ._cube import Cube
from ._numerics import minimized

_LISTED = 24  # values of a discrete axis that are all tried
_TURNS = 3


@dataclass(frozen=True)
class Climb:
    """How far climbing goes.

    Attributes:
        steps: evaluations along the continuous axes, in each turn.
        reach: largest distance from the start along a continuous axis, in one turn.
    """

    steps: int
    reach: float = 1.0


def climbed(
    believer: Believer,
    cube: Cube,
    start: tuple[np.ndarray, float],
    climb: Climb,
    rng: np.random.Generator,
) -> tuple[np.ndarray, float]:
    """Return a point (d,) at least as good as the start, and its acquisition.

    Args:
        believer: the acquisition.
        cube: what may be tried.
        start: a snapped point, (d,), and its acquisition.
        climb: how far to go.
        rng: draws values of discrete axes that have too many to try all.
    """
    at, value = start
    mixed = not cube.features.continuous.all()
    for _ in range(_TURNS if mixed else 1):
        before = value
        at, value = _along(believer, cube, at, value, climb)
        if mixed:
            at, value = _among(believer, cube, at, value, rng)
        if value <= before + 1e-9:
            break
    return at, value


def _along(
    believer: Believer, cube: Cube, at: np.ndarray, value: float, climb: Climb
) -> tuple[np.ndarray, float]:
    """Climb along the continuous axes that matter."""
    features = cube.features
    free = np.flatnonzero(features.continuous & cube.active(at[None])[0])
    if not len(free):
        return at, value
    columns = [features.column(int(j)) for j in free]
    frozen = features.of(at[None])[0]

    def fall(u: np.ndarray) -> tuple[float, np.ndarray]:
        x = frozen.copy()
        x[columns] = u
        height, gradient = believer.slope(x)
        return -height, -gradient[columns]

    bounds = [(max(u - climb.reach, 0.0), min(u + climb.reach, 1.0)) for u in at[free]]
    found, fallen = minimized(fall, at[free], bounds, climb.steps)
    if not -fallen > value:
        return at, value
    moved = at.copy()
    moved[free] = np.clip(found, 0.0, 1.0)
    return moved, -fallen


def _among(
    believer: Believer, cube: Cube, at: np.ndarray, value: float, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Move to the best neighbor along a discrete axis, while that is better."""
    for _ in range(cube.dimension):
        near = neighbors(cube, at, rng)
        found = believer.best_above(cube.features.of(near), value) if len(near) else None
        if found is None:
            break
        at, value = near[found[0]], found[1]
    return at, value


def neighbors(cube: Cube, at: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the points (m, d) that differ from `at` in one discrete axis."""
    found = [np.zeros((0, len(at)))]
    for j in np.flatnonzero(~cube.features.continuous & cube.active(at[None])[0]):
        count = int(cube.features.counts[j])
        place = min(int(at[j] * count), count - 1)
        if count <= _LISTED:
            places = np.arange(count)
        else:
            steps = np.array([-3, -2, -1, 1, 2, 3])
            places = np.concatenate([place + steps, rng.integers(count, size=_LISTED - 6)])
        places = np.unique(places[(places >= 0) & (places < count) & (places != place)])
        others = np.tile(at, (len(places), 1))
        others[:, j] = (places + 0.5) / count
        found.append(others)
    return cube.snapped(np.concatenate(found))
