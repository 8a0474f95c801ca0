"""Numbers that came as text: CSV cells, with blanks and the usual markers of a missing value."""

from __future__ import annotations

import polars as pl
from polars.selectors import by_name

from ._dotted_numbers import without_dots
from ._missing_markers import is_missing_or_marker


def parse_text(frame: pl.DataFrame, decimal_comma: bool = False) -> pl.DataFrame:
    """Return the table with its text stripped, blanks missing, and numbers where all is numbers.

    A text column becomes whole or real numbers when every value is one or a marker of a
    missing value, and at least one is a number. Codes with leading zeros (`00501`) stay text:
    the zeros would be lost. Columns of a categorical type stay categories.

    Args:
        frame: the table as read.
        decimal_comma: whether `1,5` and `1.234,5` may be numbers, as in files that are separated by
            `;`.
    """
    text = frame.select(pl.col(pl.String))
    real = text.select(pl.all().cast(pl.Float64, strict=False))
    odd = _grown(real.null_count(), text.null_count())
    if odd:  # clean numbers, most columns of a large table, need no stripping
        stripped = by_name(odd).str.strip_chars()
        text = text.with_columns(pl.when(stripped != "").then(stripped))
        frame = frame.with_columns(text.select(by_name(odd)))
        if decimal_comma:
            text = text.with_columns(without_dots(text[name]) for name in odd)
            text = text.with_columns(by_name(odd).str.replace(",", ".", literal=True))
        real = real.with_columns(text.select(by_name(odd).cast(pl.Float64, strict=False)))
    words = {name for name in odd if not _only_markers(text[name], real[name])}
    readable = by_name([name for name in text.columns if name not in words])
    return frame.with_columns(_numbers(text.select(readable), real.select(readable)))


def _numbers(text: pl.DataFrame, real: pl.DataFrame) -> list[pl.Series]:
    """Return columns whose texts are all numbers as Int64 or Float64, all at once."""
    real = real.select(pl.all().fill_nan(None))
    missing = real.null_count()
    filled = [name for name in real.columns if missing[name][0] < real.height]
    whole = text.select(by_name(filled).cast(pl.Int64, strict=False))
    fractions = _grown(whole.null_count(), missing)
    rest = by_name(sorted(set(filled) - set(fractions)))
    codes = text.select((rest.str.starts_with("0") & (rest.str.len_bytes() > 1)).any())
    return [
        *(real[name] for name in fractions),
        *(whole[name] for name in codes.columns if not codes[name][0]),
    ]


def _grown(counts: pl.DataFrame, before: pl.DataFrame) -> list[str]:
    """Return the columns whose one count is larger than it was before."""
    return [name for name in counts.columns if counts[name][0] > before[name][0]]


def _only_markers(text: pl.Series, real: pl.Series) -> bool:
    return is_missing_or_marker(text.filter(real.is_null()))
