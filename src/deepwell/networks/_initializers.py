"""Initial weights, drawn on the host by the coordinate hash: the same numbers for any program.

Every scheme draws `W ~ N(0, std^2)` by the inverse of the normal distribution at hashed uniform
numbers; biases start at 0.

    zeros   std 0                       every unit of a layer stays equal: shows why not
    large   std 10                      saturates
    small   std 0.01                    signals vanish with depth
    lecun   std sqrt(1 / n_in)          LeCun et al. 1998; called Xavier for tanh in courses
    glorot  std sqrt(2 / (n_in + n_out))  Glorot & Bengio 2010, equation 16 in normal form
    he      std sqrt(2 / n_in)          He et al. 2015, equation 10
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from deepwell._base._hash import Purpose
from deepwell._base._registry import Registry

from ._architecture import Architecture
from ._normals import fill_normals

INITIALIZERS: Registry[Callable[[int, int], float]] = Registry(
    "initializer",
    {
        "zeros": lambda n_in, n_out: 0.0,
        "large": lambda n_in, n_out: 10.0,
        "small": lambda n_in, n_out: 0.01,
        "lecun": lambda n_in, n_out: math.sqrt(1.0 / n_in),
        "glorot": lambda n_in, n_out: math.sqrt(2.0 / (n_in + n_out)),
        "he": lambda n_in, n_out: math.sqrt(2.0 / n_in),
    },
)


def standard_deviation(initializer: str, n_in: int, n_out: int) -> float:
    """Return the standard deviation of a layer's initial weights.

    >>> round(standard_deviation("he", 5, 1), 3), round(standard_deviation("he", 100, 1), 3)
    (0.632, 0.141)
    """
    return INITIALIZERS[initializer](n_in, n_out)


def parameter_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Return the shape of each parameter array, `weights/0, biases/0, weights/1, ...`."""
    return {
        name: shape
        for layer, (n_in, n_out) in enumerate(architecture.layer_shapes())
        for name, shape in ((f"weights/{layer}", (n_in, n_out)), (f"biases/{layer}", (n_out,)))
    }


def initial_parameters(
    architecture: Architecture, initializer: str, seed: int, dtype: str = "float32"
) -> dict[str, np.ndarray]:
    """Return `weights/l` of shape (n_in, n_out) and `biases/l` of shape (n_out,) for each layer.

    The weight at (i, j) of layer l depends on the seed, l, i and j alone: a wider layer holds
    the same numbers in its corner, up to the scheme's scale.

    Args:
        architecture: the network.
        initializer: a name of `INITIALIZERS`.
        seed: the trial's seed.
        dtype: `float32` or `float64`; drawn in float64 and rounded once.
    """
    parameters: dict[str, np.ndarray] = {}
    for layer, (n_in, n_out) in enumerate(architecture.layer_shapes()):
        weights = np.zeros((n_in, n_out), dtype)
        std = standard_deviation(initializer, n_in, n_out)
        if std:
            fill_normals(weights, seed, (Purpose.WEIGHTS, layer), std)
        parameters[f"weights/{layer}"] = weights
        parameters[f"biases/{layer}"] = np.zeros(n_out, dtype)
    return parameters
