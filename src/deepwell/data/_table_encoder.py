"""A table's columns as the network's inputs: encoded, then normalized (D6), by the train rows.

What is fitted is numbers and strings alone, so that a saved model holds it as JSON and
prediction repeats it exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import polars as pl

from deepwell._base._errors import UsageError
from deepwell._base._registry import Registry
from deepwell.records import from_plain, to_plain

from ._boolean_column import BooleanColumn
from ._category_column import CategoryColumn
from ._column_kinds import InputColumn
from ._date_column import DateColumn
from ._moments import merged_moments, moments, normalize
from ._names import name_list, near_columns, quoted
from ._number_column import NumberColumn
from ._text_column import TextColumn

WIDE = 16  # encoded columns of one-hot and hashed text, whose float64 form would take much memory
NARROW = 2  # encoded columns of a number; wider kinds are fitted in pieces of rows
CHUNK_ROWS = 65_536  # so that at most so many rows of it are held at a time


class ColumnEncoder(Protocol):
    """One fitted input column."""

    @property
    def kind(self) -> str:
        """Name of the kind, as in `number`."""
        ...

    @property
    def name(self) -> str:
        """Name of the column."""
        ...

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the k encoded columns."""
        ...

    def encode(self, series: pl.Series) -> np.ndarray:
        """Return (n, k) float64; NaN becomes the train rows' mean."""
        ...


COLUMN_KINDS: Registry[Any] = Registry(
    "column kind",
    {
        column.kind: column
        for column in (NumberColumn, BooleanColumn, CategoryColumn, DateColumn, TextColumn)
    },
)


@dataclass(frozen=True, eq=False)
class TableEncoder:
    """Fitted on train rows; the same numbers for dev, test and prediction.

    Attributes:
        columns: the input columns in order, each with its `name`, `kind` and fitted values.
        mean: (D,) float64 of the encoded train rows.
        scale: (D,) float64 standard deviation, 0 for encoded columns that are constant.
    """

    columns: tuple[ColumnEncoder, ...]
    mean: np.ndarray
    scale: np.ndarray

    @staticmethod
    def fit(
        frame: pl.DataFrame, inputs: Sequence[InputColumn], weight: np.ndarray | None = None
    ) -> TableEncoder:
        """Return the encoder of a table.

        Args:
            frame: the train rows.
            inputs: the columns to use and their kinds.
            weight: (n,) sample weights for mean and deviation; ones when not given.
        """
        weight = np.ones(frame.height) if weight is None else np.asarray(weight, np.float64)
        columns: list[ColumnEncoder] = []
        fitted: list[tuple[np.ndarray, np.ndarray]] = []
        for column in inputs:
            series = frame[column.name]
            encoder = COLUMN_KINDS[column.kind].fit(series)
            columns.append(encoder)
            fitted.append(_moments(encoder, series, weight))
        return TableEncoder(
            tuple(columns),
            np.concatenate([mean for mean, _ in fitted] or [np.zeros(0)]),
            np.concatenate([scale for _, scale in fitted] or [np.zeros(0)]),
        )

    @staticmethod
    def joined(parts: Sequence[TableEncoder]) -> TableEncoder:
        """Return the encoder of a table that was fitted column group by column group."""
        return TableEncoder(
            tuple(column for part in parts for column in part.columns),
            np.concatenate([part.mean for part in parts]),
            np.concatenate([part.scale for part in parts]),
        )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the D encoded columns."""
        return tuple(feature for column in self.columns for feature in column.features)

    def transform(self, frame: pl.DataFrame) -> np.ndarray:
        """Return (n, D) float32, encoded and normalized.

        Columns may come in any order and others may be there. A category that no train row held
        counts as "other", a missing value is imputed as it was in training.

        Args:
            frame: a table as `read_table` returns it.

        Raises:
            UsageError: when a column is missing, or holds what its kind does not allow.
        """
        self._require_columns(frame.columns)
        encoded = np.empty((frame.height, len(self.mean)), np.float32)
        start = 0
        for column in self.columns:
            width = len(column.features)
            part = slice(start, start + width)
            step = CHUNK_ROWS if width > WIDE else max(1, frame.height)
            for first in range(0, frame.height, step):
                rows = slice(first, first + step)
                values = column.encode(frame[column.name][rows])
                encoded[rows, part] = normalize(values, self.mean[part], self.scale[part])
            start = part.stop
        return encoded

    def to_plain(self) -> dict[str, Any]:
        """Return the encoder as numbers, texts, lists and dictionaries for JSON."""
        return {
            "columns": [{"kind": column.kind, **to_plain(column)} for column in self.columns],
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
        }

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> TableEncoder:
        """Return the encoder that `to_plain` described."""
        columns = tuple(from_plain(COLUMN_KINDS[c["kind"]], c) for c in plain["columns"])
        return TableEncoder(
            columns, np.array(plain["mean"], float), np.array(plain["scale"], float)
        )

    def _require_columns(self, present: Sequence[str]) -> None:
        there = set(present)
        absent = [column.name for column in self.columns if column.name not in there]
        if not absent:
            return
        near = near_columns(absent[0], present)
        if len(absent) == 1:
            raise UsageError(f"column {quoted(absent[0])} is missing{near}")
        raise UsageError(f"{len(absent):,} columns are missing: {name_list(absent)}{near}")


def _moments(
    encoder: ColumnEncoder, series: pl.Series, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of the encoded column; of a wide one block by block."""
    if len(encoder.features) <= NARROW or len(series) <= CHUNK_ROWS:
        return moments(encoder.encode(series), weight)
    return merged_moments(
        (encoder.encode(series[first : first + CHUNK_ROWS]), weight[first : first + CHUNK_ROWS])
        for first in range(0, len(series), CHUNK_ROWS)
    )
