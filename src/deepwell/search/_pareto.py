"""Points that no other point beats in everything: the Pareto front."""

from __future__ import annotations

import numpy as np


def pareto_front(objectives: np.ndarray) -> np.ndarray:
    """Return which points are on the front, where lower is better in every objective.

    A point is beaten by another that is at least as good in every objective and better in one.
    Points that are alike in all of them do not beat each other, so all of them are on the front or
    none is. A point with a NaN or without any finite objective is never on it, and beats none.

    >>> pareto_front(np.array([[1.0, 5.0], [2.0, 2.0], [3.0, 2.0]])).tolist()
    [True, True, False]

    Args:
        objectives: (n, k) with k at least 1.

    Returns:
        (n,) of bool.
    """
    values = np.asarray(objectives, np.float64)
    known = ~np.isnan(values).any(axis=1) & np.isfinite(values).any(axis=1)
    distinct, place = np.unique(values[known], axis=0, return_inverse=True)
    found = np.zeros(len(values), np.bool_)
    found[known] = _front_of_distinct(distinct)[place.ravel()]
    return found


def _front_of_distinct(points: np.ndarray) -> np.ndarray:
    """Return which of these points, in rising order of their first objective, are on the front.

    Who comes later cannot beat who came before, so the first one that is left is on the front, and
    takes away all that it beats.
    """
    front = np.zeros(len(points), np.bool_)
    if points.shape[1] == 2:  # the second objective must fall from point to point
        least = np.minimum.accumulate(points[:, 1])
        front[:] = np.concatenate([[True], points[1:, 1] < least[:-1]])[: len(points)]
        return front
    left = np.arange(len(points))
    while len(left):
        first = points[left[0]]
        front[left[0]] = True
        left = left[(points[left] < first).any(axis=1)]
    return front
