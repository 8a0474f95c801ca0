"""The parts that a score is made of: functions of one axis, and of two."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.search.spaces._domain import Axis

from ._basis import axis_basis

_OF_TWO = 5  # highest degree along each axis of two
_TOGETHER = 7  # highest sum of both
_MOST = 900  # functions, beyond which further interactions are left out


@dataclass(frozen=True, eq=False)
class Terms:
    """Effects and their functions.

    Attributes:
        axes: of each effect, one or two places of axes.
        owner: (p,) which effect a function belongs to.
        weight: (p,) expected square of a coefficient; those of an effect add up to 1.
        numbers: (p, 2) which functions along the effect's axes it is the product of, counted from
            1; the second is 0 of one axis.
    """

    axes: tuple[tuple[int, ...], ...]
    owner: np.ndarray
    weight: np.ndarray
    numbers: np.ndarray

    @property
    def of_two(self) -> np.ndarray:
        """(E,) whether an effect is an interaction."""
        return np.array([len(axes) == 2 for axes in self.axes])


def terms_of(axes: Sequence[Axis], interacting: Sequence[int]) -> Terms:
    """Return the effects of each axis, and of all pairs of those that may interact.

    A function of degree k weighs 1 / k^2, of degrees k and l 1 / (k l)^2: rough functions are
    expected to matter less. Interactions that would make more than 900 functions are left out.

    Args:
        axes: of the cube.
        interacting: places of axes, the most important first.
    """
    each = [axis_basis(axis, np.zeros(1))[1] for axis in axes]
    found: list[tuple[tuple[int, ...], np.ndarray, np.ndarray]] = [
        ((j,), np.column_stack([np.arange(1, len(k) + 1), 0 * k]), k) for j, k in enumerate(each)
    ]
    size = sum(len(k) for k in each)
    for i, j in itertools.combinations(interacting, 2):
        first, second = min(i, j), max(i, j)
        k, m = (grid.ravel() for grid in np.meshgrid(each[first], each[second], indexing="ij"))
        numbers = np.indices((len(each[first]), len(each[second]))).reshape(2, -1).T + 1
        kept = (k <= _OF_TWO) & (m <= _OF_TWO) & (k + m <= _TOGETHER)
        size += int(kept.sum())
        if size > _MOST:
            break
        found.append(((first, second), numbers[kept], (k * m)[kept]))
    weights = [1.0 / rough.astype(np.float64) ** 2 for _, _, rough in found]
    return Terms(
        axes=tuple(which for which, _, _ in found),
        owner=np.concatenate([np.full(len(w), e) for e, w in enumerate(weights)]),
        weight=np.concatenate([w / w.sum() for w in weights]),
        numbers=np.concatenate([numbers for _, numbers, _ in found]),
    )


def functions(
    terms: Terms, axes: Sequence[Axis], units: np.ndarray, active: np.ndarray
) -> np.ndarray:
    """Return (n, p) the value of every function at every point.

    Args:
        terms: the effects.
        axes: of the cube.
        units: (n, d) points.
        active: (n, d) whether an axis matters at a point; where not, its functions are 0.
    """
    values = [axis_basis(axis, units[:, j])[0] * active[:, j, None] for j, axis in enumerate(axes)]
    columns: list[np.ndarray] = []
    for effect, which in enumerate(terms.axes):
        numbers = terms.numbers[terms.owner == effect] - 1
        product = values[which[0]][:, numbers[:, 0]]
        if len(which) == 2:
            product = product * values[which[1]][:, numbers[:, 1]]
        columns.append(product)
    return np.concatenate(columns, axis=1)
