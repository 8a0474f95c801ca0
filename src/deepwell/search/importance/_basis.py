"""Functions of one axis of the unit cube that average to 0 and are uncorrelated.

Where an axis is a continuum they are the Legendre polynomials of 2 u - 1, scaled to mean square 1:

    b_k(u) = sqrt(2 k + 1) P_k(2 u - 1),    k = 1 .. 8,

and of values in order the same polynomials made orthonormal over these values. Values without an
order get contrasts: any orthonormal set that averages to 0 over them. Products over several axes
are then uncorrelated too, so that the mean square of a sum is the sum of its squared coefficients.
"""

from __future__ import annotations

import numpy as np

from deepwell.search.spaces._domain import Axis

DEGREES = 8
"""Highest degree along one axis: Ishigami's two periods need all of them."""


def axis_basis(axis: Axis, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the functions at some points, and how rough each one is.

    >>> from deepwell.search import Axis
    >>> values, degrees = axis_basis(Axis("kind", 2, False), np.array([0.25, 0.75]))
    >>> np.abs(values[:, 0]).round(6).tolist(), degrees.tolist()
    ([1.0, 1.0], [1])

    Args:
        axis: of the cube, with at least two values.
        units: (n,) in [0, 1].

    Returns:
        The values (n, K), and the degrees (K,), all 1 where there is no order.
    """
    if axis.count is None:
        return _legendre(units, DEGREES), np.arange(1, DEGREES + 1)
    place = np.minimum((units * axis.count).astype(np.int64), axis.count - 1)
    middles = (np.arange(axis.count) + 0.5) / axis.count
    if axis.ordered:
        degrees = min(DEGREES, axis.count - 1)
        table, numbers = _legendre(middles, degrees), np.arange(1, degrees + 1)
    else:
        table, numbers = np.eye(axis.count)[:, :-1], np.ones(axis.count - 1, np.int64)
    table, _ = np.linalg.qr(np.column_stack([np.ones(axis.count), table]))
    return (np.sqrt(axis.count) * table[:, 1:])[place], numbers


def _legendre(units: np.ndarray, degrees: int) -> np.ndarray:
    """Return (n, degrees) the polynomials, by k P_k = (2 k - 1) t P_k-1 - (k - 1) P_k-2."""
    t = 2.0 * units - 1.0
    found = [np.ones_like(t), t]
    for k in range(2, degrees + 1):
        found.append(((2 * k - 1) * t * found[-1] - (k - 1) * found[-2]) / k)
    return np.column_stack([np.sqrt(2 * k + 1) * found[k] for k in range(1, degrees + 1)])
