"""Anything that holds a table, as a polars frame: the one way in for training and prediction."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from polars.selectors import by_name

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._arrays import (
    INPUT_NAME,
    array_columns,
    frame_of,
    pair_of_arrays,
    read_mapping,
    series_of_objects,
)
from ._dotted_numbers import DottedNumbers
from ._names import quoted, refuse_patterns
from ._table_file import read_file
from ._text_numbers import parse_text

Source = Any  # a path, any narwhals-compatible frame, a dict of columns, an array, or (X, y)


def read_table(
    source: Source, target: str | None = None, notes: list[str] | None = None
) -> pl.DataFrame:
    """Return the table in `source`.

    Args:
        source: the path of a CSV, TSV, Parquet or NPZ file; any frame that narwhals knows
            (polars, pandas, PyArrow, Modin, ...); a dictionary of columns; a (n, D) array, whose
            columns become `x_0`, `x_1`, ...; or a pair `(X, y)` of inputs and target.
        target: name for the `y` of a pair that has none of its own; `target` when not given.
        notes: a list that takes what a reader should know.

    Returns:
        Text stripped, blanks and NaN missing, text columns that are all numbers as numbers;
        column names are texts, each there once.

    Raises:
        UsageError: one sentence that says what is wrong and what to do.
    """
    told = [] if notes is None else notes
    if isinstance(source, str | os.PathLike):
        frame, commas = read_file(source, told)
    elif isinstance(source, tuple | list):
        frame, commas = _read_pair(source, target or "target"), False
    elif isinstance(source, Mapping):
        frame, commas = read_mapping(source), False
    else:
        frame, commas = _read_frame(source), False
    if frame.is_empty():
        raise UsageError("the table has no rows; give at least one")
    refuse_patterns(frame.columns)
    if commas:
        dots = DottedNumbers(safe_text(describe_source(source)))
        dots.look(frame)
        told += dots.notes(frame.columns)
    return plain_types(parse_text(named(frame), commas))


def describe_source(source: Source) -> str:
    """Return where data came from in a word or two, as in `churn.csv` or `pandas frame`."""
    if isinstance(source, str | os.PathLike):
        return Path(source).name
    if isinstance(source, tuple | list | np.ndarray):
        return "arrays"
    if isinstance(source, Mapping):
        return "columns"
    return f"{type(source).__module__.partition('.')[0]} frame"


def _read_pair(source: tuple[Any, ...] | list[Any], name: str) -> pl.DataFrame:
    if len(source) != 2:
        raise UsageError(f"give inputs and target as a pair (X, y), got {len(source):,} items")
    inputs, target = source
    table = read_mapping(inputs) if isinstance(inputs, Mapping) else _read_frame(inputs)
    own_name = getattr(target, "name", None)
    name = str(own_name) if isinstance(own_name, str) and own_name else name
    column = _target_column(target, name)
    return pair_of_arrays(table, column)


def _target_column(target: object, name: str) -> pl.Series:
    if isinstance(target, list | tuple):
        return series_of_objects(name, list(target))
    array = target if isinstance(target, pl.Series) else np.asarray(target)
    if isinstance(array, pl.Series):
        return array.alias(name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise UsageError(f"y must have one value a row, got shape {array.shape}")
    return array_columns(name, array)[0]


def _read_frame(source: Any) -> pl.DataFrame:
    if isinstance(source, pl.DataFrame):
        return source
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    if isinstance(source, np.ndarray):
        return _read_array(source)
    import narwhals as nw

    try:
        frame = nw.from_native(source)
        eager = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
        names = [str(name) for name in eager.columns]
        refuse_patterns(names)
    except nw.exceptions.DuplicateError as error:
        first = str(error).splitlines()[-1].strip("- ")
        raise UsageError(
            f"two columns have the same name ({first}); give each its own name"
        ) from None
    except TypeError:
        return _read_array(_as_array(source))
    try:
        table = eager.to_polars()
    except (ImportError, TypeError, ValueError, pl.exceptions.PolarsError):
        # pandas without PyArrow, or object columns of mixed types: value by value then.
        return frame_of(
            [
                series_of_objects(name, column.to_list())
                for name, column in zip(names, eager.iter_columns(), strict=True)
            ]
        )
    return table.rename(dict(zip(table.columns, names, strict=True)))


def _read_array(array: np.ndarray) -> pl.DataFrame:
    if array.dtype.names:
        return frame_of([array_columns(name, array[name])[0] for name in array.dtype.names])
    if array.ndim < 2:
        raise UsageError(f"inputs must have rows and columns, got an array of shape {array.shape}")
    return frame_of(array_columns(INPUT_NAME, array))


def _as_array(source: Any) -> np.ndarray:
    if hasattr(source, "toarray"):
        raise UsageError("sparse matrices are not taken; give the dense array, X.toarray()")
    if hasattr(source, "__array__"):
        return np.asarray(source)
    raise UsageError(
        f"cannot read a table from {quoted(type(source).__name__)}; give a path, a frame, a "
        "dictionary of columns, or arrays (X, y)"
    )


def named(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table with `column_3` where the third column has no name."""
    blank = {name: f"column_{i}" for i, name in enumerate(frame.columns, 1) if not name.strip()}
    taken = set(blank.values()) & set(frame.columns)
    if taken:
        raise UsageError(f"a column has no name, and {quoted(min(taken))} is taken; name it")
    return frame.rename(blank)


def plain_types(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table with NaN missing and categorical, decimal and half types made plain."""
    changes: list[pl.Expr] = []
    for name, kind in frame.schema.items():
        if kind.is_float():
            usual = kind in (pl.Float32, pl.Float64)
            wide = by_name(name) if usual else by_name(name).cast(pl.Float64)
            changes.append(wide.fill_nan(None))
        elif isinstance(kind, pl.Categorical | pl.Enum):
            changes.append(by_name(name).cast(pl.String))
        elif isinstance(kind, pl.Decimal):
            changes.append(by_name(name).cast(pl.Float64))
    return frame.with_columns(changes)
