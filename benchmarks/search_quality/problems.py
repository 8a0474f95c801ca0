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
    101: 1, 104: 8, 107: 1, 110: 8, 113: 7, 116: 10, 119: 14, 122: 17, 125: 19, 128: 21,
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """A function with its box and its least value.

    Attributes:
        suite: `bbob`, `bbob-noisy` or `bbob-mixint`.
        function, dimension, instance: as COCO numbers them.
        low, high: ends of each variable, (d,).
        whole: how many of the first variables are whole numbers.
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

    def score(self, x: np.ndarray) -> float:
        """Return the value that a sampler is told, with noise where there is some."""
        return float(self.observed(x))

    def excess(self, x: np.ndarray) -> float:
        """Return how far the value without noise lies above the least one."""
        return max(float(self.true(x)) - self.least, 0.0)


def problem(suite: str, function: int, dimension: int, instance: int) -> Problem:
    """Return one problem of a suite."""
    import cocoex

    observed = _coco(cocoex, suite, function, dimension, instance)
    true = observed
    if suite == "bbob-noisy":
        base = NOISY_BASES[function - (function - 101) % 3]
        true = _coco(cocoex, "bbob", base, dimension, instance)
    return Problem(
        suite, function, dimension, instance,
        np.array(observed.lower_bounds), np.array(observed.upper_bounds),
        int(observed.number_of_integer_variables), observed, true, float(true(_optimum(true))),
    )  # fmt: skip


def _coco(cocoex: Any, suite: str, function: int, dimension: int, instance: int) -> Any:
    found = cocoex.Suite(suite, f"instances:{instance}", f"dimensions:{dimension}")
    return found.get_problem_by_function_dimension_instance(function, dimension, instance)


def _optimum(of: Any) -> np.ndarray:
    """Return the best point, which COCO tells by a file in the current folder."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        of._best_parameter("print")
        return np.loadtxt(Path("._bbob_problem_best_parameter.txt"), ndmin=1)
