"""A number column: its value, median where missing, and a flag column that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from ._column_values import as_numbers


@dataclass(frozen=True)
class NumberColumn:
    """A fitted number column.

    Attributes:
        name: of the column.
        median: of the train rows' values; stands in for missing ones, since outliers do not
            move it.
        flagged: whether a train row had none, so that being missing is an input of its own.
    """

    kind: ClassVar[str] = "number"
    name: str
    median: float
    flagged: bool

    @staticmethod
    def fit(series: pl.Series) -> NumberColumn:
        """Return the encoder of a column of train rows."""
        values = as_numbers(series)
        present = values[~np.isnan(values)]
        median = float(np.median(present)) if len(present) else 0.0
        return NumberColumn(series.name, median, len(present) < len(values))

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        return (self.name, f"{self.name} missing") if self.flagged else (self.name,)

    def encode(self, series: pl.Series) -> np.ndarray:
        """Return (n, k) float64.

        Raises:
            UsageError: when a value is not a finite number.
        """
        values = as_numbers(series)
        missing = np.isnan(values)
        filled = np.where(missing, self.median, values)
        if not self.flagged:
            return filled[:, None]
        return np.stack([filled, missing.astype(np.float64)], axis=1)
