"""NumPy arrays, NPZ files and dictionaries of columns as tables."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from deepwell._base._errors import UsageError

from ._memory import gigabytes, require_memory
from ._names import count_of, quoted, refuse_patterns

INPUT_NAME = "x"
NPZ_FACTOR = 4  # the array, its columns, their encoding, and room for temporaries


def array_columns(name: str, values: object) -> list[pl.Series]:
    """Return an array as columns: `name`, or `name_0`, `name_1`, ... for two axes and more.

    Args:
        name: of the array.
        values: (n,) or (n, ...) numbers, booleans, texts or dates; trailing axes are laid flat.

    Raises:
        UsageError: when the name cannot be one, or the array holds what a table cannot.
    """
    refuse_patterns([name])
    array = np.asarray(values)
    if array.ndim == 0:
        raise UsageError(f"array {quoted(name)} must have one value a row, got a single value")
    if array.ndim == 1:
        return [_series(name, array)]
    if array.ndim > 4:
        raise UsageError(
            f"array {quoted(name)} must hold rows of numbers or images, (rows, columns), (rows, "
            f"height, width) or (rows, height, width, channels), got the shape {array.shape}"
        )
    flat = array.reshape(len(array), math.prod(array.shape[1:]))
    return [_series(f"{name}_{j}", flat[:, j]) for j in range(flat.shape[1])]


def frame_of(columns: list[pl.Series]) -> pl.DataFrame:
    """Return columns as a table.

    Raises:
        UsageError: when lengths differ or two names are alike.
    """
    if not columns:
        raise UsageError("the data has no columns; give at least one input and the target")
    first = columns[0]
    seen: set[str] = set()
    for column in columns:
        if len(column) != len(first):
            raise UsageError(
                f"all columns must have as many rows: {quoted(first.name)} has {len(first):,} and "
                f"{quoted(column.name)} has {len(column):,}"
            )
        if column.name in seen:
            raise UsageError(
                f"two columns are named {quoted(column.name)}; give each column its own name"
            )
        seen.add(column.name)
    return pl.DataFrame({column.name: column for column in columns})


def read_mapping(columns: Mapping[object, object]) -> pl.DataFrame:
    """Return a dictionary of columns, lists or arrays, as a table."""
    parts: list[pl.Series] = []
    for name, values in columns.items():
        if isinstance(values, pl.Series):
            parts.append(values.alias(str(name)))
        elif isinstance(values, list | tuple):
            parts.append(series_of_objects(str(name), list(values)))
        else:
            parts.extend(array_columns(str(name), values))
    return frame_of(parts)


def read_npz(path: Path, source: str) -> pl.DataFrame:
    """Return the arrays of an NPZ file as a table; nothing in it is executed.

    An array `X` or `x` becomes the columns `x_0`, `x_1`, ...; others keep their names.

    Raises:
        UsageError: when the file is damaged, holds Python objects, or does not fit in memory.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if not members or not all(m.filename.endswith(".npy") for m in members):
                raise UsageError(
                    f"{source} is a zip archive (an Excel file is one too), not a table; "
                    "save it as CSV or Parquet"
                )
            size = sum(member.file_size for member in members)
        require_memory(size * NPZ_FACTOR, f"{source} ({gigabytes(size)})")
        columns: list[pl.Series] = []
        with np.load(path, allow_pickle=False) as arrays:
            for name in arrays.files:
                shown = INPUT_NAME if name == INPUT_NAME.upper() else name
                columns.extend(array_columns(shown, arrays[name]))
    except UsageError:
        raise
    except (ValueError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        if "pickle" in str(error):
            raise UsageError(
                f"{source} holds Python objects, which are never loaded; save plain numbers or "
                "texts (dtype float, int, bool or str)"
            ) from None
        raise UsageError(
            f"{source} cannot be read as NPZ ({error}); write it with np.savez"
        ) from None
    return frame_of(columns)


def series_of_objects(name: str, values: list[object]) -> pl.Series:
    """Return a list of Python values as a column; mixed and unknown types become text.

    Raises:
        UsageError: when the name cannot be one.
    """
    refuse_patterns([name])
    clean = [None if _is_missing(value) else value for value in values]
    if {type(value) for value in clean} - {type(None)} == {bytes}:
        clean = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in clean]
    try:
        series = pl.Series(name, clean, strict=False)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        series = pl.Series(name, clean, dtype=pl.Object)
    if series.dtype != pl.Object:
        return series
    return pl.Series(name, [None if v is None else str(v) for v in clean], dtype=pl.String)


def _series(name: str, array: np.ndarray) -> pl.Series:
    if array.dtype.kind == "c":
        raise UsageError(
            f"column {quoted(name)} holds complex numbers; give real and imaginary parts as columns"
        )
    if array.dtype.kind in "OSV":
        return series_of_objects(name, array.tolist())
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        array = array.astype(np.float64)
    return pl.Series(name, np.ascontiguousarray(array))


def _is_missing(value: object) -> bool:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value


def pair_of_arrays(inputs: pl.DataFrame, target: pl.Series) -> pl.DataFrame:
    """Return inputs and target as one table.

    Raises:
        UsageError: when the rows do not match or the target's name is taken.
    """
    if len(inputs) != len(target):
        raise UsageError(
            "X and y must have as many rows, got "
            f"{count_of(len(inputs), 'row')} and {len(target):,}"
        )
    if target.name in inputs.columns:
        raise UsageError(f"y is named {quoted(target.name)} like a column of X; rename one of them")
    return inputs.with_columns(target)
