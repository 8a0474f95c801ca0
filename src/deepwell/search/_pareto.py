"""Points that no other point beats in everything: the Pareto front."""

from __future__ import annotations

import bisect

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
    """Return which of these points, in rising order of all objectives, are on the front.

    Who comes later cannot beat who came before, so the first one that is left is on the front, and
    takes away all that it beats.
    """
    if points.shape[1] <= 3:
        return _front_of_three(points)
    front = np.zeros(len(points), np.bool_)
    left = np.arange(len(points))
    while len(left):
        first = points[left[0]]
        front[left[0]] = True
        left = left[(points[left] < first).any(axis=1)]
    return front


def _front_of_three(points: np.ndarray) -> np.ndarray:
    """Return the same of up to three objectives, in n log n steps.

    Point by point the steps of a staircase are kept: the last two objectives of those before that
    no other one before beats, the second rising and the third falling.
    """
    filled = np.zeros((len(points), 3))
    filled[:, : points.shape[1]] = points
    front = np.zeros(len(points), np.bool_)
    second: list[float] = []
    third: list[float] = []
    for place, (_, y, z) in enumerate(filled.tolist()):
        below = bisect.bisect_right(second, y)
        if below and third[below - 1] <= z:
            continue
        front[place] = True
        first = bisect.bisect_left(second, y)
        last = first
        while last < len(third) and third[last] >= z:
            last += 1
        second[first:last], third[first:last] = [y], [z]
    return front
