"""Tables that do not fit the memory budget: read by columns and by rows, never as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from polars.selectors import by_name

from deepwell._base._errors import UsageError

from ._arrays import INPUT_NAME, NPZ_FACTOR, array_columns, pair_of_arrays
from ._dotted_numbers import DottedNumbers
from ._gather import stacked
from ._mapped import read_columns
from ._memory import gigabytes
from ._names import refuse_patterns
from ._table_file import CELL_BYTES, HEAD_BYTES, TEXT_FACTOR, safe_source
from ._table_input import Source, named, plain_types
from ._text_numbers import parse_text

TEXT_CELL_BYTES = 128  # a text cell at work: the text, its tidy form, and room for temporaries
ENCODED_TEXT_BYTES = 256  # and encoded it may become 64 columns of hashed words
LONG_TEXT = 4  # times a long text's bytes, while its column is at work
ROW_BYTES = 160  # target, hashes, part, and the temporaries of the split, for each row
_PARQUET, _ZIP = b"PAR1", b"PK"


@dataclass(frozen=True, eq=False)
class StreamedTable:
    """A table on disk.

    Attributes:
        kinds: name of each column -> its type as stored, in the order of the table.
        rows: how many there are.
        columns: names -> these columns of all rows, as `read_table` returns them.
        text_bytes: name -> mean bytes of a text, where that is known.
        notes: what a reader should know.
        dots: in its numbers, as far as columns were read, in a file with decimal commas.
    """

    kinds: Mapping[str, pl.DataType]
    rows: int
    columns: Callable[[Sequence[str]], pl.DataFrame]
    text_bytes: Mapping[str, float] = field(default_factory=dict[str, float])
    notes: tuple[str, ...] = ()
    dots: DottedNumbers | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.kinds)

    def dot_notes(self) -> list[str]:
        """Return how dots in the numbers of the columns were read."""
        return [] if self.dots is None else self.dots.notes(self.names)

    def outline(self) -> pl.DataFrame:
        """Return the table without its rows."""
        return pl.DataFrame(schema=dict(self.kinds))

    def followed_by(self, frames: Sequence[pl.DataFrame]) -> StreamedTable:
        """Return the table with rows in memory behind its own, their types made alike.

        Args:
            frames: rows as `read_table` returns them, with the columns of the table that are used.
        """
        if not frames:
            return self

        def columns(names: Sequence[str]) -> pl.DataFrame:
            chosen = by_name(list(names))
            return stacked([self.columns(names), *(frame.select(chosen) for frame in frames)])

        rows = self.rows + sum(frame.height for frame in frames)
        return replace(self, rows=rows, columns=columns)

    def cell_bytes(self, name: str) -> int:
        """Return the memory that a cell of a column takes while the column is at work."""
        if self.plain(name):
            return CELL_BYTES
        return max(TEXT_CELL_BYTES, int(LONG_TEXT * self.text_bytes.get(name, 0.0)))

    def plain(self, name: str) -> bool:
        """Whether a column's cells have a fixed size, as numbers and dates have."""
        kind = self.kinds[name]
        return kind.is_numeric() or kind.is_temporal() or kind == pl.Boolean

    def whole_bytes(self) -> int:
        """Return the memory that the whole table takes, read and encoded."""
        texts = sum(not self.plain(name) for name in self.names)
        return self.rows * (len(self.names) * CELL_BYTES + texts * ENCODED_TEXT_BYTES)


def streamed_table(source: Source, budget: int, strict: bool) -> StreamedTable | None:
    """Return a table to be streamed, or None for one to be read as a whole.

    Args:
        source: as `read_table` takes it.
        budget: bytes that the table, encoded, may take.
        strict: whether an NPZ file, which cannot be streamed, is refused when it does not fit.

    Raises:
        UsageError: when a file neither fits nor can be streamed.
    """
    if isinstance(source, str | os.PathLike):
        return _of_file(Path(source), budget, strict)
    if isinstance(source, tuple | list) and len(source) == 2:
        inputs, target = source
        if isinstance(inputs, np.memmap) and inputs.ndim > 1 and inputs.dtype.kind in "buif":
            return _of_arrays(inputs, target, budget)
    return None


def column_groups(table: StreamedTable, names: Sequence[str], budget: int) -> Iterator[list[str]]:
    """Yield the columns in groups that may be at work together.

    Raises:
        UsageError: when a single one does not fit.
    """
    room = budget // 3
    group: list[str] = []
    used = 0
    for name in names:
        size = table.rows * table.cell_bytes(name)
        if size > 2 * room:
            raise too_small(budget, size * 3 // 2, f"a column of {table.rows:,} rows")
        if group and used + size > room:
            yield group
            group, used = [], 0
        group.append(name)
        used += size
    if group:
        yield group


def too_small(budget: int, needed: int, what: str) -> UsageError:
    """Return the refusal of rows or columns that must be in memory and do not fit."""
    return UsageError(
        f"the memory budget of {gigabytes(budget)} is too small for {what}, which need about "
        f"{gigabytes(needed)}; give more --memory"
    )


def _of_file(path: Path, budget: int, strict: bool) -> StreamedTable | None:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)[:4]
    except (OSError, ValueError):
        return None  # reading it as a whole says what is wrong with it
    if head == _PARQUET:
        return _of_parquet(path, size, budget)
    if head[:2] != _ZIP:
        return _of_delimited(path, budget) if size * TEXT_FACTOR > budget else None
    if strict and size * NPZ_FACTOR > budget:
        raise UsageError(
            f"{safe_source(path)} needs about {gigabytes(size * NPZ_FACTOR)} of memory, the budget "
            f"is {gigabytes(budget)}; save X and y with np.save and give np.load(file, "
            "mmap_mode='r'), which is read piece by piece, or give more --memory"
        )
    return None


def _of_delimited(path: Path, budget: int) -> StreamedTable | None:
    from ._streamed_delimited import text_columns_of

    notes: list[str] = []
    try:
        columns, decimal_comma = text_columns_of(path, budget, budget // ROW_BYTES, notes)
    except OSError:
        return None  # reading it as a whole says what is wrong with it
    refuse_patterns(list(columns.names))
    dots = DottedNumbers(safe_source(path)) if decimal_comma else None

    def read(names: Sequence[str]) -> pl.DataFrame:
        texts = columns.columns(names)
        if dots is not None:
            dots.look(texts)
        return plain_types(parse_text(texts, decimal_comma))

    return StreamedTable(
        kinds={name: pl.String() for name in columns.names},
        rows=columns.rows,
        columns=read,
        text_bytes={name: columns.mean_bytes(name) for name in columns.names},
        notes=(
            *notes,
            f"larger than memory as text: its columns are kept in a file of "
            f"{gigabytes(columns.size)} in the cache folder until the end",
        ),
        dots=dots,
    )


def _of_parquet(path: Path, size: int, budget: int) -> StreamedTable | None:
    lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    try:
        stored = pl.read_parquet_schema(path)
        rows = int(lazy.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None  # reading it as a whole says what is wrong with it
    refuse_patterns(list(stored))
    outline = named(pl.DataFrame(schema=stored))
    original = dict(zip(outline.columns, stored, strict=True))

    def read(names: Sequence[str]) -> pl.DataFrame:
        chosen = lazy.select(by_name([original[name] for name in names]))
        stored = chosen.collect().rename({original[name]: name for name in names})
        return plain_types(parse_text(stored))

    table = StreamedTable(
        kinds=dict(outline.schema),
        rows=rows,
        columns=read,
    )
    return table if rows and 2 * size + table.whole_bytes() > budget else None


def _of_arrays(inputs: np.memmap[Any, Any], target: Any, budget: int) -> StreamedTable | None:
    x = inputs.reshape(len(inputs), -1)
    if x.size * NPZ_FACTOR * x.itemsize <= budget:
        return None
    own_name = getattr(target, "name", None)
    name = own_name if isinstance(own_name, str) and own_name else "target"
    y = array_columns(name, np.asarray(target))[0]
    places = {f"{INPUT_NAME}_{j}": j for j in range(x.shape[1])}
    outline = pair_of_arrays(_frame(x[:1], list(places)), y[:1])

    def columns(names: Sequence[str]) -> pl.DataFrame:
        wanted = [n for n in names if n in places]
        values = read_columns(x, [places[n] for n in wanted])
        return plain_types(parse_text(_with(y, _frame(values, wanted), names)))

    if len(x) != len(y):
        raise UsageError(f"X and y must have as many rows, got {len(x):,} and {len(y):,}")
    return StreamedTable(dict(outline.schema), len(x), columns)


def _frame(values: np.ndarray, names: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame([array_columns(name, values[:, j])[0] for j, name in enumerate(names)])


def _with(y: pl.Series, frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    both = frame.with_columns(y) if y.name in names and frame.width else frame
    return (both if frame.width else pl.DataFrame([y])).select(by_name(list(names)))
