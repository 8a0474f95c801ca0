"""Weighted sums over rows, for the whole of the rows at once or group by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tally:
    """How rows are summed: with what weight, into which group.

    Attributes:
        weight: (n,) float64, at least 0.
        group: (n,) whole numbers below `groups`.
        groups: how many groups there are.
    """

    weight: np.ndarray
    group: np.ndarray
    groups: int

    def total(self, values: np.ndarray) -> np.ndarray:
        """Return the weighted sum of `values`, (n,), over each group, (groups,)."""
        return np.bincount(self.group, weights=self.weight * values, minlength=self.groups)

    def table(self, column: np.ndarray, columns: int, values: np.ndarray) -> np.ndarray:
        """Return the sums split by `column`, (n,) whole numbers: (groups, columns)."""
        cell = self.group * columns + column
        flat = np.bincount(cell, weights=self.weight * values, minlength=self.groups * columns)
        return flat.reshape(self.groups, columns)


def whole(n: int, weight: np.ndarray | None) -> Tally:
    """Return the tally that puts all `n` rows into one group."""
    return Tally(weights(n, weight), np.zeros(n, dtype=np.intp), 1)


def weights(n: int, weight: np.ndarray | None) -> np.ndarray:
    """Return the rows' weights, (n,) float64; None means 1 for every row."""
    return np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
