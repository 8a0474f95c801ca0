"""Families of learning curves: how an error may fall with the number of rows.

Every family is a shape g that falls with x, rows over the rows there are, and a curve is

    E(x) = c + a g(x; shape),      a >= 0,  c + a g(infinity) >= 0.

Level and size of the fall are linear, so a fit needs no search: the one or two numbers of a shape
are laid out on a grid, evenly in their logarithms, and each point of it is weighed.

Exponentials level off sooner than most measured curves do, and so begin with a quarter of the
weight of the others. The families are those that fit sample-wise learning curves best in the
Learning Curve Database (Viering & Loog 2023, "The shape of learning curves", IEEE TPAMI 45; Mohr,
Viering, Loog & van Rijn 2022, ECML), under the names used there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Shape = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Family:
    """One family.

    Attributes:
        name: as in the Learning Curve Database, where it has one.
        formula: of E, in words.
        grid: (k, p) numbers of the shapes.
        shape: `(grid, x) -> (k, len(x))` values of g, falling in x; x may be infinite.
        offset: whether c is free; else it is 0.
        prior: weight before anything was measured.
    """

    name: str
    formula: str
    grid: np.ndarray
    shape: Shape
    offset: bool = True
    prior: float = 1.0


def _logs(low: float, high: float, count: int) -> np.ndarray:
    return np.geomspace(low, high, count)


def _pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.stack([part.ravel() for part in np.meshgrid(first, second)], axis=1)


def _power(grid: np.ndarray, x: np.ndarray) -> np.ndarray:
    return x[None, :] ** -grid[:, :1]


def _shifted(grid: np.ndarray, x: np.ndarray) -> np.ndarray:
    return (x[None, :] + grid[:, 1:]) ** -grid[:, :1]


def _exponential(grid: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.exp(-grid[:, :1] * x[None, :])


def _stretched(grid: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.exp(-grid[:, 1:] * x[None, :] ** grid[:, :1])


def _saturating(grid: np.ndarray, x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + (x[None, :] / grid[:, 1:]) ** grid[:, :1])


def _flat(grid: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.ones((len(grid), len(x)))


_POWERS = _logs(0.05, 3.0, 120)
_FEW_POWERS = _logs(0.1, 3.0, 36)
_HALVES = _logs(1e-3, 4.0, 36)  # of the rows at which half of the fall is done

FAMILIES: tuple[Family, ...] = (
    Family("last1", "c", np.zeros((1, 1)), _flat, offset=False),
    Family("pow2", "a n^-b", _POWERS[:, None], _power, offset=False),
    Family("pow3", "c + a n^-b", _POWERS[:, None], _power),
    Family("pow4", "c + a (n + d)^-b", _pairs(_FEW_POWERS, _logs(0.01, 2.0, 24)), _shifted),
    Family("exp3", "c + a exp(-b n)", _logs(0.2, 60.0, 160)[:, None], _exponential, prior=0.25),
    Family(
        *("exp4", "c + a exp(-b n^d)"),
        *(_pairs(_logs(0.1, 1.5, 24), _logs(0.2, 60.0, 60)), _stretched),
        prior=0.25,
    ),
    Family("mmf4", "c + a / (1 + (n / d)^b)", _pairs(_logs(0.2, 5.0, 36), _HALVES), _saturating),
    Family(
        *("logpower3", "a / (1 + (n / d)^b)"),
        *(_pairs(_logs(0.1, 3.0, 36), _HALVES), _saturating),
        offset=False,
    ),
)
