"""Text columns in a file without a name: written some rows at a time, read a column at a time."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Sequence

import numpy as np
import polars as pl

from ._delimited import text_columns
from ._mapped import read_all, temporary_file, write_all

_PLACE = np.dtype("<i8")


class TextColumnsFile:
    """The columns of a table of texts, each apart; the file ends with this object.

    A piece of rows is written as the places where its columns begin and end, then column after
    column, each cell with the end of a row behind it.

    Args:
        names: of the columns.
        row_end: a character that is in no cell.
        field_end: another one.

    Attributes:
        names: of the columns.
        rows: written so far.

    Raises:
        OSError: when no folder can be written.
    """

    def __init__(self, names: Sequence[str], row_end: str, field_end: str) -> None:
        self.names = tuple(names)
        self.rows = 0
        self._ends = row_end, field_end
        self._pieces: list[int] = []  # where each begins
        self._size = 0
        self._file = temporary_file()
        self._column_of = {name: index for index, name in enumerate(names)}
        self._bytes_of = np.zeros(len(names))
        weakref.finalize(self, self._file.close)

    def add(self, frame: pl.DataFrame) -> None:
        """Write rows behind those that are there.

        Raises:
            OSError: when the disk is full.
        """
        if frame.is_empty():
            return
        row_end, _ = self._ends
        cells = [column.fill_null("").str.join(row_end).item() for column in frame]
        texts = [f"{joined}{row_end}".encode() for joined in cells]
        lengths = [len(text) for text in texts]
        first = _PLACE.itemsize * (len(texts) + 1)
        places = np.array(list(itertools.accumulate(lengths, initial=first)), _PLACE)
        piece = b"".join([places.tobytes(), *texts])
        self._file.seek(self._size)
        write_all(self._file, np.frombuffer(piece, np.uint8))
        self._pieces.append(self._size)
        self._size += len(piece)
        self._bytes_of += lengths
        self.rows += frame.height

    def mean_bytes(self, name: str) -> float:
        """Return the bytes of a column's text, for each row."""
        return float(self._bytes_of[self._column_of[name]] / max(1, self.rows))

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._size

    def columns(self, names: Sequence[str]) -> pl.DataFrame:
        """Return columns of all rows."""
        return pl.DataFrame([self._column(name) for name in names])

    def _column(self, name: str) -> pl.Series:
        row_end, field_end = self._ends
        place = self._column_of[name] * _PLACE.itemsize
        texts: list[memoryview] = []
        for start in self._pieces:
            self._file.seek(start + place)
            begin, end = np.frombuffer(self._file.read(2 * _PLACE.itemsize), _PLACE).tolist()
            self._file.seek(start + begin)
            text = np.empty(end - begin, np.uint8)
            read_all(self._file, text)
            texts.append(text.data)
        return text_columns(b"".join(texts), [name], field_end, row_end)[name]
