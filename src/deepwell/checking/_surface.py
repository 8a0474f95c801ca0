"""A cost over a plane through the parameters, and the path of a descent over it.

The plane is spanned by two given directions, or by the two along which the path moved most (the
principal components of its points; Lorch 2016, Li et al. 2018, section 7.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np

from deepwell._base._constraints import IntegerInterval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell._jax._start import start

from ._flat import Cost, flat

_POINTS = IntegerInterval(3, 1_000)
_MARGIN = 0.25  # of the path's extent, on each side


@dataclass(frozen=True)
class Surface:
    """A cost over a plane.

    Attributes:
        across, up: (k,) coordinates along the two directions, 0 at the center.
        costs: (k, k), the cost at `up[i], across[j]`.
        path: (T, 2) the path's points in these coordinates, projected; (0, 2) without a path.
        directions: (2, n) orthonormal.
        center: (n,) the point at the coordinates 0, 0.
        explained: share of the path's movement that lies in the plane; 1 without a path.
    """

    across: np.ndarray
    up: np.ndarray
    costs: np.ndarray
    path: np.ndarray
    directions: np.ndarray
    center: np.ndarray
    explained: float


def loss_surface(
    cost: Cost,
    w: Any,
    *,
    data: Any = None,
    path: Any = None,
    directions: tuple[Any, Any] | None = None,
    reach: float = 1.0,
    points: int = 41,
) -> Surface:
    """Evaluate a cost on a plane through `w`.

    >>> bowl = loss_surface(lambda w: w[0] ** 2 + w[1] ** 2, [0.0, 0.0], reach=2.0, points=5,
    ...                     directions=([1.0, 0.0], [0.0, 1.0]))
    >>> bowl.costs[0].tolist()
    [8.0, 5.0, 4.0, 5.0, 8.0]

    Args:
        cost: `(w) -> number`, or `(w, data) -> number` where data are given, in `jax.numpy`.
        w: the center, as the end of a descent.
        data: what else the cost needs.
        path: parameters with a leading axis of time, as `Minimum.path`; it gives the directions
            and the extent of the plane.
        directions: two directions, each in the form of `w`; needed without a path.
        reach: half the width of the plane without a path, in units of the parameters.
        points: k, evaluations along each direction.

    Raises:
        UsageError: when there is neither path nor directions, or they span no plane.
    """
    if not _POINTS.accepts(points):
        raise UsageError(f"`points` must be {_POINTS.describe()}, got {safe_text(repr(points))}")
    if (path is None) == (directions is None):
        raise UsageError("a surface needs either a `path` or two `directions`")
    start()
    with jax.enable_x64(True):
        of_vector, center, rows = flat(cost, w, data)
        middle = np.asarray(center)
        moved = _vectors(path, middle) - middle if path is not None else np.zeros((0, len(middle)))
        spread = moved if directions is None else np.stack([_vector(d, middle) for d in directions])
        plane, explained = _plane(spread, by_size=directions is None)
        places = moved @ plane.T
        across, up = _axes(places, reach, points)
        costs = np.asarray(_costs(of_vector, center, plane, rows, across, up))
    return Surface(across, up, costs, places, plane, middle, explained)


@partial(jax.jit, static_argnums=0)
def _costs(cost: Any, center: Any, plane: Any, data: Any, across: Any, up: Any) -> jax.Array:
    def at(y: Any, x: Any) -> Any:
        return cost(center + x * plane[0] + y * plane[1], data)

    return jax.lax.map(lambda y: jax.vmap(lambda x: at(y, x))(across), up)


def _plane(spread: np.ndarray, *, by_size: bool) -> tuple[np.ndarray, float]:
    """Return two orthonormal rows: of the largest spread, or the given ones made orthogonal."""
    if by_size:
        _, sizes, rows = np.linalg.svd(spread, full_matrices=False)
        total = float((sizes**2).sum())
        rank = int((sizes > 1e-12 * max(sizes.max(initial=0.0), 1e-300)).sum())
        plane, share = rows[:2], float((sizes[:2] ** 2).sum() / total) if total > 0 else 1.0
    else:
        q, r = np.linalg.qr(spread.T)
        signs = np.where(np.diag(r) < 0, -1.0, 1.0)
        plane, share = (q * signs).T, 1.0
        rank = int((np.abs(np.diag(r)) > 1e-12 * np.abs(r).max(initial=0.0)).sum())
    if len(plane) < 2 or rank < 2:
        raise UsageError("the path or the directions must span a plane; they lie on one line")
    return plane, share


def _axes(places: np.ndarray, reach: float, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates along both directions: around the path, or `reach` to each side."""
    if not len(places):
        line = np.linspace(-reach, reach, points)
        return line, line
    low, high = np.minimum(places.min(axis=0), 0), np.maximum(places.max(axis=0), 0)
    margin = _MARGIN * np.maximum(high - low, 0.05 * (high - low).max())
    across, up = (np.linspace(low[i] - margin[i], high[i] + margin[i], points) for i in (0, 1))
    return across, up


def _vectors(path: Any, center: np.ndarray) -> np.ndarray:
    """Return the points of a path as rows (T, n)."""
    leaves = [np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(path)]
    rows = np.concatenate([leaf.reshape(len(leaf), -1) for leaf in leaves], axis=1)
    if rows.shape[1] != len(center):
        raise UsageError(
            f"the path must hold {len(center)} parameters a step, as `w` does, got {rows.shape[1]}"
        )
    return rows


def _vector(direction: Any, center: np.ndarray) -> np.ndarray:
    parts = [np.ravel(np.asarray(leaf, np.float64)) for leaf in jax.tree.leaves(direction)]
    row = np.concatenate(parts) if parts else np.zeros(0)
    if len(row) != len(center):
        raise UsageError(
            f"a direction must hold {len(center)} numbers, as `w` does, got {len(row)}"
        )
    return row
