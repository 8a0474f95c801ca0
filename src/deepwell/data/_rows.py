"""Rows as training sees them: encoded, normalized, in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._mapped import read_rows


@dataclass(frozen=True, eq=False)
class Rows:
    """One part of the data.

    Attributes:
        x: (n, D) float32, encoded and normalized with the train rows' numbers.
        y: (n,) int32 class index, or float32 target standardized with the train rows' numbers.
        weight: (n,) float32, how much a row counts; 1 on average over the train rows.
        group: (n,) number of the group of each row, as of a patient, where a column of groups was
            named: rows of one are not independent. None where each row is by itself.
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    group: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.y)

    def part(self, places: np.ndarray) -> Rows:
        """Return the rows at these places, in memory."""
        group = None if self.group is None else self.group[places]
        return Rows(read_rows(self.x, places), self.y[places], self.weight[places], group)
