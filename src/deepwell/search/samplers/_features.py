"""Points of the unit cube as a kernel sees them.

A real or ordered axis is one feature, its place in [0, 1]. An unordered axis of c values is c
features, one of them sqrt(1/2), so that any two different values are at squared distance 1. The
share of the epochs that a score stands for is one more feature where scores differ in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.search.spaces._domain import Axis


@dataclass(frozen=True)
class Features:
    """How the axes of a domain become features.

    Attributes:
        counts: values of each axis, (d,); 0 where they are a continuum.
        ordered: whether neighbors on the axis are alike, (d,).
        axis: of each feature, (f,); d for the share of the epochs.
    """

    counts: np.ndarray
    ordered: np.ndarray
    axis: np.ndarray

    @property
    def continuous(self) -> np.ndarray:
        """Axes that are a continuum, (d,) bool; each is one feature."""
        return self.counts == 0

    @property
    def shared(self) -> bool:
        """Whether the last feature is the share of the epochs."""
        return bool(len(self.axis)) and int(self.axis[-1]) == len(self.counts)

    def column(self, axis: int) -> int:
        """Return the first feature of an axis."""
        return int(np.searchsorted(self.axis, axis))

    def snapped(self, units: np.ndarray) -> np.ndarray:
        """Return points (m, d) with discrete axes at the middle of the share of their value."""
        shares = np.maximum(self.counts, 1)
        places = np.clip(np.floor(units * shares), 0, shares - 1)
        return np.where(self.continuous, np.clip(units, 0.0, 1.0), (places + 0.5) / shares)

    def of(self, units: np.ndarray, shares: np.ndarray | None = None) -> np.ndarray:
        """Return features (m, f) of snapped points (m, d).

        Args:
            units: the points.
            shares: of the full epochs, (m,); 1 where none are given.
        """
        columns: list[np.ndarray] = []
        for j, count in enumerate(self.counts):
            if count == 0 or self.ordered[j]:
                columns.append(units[:, j])
                continue
            places = (units[:, j] * count).astype(int)
            columns.extend(np.sqrt(0.5) * (places == k) for k in range(count))
        if self.shared:
            columns.append(np.ones(len(units)) if shares is None else shares)
        return np.stack(columns, axis=1) if columns else np.zeros((len(units), 0))


def features_of(axes: Sequence[Axis], shared: bool = False) -> Features:
    """Return the features of a domain's axes.

    Args:
        axes: of the domain.
        shared: whether scores differ in the share of the epochs behind them.
    """
    counts = np.array([axis.count or 0 for axis in axes], int)
    ordered = np.array([axis.ordered for axis in axes], bool)
    widths = [1 if o or c == 0 else int(c) for c, o in zip(counts, ordered, strict=True)]
    axis = np.repeat(np.arange(len(axes)), widths)
    return Features(counts, ordered, np.append(axis, len(axes)) if shared else axis)
