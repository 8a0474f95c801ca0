"""A true-or-false column: 1 or 0, the more common one where missing, and a flag column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from ._column_values import as_flags


@dataclass(frozen=True)
class BooleanColumn:
    """A fitted true-or-false column.

    Attributes:
        name: of the column.
        mostly: whether true is the more common value of the train rows; stands in for missing
            ones.
        flagged: whether a train row had none.
    """

    kind: ClassVar[str] = "boolean"
    name: str
    mostly: bool
    flagged: bool

    @staticmethod
    def fit(series: pl.Series) -> BooleanColumn:
        """Return the encoder of a column of train rows."""
        values = as_flags(series)
        present = values[~np.isnan(values)]
        mostly = bool(len(present) and present.mean() >= 0.5)
        return BooleanColumn(series.name, mostly, len(present) < len(values))

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        return (self.name, f"{self.name} missing") if self.flagged else (self.name,)

    def encode(self, series: pl.Series) -> np.ndarray:
        """Return (n, k) float64.

        Raises:
            UsageError: when a value is neither true nor false.
        """
        values = as_flags(series)
        missing = np.isnan(values)
        filled = np.where(missing, float(self.mostly), values)
        if not self.flagged:
            return filled[:, None]
        return np.stack([filled, missing.astype(np.float64)], axis=1)
