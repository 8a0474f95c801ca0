"""Dates and times, also where they came as ISO 8601 text."""

from __future__ import annotations

import polars as pl

from ._missing_markers import is_missing_or_marker

ISO_START = r"^\d{4}[-/]\d{2}[-/]\d{2}([T ]\d{2}:\d{2}|$)"
ZONE = r"\s*(Z|UTC|GMT|[+-]\d{2}(:?\d{2}){0,2})$"


def is_date_type(kind: pl.DataType) -> bool:
    """Whether a column's type says date, or date and time."""
    return kind == pl.Date or isinstance(kind, pl.Datetime)


def dates_in(text: pl.Series) -> pl.Series | None:
    """Return a text column as date-times, or None when it is not all ISO 8601 dates.

    Accepted: `2024-05-31`, `2024/05/31`, either with a time of day (`T` or a space, seconds and
    fractions may be left out), with or without an offset (`Z`, `UTC`, `GMT`, `+02`, `+02:00`). The
    clock's own reading is kept and the offset dropped, since hours matter as people live them.
    """
    if not text.drop_nulls().str.contains(ISO_START).any():
        return None
    values = parse_dates(text)
    if not is_missing_or_marker(text.filter(values.is_null())):
        return None
    return values


def parse_dates(text: pl.Series) -> pl.Series:
    """Return text as naive date-times in microseconds; missing where it is not a date."""
    plain = (
        pl.col("text")
        .str.replace_all("/", "-", literal=True)
        .str.replace(r"(:\d{2}(?:\.\d+)?)" + ZONE, "$1")
        .str.replace("T", " ", literal=True)
    )
    parsed = pl.coalesce(
        plain.str.to_datetime(pattern, time_unit="us", strict=False)
        for pattern in ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
    )
    return pl.DataFrame({"text": text}).select(parsed).to_series().rename(text.name)


def naive_datetimes(series: pl.Series) -> pl.Series:
    """Return a date or date-time column as naive date-times: the clock's own reading."""
    if isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone:
        series = series.dt.replace_time_zone(None)
    return series.cast(pl.Datetime("us"))
