"""Rows as training sees them: encoded, normalized, in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Rows:
    """One part of the data.

    Attributes:
        x: (n, D) float32, encoded and normalized with the train rows' numbers.
        y: (n,) int32 class index, or float32 target standardized with the train rows' numbers.
        weight: (n,) float32, how much a row counts; 1 on average over the train rows.
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.y)
