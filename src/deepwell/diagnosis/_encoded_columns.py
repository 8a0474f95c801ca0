"""Columns of a table within its encoded inputs, and their values in the user's own terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NUMBER, BOOLEAN, CATEGORY, DATE, TEXT = "number", "boolean", "category", "date", "text"


@dataclass(frozen=True)
class EncodedColumn:
    """Where one column of the table lies among the inputs.

    Attributes:
        name: of the column.
        kind: `number`, `boolean`, `category`, `date` or `text`.
        first, width: its inputs are `first` to `first + width - 1`.
        value: which of these, counted from `first`, is its value (a date's: days since `start`).
        blank: which of these says that it is blank; None where none does.
        labels: of a category column, one for each of its inputs.
        start: of a date column, days from 1970-01-01.
    """

    name: str
    kind: str
    first: int
    width: int
    value: int = 0
    blank: int | None = None
    labels: tuple[str, ...] = ()
    start: float = 0.0


@dataclass(frozen=True, eq=False)
class EncodedTable:
    """The columns of the inputs, and what undoes their normalization.

    Attributes:
        columns: in the order of the inputs.
        mean, scale: (D,) of the inputs before they were normalized; a scale of 0 is a constant.
    """

    columns: Sequence[EncodedColumn]
    mean: np.ndarray
    scale: np.ndarray

    def unit(self, x: np.ndarray, place: int) -> np.ndarray:
        """Return (n,) float64 of one input as it was before it was normalized."""
        return x[:, place].astype(np.float64) * self.scale[place] + self.mean[place]

    def values(self, x: np.ndarray, column: EncodedColumn) -> np.ndarray:
        """Return (n,) values of a number, boolean or date column, NaN where blank."""
        values = self.unit(x, column.first + column.value)
        if column.blank is not None:
            values[self.unit(x, column.first + column.blank) > 0.5] = np.nan
        return values

    def codes(self, x: np.ndarray, column: EncodedColumn) -> np.ndarray:
        """Return (n,) number of the category, `column.width` for one that has no input."""
        places = slice(column.first, column.first + column.width)
        held = x[:, places] * self.scale[places] + self.mean[places] > 0.5
        return np.where(held.any(axis=1), held.argmax(axis=1), column.width)
