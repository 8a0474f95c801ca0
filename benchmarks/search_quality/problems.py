"""Functions of COCO, to be minimized: bbob, bbob-noisy and bbob-mixint.

Source: Hansen, Auger, Ros, Mersmann, Tusar and Brockhoff 2021, "COCO: a platform for comparing
continuous optimizers in a black-box setting". Runs in the peers' environment.
"""

from __future__ import annotations

import tempfile
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

NOISY_BASES = {  # of each three noisy functions from f101 on: the function under the noise
    101: 1, 104: 8, 107: 1, 110: 8, 113: 7, 119: 14, 122: 17, 125: 19, 128: 21,
}  # fmt: skip
"""f116 to f118 have none: their ellipsoid has condition 1e4, and that of f10 has 1e6."""
_FACTORS = {125: 0.1}  # f19 is ten times the function under the noise of f125 to f127


@dataclass(frozen=True)
class Problem:
    """A function with its box and its least value.

    Attributes:
        suite: `bbob`, `bbob-noisy` or `bbob-mixint`.
        function, dimension, instance: as COCO numbers them.
        low, high: ends of each variable, (d,).
        whole: how many of the first variables are whole numbers.
        observed, true: COCO's problems with noise and without.
        least: value of `true` at its best point.
        factor: how much of an excess of `true` is one of the function under the noise.
    """

    suite: str
    function: int
    dimension: int
    instance: int
    low: np.ndarray
    high: np.ndarray
    whole: int
    observed: Any
    true: Any
    least: float
    factor: float = 1.0

    def score(self, x: np.ndarray) -> float:
        """Return the value that a sampler is told, with noise where there is some."""
        return float(self.observed(x))

    def excess(self, x: np.ndarray) -> float:
        """Return how far the value without noise lies above the least one."""
        return self.factor * max(float(self.true(x)) - self.least, 0.0)


def problem(suite: str, function: int, dimension: int, instance: int) -> Problem:
    """Return one problem of a suite.

    Raises:
        ValueError: when its value without noise is that of no function of COCO's.
    """
    import cocoex

    observed = _coco(cocoex, suite, function, dimension, instance)
    true, factor = observed, 1.0
    if suite == "bbob-noisy":
        base, factor = under_noise(function)
        true = _coco(cocoex, "bbob", base, dimension, instance)
    return Problem(
        suite, function, dimension, instance,
        np.array(observed.lower_bounds), np.array(observed.upper_bounds),
        int(observed.number_of_integer_variables), observed, true, float(true(_optimum(true))),
        factor,
    )  # fmt: skip


def under_noise(function: int) -> tuple[int, float]:
    """Return the function of bbob that a noisy one is made of, and the factor on its excesses.

    >>> under_noise(103), under_noise(126)
    ((1, 1.0), (19, 0.1))

    Raises:
        ValueError: when there is none.
    """
    first = function - (function - 101) % 3
    if first not in NOISY_BASES:
        raise ValueError(f"no function of bbob is that under the noise of f{function}")
    return NOISY_BASES[first], _FACTORS.get(first, 1.0)


def _coco(cocoex: Any, suite: str, function: int, dimension: int, instance: int) -> Any:
    found = cocoex.Suite(suite, f"instances:{instance}", f"dimensions:{dimension}")
    return found.get_problem_by_function_dimension_instance(function, dimension, instance)


def _optimum(of: Any) -> np.ndarray:
    """Return the best point, which COCO tells by a file in the current folder."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        of._best_parameter("print")
        return np.loadtxt(Path("._bbob_problem_best_parameter.txt"), ndmin=1)
