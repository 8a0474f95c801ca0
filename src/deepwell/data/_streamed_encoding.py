"""The second pass over a table on disk: its columns fitted on the train rows, and encoded.

It goes column group by column group, as the first pass: a Parquet file gives its columns apart
whatever its row groups are, and texts are parsed as whole columns are. The encoded train rows lie
in a file group after group, and are then put together row after row in another one; both files
have no name and end with the process.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from deepwell._base._errors import UsageError

from ._column_plan import ColumnPlan
from ._divide import LEFT_OUT, Divided
from ._mapped import read_all, temporary_file, write_all
from ._memory import gigabytes
from ._split import TEST, TRAIN
from ._streamed_table import ROW_BYTES, StreamedTable, column_groups, too_small
from ._table_encoder import TableEncoder

_PIECES = 8  # a piece of rows at work takes one part in so many of the budget
_MOST_ROWS, _LEAST_ROWS = 262_144, 1_024  # of a piece
_WORK = 12  # bytes of an encoded cell at work: float64 and float32


@dataclass(frozen=True, eq=False)
class Encoded:
    """The outcome.

    Attributes:
        encoder: fitted on the train rows.
        train: (n, D) float32, in a mapped file.
        held: the encoded rows of the other parts, in memory.
        test: raw rows, to be sealed.
    """

    encoder: TableEncoder
    train: np.ndarray
    held: dict[int, np.ndarray]
    test: pl.DataFrame


@dataclass(frozen=True, eq=False)
class Encoding:
    """What is to be encoded.

    Attributes:
        table: the table on disk.
        names: its usable columns; test rows keep all of them.
        plan: what is made of them.
        places: rows that have a target.
        divided: the part of each of these.
        weight: sample weights of the train rows.
        row_bytes: of such a row in memory, as it is.
        budget: bytes that the work may take.
    """

    table: StreamedTable
    names: Sequence[str]
    plan: ColumnPlan
    places: np.ndarray
    divided: Divided
    weight: np.ndarray
    row_bytes: float
    budget: int

    def run(self) -> Encoded:
        """Return the encoded rows.

        Raises:
            UsageError: when the dev and test rows do not fit, or the disk is full.
        """
        parts = [p for p in np.unique(self.divided.parts).tolist() if p not in (LEFT_OUT, TRAIN)]
        rows = {part: self.divided.rows(part) for part in {TRAIN, TEST, *parts}}
        inputs = {column.name: column for column in self.plan.inputs}
        encoders: list[TableEncoder] = []
        held: dict[int, list[np.ndarray]] = {p: [] for p in parts if p != TEST}
        test: list[pl.DataFrame] = []
        with temporary_file() as file:
            for group in column_groups(self.table, self.names, self.budget):
                frame = self.table.columns(group)
                if len(self.places) < frame.height:
                    frame = frame[self.places]
                test.append(frame[rows[TEST]])
                chosen = [inputs[name] for name in group if name in inputs]
                encoder = TableEncoder.fit(frame[rows[TRAIN]], chosen, self.weight)
                encoders.append(encoder)
                self._require_room(sum(len(e.mean) for e in encoders), rows)
                for piece in self._pieces(encoder, frame, rows[TRAIN]):
                    self._write(file, piece)
                for part, arrays in held.items():
                    pieces = self._pieces(encoder, frame, rows[part])
                    arrays.append(np.concatenate([_nothing(encoder), *pieces]))
            widths = [len(encoder.mean) for encoder in encoders]
            train = self._put_together(file, widths, len(rows[TRAIN]))
        return Encoded(
            TableEncoder.joined(encoders),
            train,
            {part: np.concatenate(arrays, axis=1) for part, arrays in held.items()},
            pl.concat(test, how="horizontal"),
        )

    def _require_room(self, width: int, rows: dict[int, np.ndarray]) -> None:
        """Refuse rows that are held in memory and do not fit, by the columns seen so far."""
        dev = sum(len(r) for part, r in rows.items() if part not in (TRAIN, TEST))
        # Encoded rows twice when their columns are put together, test rows once more when sealed.
        held = 2 * dev * width * 4 + int(2 * len(rows[TEST]) * self.row_bytes)
        needed = self.table.rows * ROW_BYTES + held + self.budget // _PIECES
        if needed > self.budget:
            what = f"{dev:,} dev and {len(rows[TEST]):,} test rows"
            raise too_small(self.budget, needed, what)

    def _pieces(
        self, encoder: TableEncoder, frame: pl.DataFrame, rows: np.ndarray
    ) -> Iterator[np.ndarray]:
        each = sum(self.table.cell_bytes(name) for name in frame.columns)
        step = self.budget // _PIECES // (each + _WORK * len(encoder.mean))
        step = max(_LEAST_ROWS, min(_MOST_ROWS, step))
        for first in range(0, len(rows), step):
            yield encoder.transform(frame[rows[first : first + step]])

    def _put_together(self, file: Any, widths: Sequence[int], rows: int) -> np.ndarray:
        """Return the train rows whose columns lie group after group in a file."""
        width = sum(widths)
        if not rows * width:
            return np.zeros((rows, width), np.float32)
        if len(widths) == 1:
            return _mapped(file, rows, width)
        ends = list(itertools.accumulate(widths))
        step = max(1, self.budget // _PIECES // (8 * width))
        with temporary_file() as whole:
            for first in range(0, rows, step):
                count = min(step, rows - first)
                piece = np.empty((count, width), np.float32)
                for end, wide in zip(ends, widths, strict=True):
                    part = np.empty((count, wide), np.float32)
                    file.seek(4 * ((end - wide) * rows + first * wide))
                    read_all(file, part)
                    piece[:, end - wide : end] = part
                self._write(whole, piece)
            return _mapped(whole, rows, width)

    def _write(self, file: Any, encoded: np.ndarray) -> None:
        try:
            write_all(file, encoded)
        except OSError as error:
            rows, width = int((self.divided.parts == TRAIN).sum()), len(self.plan.inputs)
            raise UsageError(
                f"the encoded rows need twice {gigabytes(rows * width * 4)} of disk or more in the "
                f"cache folder ({error.strerror or error}); set DEEPWELL_CACHE to a folder with "
                "room"
            ) from None


def _nothing(encoder: TableEncoder) -> np.ndarray:
    return np.zeros((0, len(encoder.mean)), np.float32)


def _mapped(file: Any, rows: int, width: int) -> np.ndarray:
    return np.memmap(file, np.float32, "r", shape=(rows, width))
