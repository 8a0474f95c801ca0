"""The model of a domain's scores: learned scales, and the posterior after all observations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._cube import Cube
from ._gaussian_process import Process, conditioned, learned
from ._warp import Units, standardized

_LEARNED = 256  # observations that the scales are learned from
_HELD = 2048  # observations that the posterior is of; its matrices are of their square
_STEPS = 30  # evaluations of the likelihood from each start


@dataclass(frozen=True)
class Surrogate:
    """A posterior over a cube.

    Attributes:
        process: over the warped scores, the best observations first.
        units: of the scores before the warp.
        best: the least mean at an observed point, after as many epochs as there are; what is to be
            improved on.
    """

    process: Process
    units: Units
    best: float


def surrogate(cube: Cube) -> Surrogate:
    """Return the model of what is known; at least one score must be finite.

    Of more than 2,048 observations it is that of the best ones and of some of all others.
    """
    y, units = standardized(cube.scores)
    x = cube.features.of(cube.scored, cube.shares)
    few = _telling(cube, _LEARNED)
    scales = learned(x[few], y[few], cube.features.axis, _STEPS)
    order = _telling(cube, _HELD)
    process = conditioned(x[order], y[order], cube.features.axis, scales)
    full = cube.scored[cube.shares == 1.0]
    at = cube.features.of(full if len(full) else cube.scored)
    return Surrogate(process, units, float(process.means(at).min()))


def _telling(cube: Cube, most: int) -> np.ndarray:
    """Return the places of so many observations at most: the best, and some of all others.

    Those with the most epochs come before others.
    """
    order = cube.ranked()
    if len(order) <= most:
        return order
    half = most // 2
    step = -(-(len(order) - half) // half)
    return np.concatenate([order[:half], order[half::step]])
