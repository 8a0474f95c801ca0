"""The rows to work with: the table, and the dev and test rows that the user gave, as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from polars.selectors import by_name

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._column_values import as_labels, refuse_infinite
from ._load_options import LoadOptions
from ._names import count_of, name_list, near_columns, quoted
from ._split import DEV, PARTS, TEST, TRAIN
from ._table_input import Source, describe_source, read_table

MIN_ROWS = 10  # 6 / 2 / 2: with fewer, dev and test hold a single row or none


@dataclass(frozen=True, eq=False)
class Gathered:
    """All rows with a target.

    Attributes:
        frame: the rows, those of the table first, then given dev, then given test rows.
        given: (n,) int8: `DEV` or `TEST` where the user gave the row as such, `TRAIN` where it
            came with the table and is still to be split.
        target: name of the target column.
        rows, columns: size of the table as read.
        notes: what was left out, and where given rows came from.
        numbers: (n,) of the row in its own source, counted from 1.
    """

    frame: pl.DataFrame
    given: np.ndarray
    target: str
    rows: int
    columns: int
    notes: tuple[str, ...]
    numbers: np.ndarray


@dataclass(frozen=True, eq=False)
class Labelled:
    """The rows of one source that have a target, with their numbers in it, counted from 1."""

    frame: pl.DataFrame
    numbers: np.ndarray


def gather(source: Source, options: LoadOptions) -> Gathered:
    """Return the rows of all sources.

    Raises:
        UsageError: when a source cannot be read, a column is not there, or too few rows are left.
    """
    notes: list[str] = []
    table = read_table(source, options.target, notes)
    target, usable = usable_columns(table, source, options, notes)
    labelled = _labelled(usable, target, options.ignore, "the table", notes)
    given = given_rows(usable, target, options, notes)
    frames = [labelled.frame, *(one.frame for one in given.values())]
    numbers = np.concatenate([labelled.numbers, *(one.numbers for one in given.values())])
    parts = [TRAIN, *given]
    require_rows(sum(frame.height for frame in frames))
    given_parts = np.repeat(np.array(parts, np.int8), [frame.height for frame in frames])
    return Gathered(
        stacked(frames), given_parts, target, table.height, table.width, tuple(notes), numbers
    )


def given_rows(
    table: pl.DataFrame, target: str, options: LoadOptions, notes: list[str]
) -> dict[int, Labelled]:
    """Return the dev and test rows that the user gave and that have a target, by part.

    Args:
        table: the table's columns, with or without rows.
        target: name of the target.
        options: what the user said.
        notes: takes where they came from, and what was left out.

    Raises:
        UsageError: when they cannot be read, or lack a column.
    """
    rows_of: dict[int, Labelled] = {}
    for part, given in ((DEV, options.dev_source), (TEST, options.test_source)):
        if given is None:
            continue
        read = read_table(given, target, notes)
        rows = _aligned(read, table, options, target, PARTS[part])
        labelled = _labelled(rows, target, options.ignore, f"the {PARTS[part]} rows", notes)
        count = count_of(labelled.frame.height, "row")
        notes.append(f"{PARTS[part]}: {count} of {safe_text(describe_source(given))}")
        rows_of[part] = labelled
    return rows_of


def usable_columns(
    table: pl.DataFrame, source: Source, options: LoadOptions, notes: list[str]
) -> tuple[str, pl.DataFrame]:
    """Return the target's name, and the table without the columns that hold no single values.

    Args:
        table: as read, or with the names and types of its columns alone.
        source: where it came from.
        options: what the user said.
        notes: takes what was left out.

    Raises:
        UsageError: when a named column is not there, or the target is named as another thing too.
    """
    target = _target_name(table, source, options.target)
    told = [options.group, options.time, options.split_column, options.weights]
    named = [*options.keep, *options.ignore, *filter(None, told)]
    for name in named:
        _require_column(table, name)
    if target in named:
        raise UsageError(f"column {quoted(target)} is the target; it cannot be another thing too")
    return target, _without_nested(table, target, notes)


def require_rows(total: int) -> None:
    """Refuse a table with too few rows that have a target.

    Raises:
        UsageError: when there are fewer than 10.
    """
    if total < MIN_ROWS:
        raise UsageError(
            f"{count_of(total, 'row')} with a target {'is' if total == 1 else 'are'} too few to "
            f"learn from and to test on; give at least {MIN_ROWS}"
        )


def _target_name(table: pl.DataFrame, source: Source, target: str | None) -> str:
    if target is not None:
        _require_column(table, target, "target")
        return target
    if isinstance(source, tuple | list):
        return table.columns[-1]
    inputs = [name for name in table.columns if name != "y"]
    if len(inputs) < table.width and all(name.startswith("x_") for name in inputs):
        return "y"
    raise UsageError(
        f"which column is to be predicted? give --target COLUMN; columns: "
        f"{name_list(table.columns)}"
    )


def _require_column(table: pl.DataFrame, name: str, what: str = "column") -> None:
    if name in table.columns:
        return
    bare = any(_is_number(column) for column in table.columns)
    header = "; the first line must hold the column names" if bare else ""
    raise UsageError(f"{what} {quoted(name)} not found{header}{near_columns(name, table.columns)}")


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _without_nested(table: pl.DataFrame, target: str, notes: list[str]) -> pl.DataFrame:
    """Return the table without the columns whose cells are lists, structures or raw bytes."""
    nested = [
        name
        for name, kind in table.schema.items()
        if kind.is_nested() or kind in (pl.Binary, pl.Object)
    ]
    if target in nested:
        raise UsageError(
            f"target {quoted(target)} must hold one number or label a row, got values of type "
            f"{table.schema[target]}"
        )
    if nested:
        notes.append(f"{name_list(nested, 5)}: lists, structures or raw bytes: ignored")
    return table.select(by_name([name for name in table.columns if name not in nested]))


def _labelled(
    frame: pl.DataFrame, target: str, ignore: Sequence[str], what: str, notes: list[str]
) -> Labelled:
    """Return the rows that have a target, with all numbers finite."""
    require_finite(frame, ignore)
    has_target = with_target(frame[target], what, notes)
    return Labelled(frame.filter(has_target), np.flatnonzero(has_target.to_numpy()) + 1)


def require_finite(frame: pl.DataFrame, ignore: Sequence[str]) -> None:
    """Refuse infinite numbers in columns that are not ignored.

    Raises:
        UsageError: with the column and the row.
    """
    real = [name for name, kind in frame.schema.items() if kind.is_float() and name not in ignore]
    infinite = frame.select(by_name(real).is_infinite().any())
    for name in infinite.columns:
        if infinite[name].any():
            refuse_infinite(frame[name].fill_null(0.0).to_numpy(), name)


def with_target(target: pl.Series, what: str, notes: list[str]) -> pl.Series:
    """Return (n,) whether a row has a target, with a note on those that have none.

    Raises:
        UsageError: when none has.
    """
    missing = target.null_count()
    if missing == len(target):
        raise UsageError(
            f"target {quoted(target.name)} is missing in all {len(target):,} rows of {what}; there "
            "is nothing to learn from"
        )
    if missing:
        notes.append(f"{count_of(missing, 'row')} of {what} without a target: left out")
    return target.is_not_null()


def _aligned(
    rows: pl.DataFrame, table: pl.DataFrame, options: LoadOptions, target: str, part: str
) -> pl.DataFrame:
    """Return given rows with the table's columns in the table's order."""
    optional = {*options.ignore, options.group, options.time}
    for name in table.columns:
        if name not in rows.columns and name not in optional:
            raise UsageError(
                f"the {part} rows lack the column {quoted(name)}{near_columns(name, rows.columns)}"
            )
    return pl.DataFrame(
        [
            rows[name] if name in rows.columns else pl.Series(name, [None] * rows.height, pl.Null)
            for name in table.columns
        ]
    )


def stacked(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return tables one under another, columns of different types made alike.

    Args:
        frames: tables with the same columns, one or more.
    """
    for name in frames[0].columns if len(frames) > 1 else ():
        kinds = {frame.schema[name] for frame in frames} - {pl.Null()}
        if len(kinds) < 2:
            continue
        numbers = all(kind.is_numeric() for kind in kinds)
        frames = [
            frame.with_columns(
                (frame[name].cast(pl.Float64) if numbers else as_labels(frame[name])).alias(name)
            )
            for frame in frames
        ]
    return pl.concat(frames, how="vertical_relaxed")
