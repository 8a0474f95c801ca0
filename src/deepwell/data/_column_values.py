"""A column's values in the form in which its kind is used, whatever type it came in.

The columns of a file to be predicted may come in other types than the train rows did: a column
of codes that are all digits by chance, a number column that came as text, a column that is all
missing. What cannot be meant is refused with the column, the row and the value.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._dates import is_date_type, naive_datetimes, parse_dates
from ._dotted_numbers import without_dots
from ._missing_markers import MISSING_MARKERS
from ._names import quoted


def as_numbers(series: pl.Series) -> np.ndarray:
    """Return (n,) float64, NaN where missing.

    Raises:
        UsageError: when a value is not a number, or is infinite.
    """
    kind = series.dtype
    if kind == pl.String:
        values = _text_as_numbers(series)
    elif kind.is_numeric() or kind in (pl.Boolean, pl.Null):
        values = series.cast(pl.Float64)
    elif isinstance(kind, pl.Duration):
        values = series.cast(pl.Duration("us")).cast(pl.Int64).cast(pl.Float64) / 1e6
    elif kind == pl.Time:
        values = series.cast(pl.Int64).cast(pl.Float64) / 1e9
    else:
        raise UsageError(f"column {quoted(series.name)} must hold numbers, got {_kind_name(kind)}")
    numbers = values.to_numpy()  # missing values become NaN
    refuse_infinite(numbers, series.name)
    return numbers


def refuse_infinite(numbers: np.ndarray, column: str) -> None:
    """Refuse a column with an infinite value; the sentence names its row.

    Raises:
        UsageError: when there is one.
    """
    infinite = np.isinf(numbers)
    if infinite.any():
        row = int(np.argmax(infinite)) + 1
        raise UsageError(
            f"column {quoted(column)} must hold finite numbers, got an infinite one in row "
            f"{row:,}; leave the cell empty or the column out"
        )


def as_flags(series: pl.Series) -> np.ndarray:
    """Return (n,) float64: 1 for true, 0 for false, NaN where missing.

    Raises:
        UsageError: when a value is neither.
    """
    if series.dtype == pl.String:
        lowered = series.str.to_lowercase()
        values = lowered.replace_strict(
            {"true": 1.0, "false": 0.0}, default=None, return_dtype=pl.Float64
        )
        wrong = values.is_null() & lowered.is_not_null() & ~lowered.is_in(list(MISSING_MARKERS))
        _refuse(series, wrong, "true or false")
        return values.to_numpy()
    numbers = as_numbers(series)
    wrong = ~np.isin(numbers, (0.0, 1.0)) & ~np.isnan(numbers)
    _refuse(series, pl.Series(wrong), "true or false")
    return numbers


def as_labels(series: pl.Series) -> pl.Series:
    """Return values as tidy text, missing where missing: `1` for 1 and 1.0, `True` for true.

    Categories and class labels go by this text, so that a column that came as whole numbers
    in one file and as real numbers or as text in another means the same.
    """
    kind = series.dtype
    if kind == pl.String:
        stripped = pl.DataFrame({"v": series}).select(
            pl.col("v").str.strip_chars().str.replace(r"^(-?\d+)\.0+$", "$1")
        )
        return stripped.select(pl.when(pl.col("v") != "").then(pl.col("v"))).to_series()
    if kind == pl.Boolean:
        return series.replace_strict({True: "True", False: "False"}, return_dtype=pl.String)
    if kind.is_float():
        text = series.cast(pl.Float64).fill_nan(None).cast(pl.String)
        return text.str.replace(r"\.0$", "")
    return series.cast(pl.String)


def as_datetimes(series: pl.Series) -> pl.Series:
    """Return naive date-times in microseconds, missing where missing.

    Raises:
        UsageError: when a value is not a date.
    """
    if is_date_type(series.dtype):
        return naive_datetimes(series)
    if series.dtype == pl.Null:
        return series.cast(pl.Datetime("us"))
    if series.dtype != pl.String:
        raise UsageError(
            f"column {quoted(series.name)} must hold dates, got {_kind_name(series.dtype)}"
        )
    values = parse_dates(series)
    lowered = series.str.to_lowercase()
    wrong = values.is_null() & lowered.is_not_null() & ~lowered.is_in(list(MISSING_MARKERS))
    _refuse(series, wrong, "dates such as 2024-05-31")
    return values


def _text_as_numbers(series: pl.Series) -> pl.Series:
    text = series.str.strip_chars()
    values = text.cast(pl.Float64, strict=False)
    lowered = text.str.to_lowercase()
    markers = [*MISSING_MARKERS, ""]
    wrong = values.is_null() & lowered.is_not_null() & ~lowered.is_in(markers)
    if wrong.any():  # decimal commas stay where a word is among them, and are not what is wrong
        points = without_dots(text).str.replace(",", ".", literal=True)
        commas = points.cast(pl.Float64, strict=False)
        words = wrong & commas.is_null()
        _refuse(series, words if words.any() else wrong, "numbers")
    return values


def _refuse(series: pl.Series, wrong: pl.Series, expected: str) -> None:
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise UsageError(
            f'column {quoted(series.name)} must hold {expected}, got "{safe_text(series[row])}" '
            f"in row {row + 1:,}; leave the cell empty where the value is missing"
        )


def _kind_name(kind: pl.DataType) -> str:
    return "dates" if is_date_type(kind) else f"values of type {kind}"
