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


def by_unit(
    weight: np.ndarray, group: np.ndarray | None = None, most: int | None = None, seed: int = 0
) -> Tally:
    """Return the tally of single rows, or of the groups that they belong to.

    Args:
        weight: (n,) sample weights, at least 0.
        group: (n,) whole numbers, equal for rows that belong together; None for rows of their own.
        most: groups of the tally; more are put together at random. None for as many as there are.
        seed: of that.
    """
    unit = np.arange(len(weight)) if group is None else np.unique(group, return_inverse=True)[1]
    count = int(unit.max()) + 1
    if most is not None and count > most:
        unit, count = (np.random.default_rng(seed).permutation(count) % most)[unit], most
    return Tally(weight.astype(np.float64), unit, count)
