"""Initial weights, drawn on the host by the coordinate hash: the same numbers for any program.

Every scheme draws `W ~ N(0, std^2)` by the inverse of the normal distribution at hashed uniform
numbers; biases start at 0.

    zeros   std 0                       every unit of a layer stays equal: shows why not
    large   std 10                      saturates
    small   std 0.01                    signals vanish with depth
    lecun   std sqrt(1 / n_in)          LeCun et al. 1998; called Xavier for tanh in courses
    glorot  std sqrt(2 / (n_in + n_out))  Glorot & Bengio 2010, equation 16 in normal form
    he      std sqrt(2 / n_in)          He et al. 2015, equation 10

`identity` draws nothing: a one where input and output have the same number, zeros else, in
hidden layers; the output layer is drawn as by lecun. A scale multiplies all of them: 1.5 with
`identity` gives hidden layers of 1.5 I, whose signal grows as 1.5^l. A maxout unit's pieces are
drawn one by one, n_out counting units.
"""

from __future__ import annotations

import itertools
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
        "identity": lambda n_in, n_out: math.sqrt(1.0 / n_in),  # of the output layer
    },
)


_KERNELS = 1 << 16  # convolutional layers draw as layers from this number on


def standard_deviation(initializer: str, n_in: int, n_out: int) -> float:
    """Return the standard deviation of a layer's initial weights.

    >>> round(standard_deviation("he", 5, 1), 3), round(standard_deviation("he", 100, 1), 3)
    (0.632, 0.141)
    """
    return INITIALIZERS[initializer](n_in, n_out)


def layer_deviations(
    architecture: Architecture, initializer: str, scale: float = 1.0
) -> list[float]:
    """Return the standard deviation of each layer's drawn weights, n_out counting units."""
    widths = architecture.widths
    return [scale * standard_deviation(initializer, *pair) for pair in itertools.pairwise(widths)]


def initial_parameters(
    architecture: Architecture,
    initializer: str,
    seed: int,
    dtype: str = "float32",
    scale: float = 1.0,
) -> dict[str, np.ndarray]:
    """Return the parameters of `Architecture.parameter_shapes`, in that order.

    Biases and shifts start at 0, the scales of batch normalization at 1. The weight at (i, j) of
    layer l depends on the seed, l, i and j alone: a wider layer holds the same numbers in its
    corner, up to the scheme's scale.

    Args:
        architecture: the network.
        initializer: a name of `INITIALIZERS`.
        seed: the trial's seed.
        dtype: `float32` or `float64`; drawn in float64 and rounded once.
        scale: factor on all weights, at least 0.
    """
    parameters: dict[str, np.ndarray] = {}
    for name, shape in architecture.parameter_shapes().items():
        kind, layer = name.split("/")
        parameters[name] = array = np.zeros(shape, dtype)
        if kind in ("scales", "channel_scales"):
            array.fill(1.0)
        elif kind == "kernels":
            _fill_kernels(array, int(layer), initializer, seed, scale)
        elif kind == "weights":
            _fill(array, architecture, int(layer), initializer, seed, scale)
    return parameters


def initial_statistics(architecture: Architecture, dtype: str = "float32") -> dict[str, np.ndarray]:
    """Return the mean 0 and variance 1 that batch normalization starts from, by name."""
    return {
        name: (np.zeros if "means/" in name else np.ones)(shape, dtype)
        for name, shape in architecture.statistic_shapes().items()
    }


def _fill_kernels(
    kernels: np.ndarray, layer: int, initializer: str, seed: int, scale: float
) -> None:
    """Draw (k, k, channels in, channels out) kernels: a unit sees k k channels in."""
    k, _, n_in, n_out = kernels.shape
    std = scale * standard_deviation(initializer, k * k * n_in, k * k * n_out)
    flat = kernels.reshape(k * k * n_in, n_out)  # a view
    if std:
        fill_normals(flat, seed, (Purpose.WEIGHTS, _KERNELS + layer), std)


def _fill(
    weights: np.ndarray,
    architecture: Architecture,
    layer: int,
    initializer: str,
    seed: int,
    scale: float,
) -> None:
    hidden = layer < architecture.layers - 1
    if initializer == "identity" and hidden:
        n_in, columns = weights.shape
        pieces = architecture.pieces
        for unit in range(min(n_in, columns // pieces)):
            weights[unit, unit * pieces : (unit + 1) * pieces] = scale
        return
    std = layer_deviations(architecture, initializer, scale)[layer]
    if std:
        fill_normals(weights, seed, (Purpose.WEIGHTS, layer), std)
