"""Hashes of rows by their content, to find copies within a table and across tables.

    hash(row) = mix(sum over columns of mix(hash(value) + hash(name)))   modulo 2^64

The sum does not care about the order of columns. Whole numbers hash as the same real ones, text
that is written like a number as that number, and ISO dates as dates, so that a row keeps its
hash when another file's column comes in another type.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

import numpy as np
import polars as pl

from ._column_values import as_numbers
from ._dates import dates_in, is_date_type, naive_datetimes
from ._stable_hash import MISSING, hash_text, hash_texts, mix64

DATE = np.uint64(0xD1B54A32D192ED03)  # sets dates apart from numbers; an arbitrary odd word
PLAIN_NUMBER = r"^-?(0|[1-9]\d*)(\.\d+)?$"


def row_sums(frame: pl.DataFrame, selections: Sequence[Collection[str]]) -> tuple[np.ndarray, ...]:
    """Return (n,) uint64 sums over each row's columns, which `mix64` turns into its hashes.

    Args:
        frame: the table.
        selections: names of the columns that count, one collection for each wanted array.
    """
    sums = [np.zeros(frame.height, np.uint64) for _ in selections]
    for name in frame.columns:
        wanted = [total for total, names in zip(sums, selections, strict=True) if name in names]
        if not wanted:
            continue
        words = column_words(frame[name])
        for total in wanted:
            total += words
    return tuple(sums)


def column_words(series: pl.Series) -> np.ndarray:
    """Return (n,) uint64: what a column adds to the sum of each row's hash."""
    return mix64(_value_words(series) + np.uint64(hash_text(series.name)))


def fingerprint(hashes: np.ndarray, columns: Collection[str], target: str) -> str:
    """Return a SHA-256 in hex of rows, in their order, and of the names around them.

    Args:
        hashes: (n,) uint64 row hashes.
        columns: names of the columns; their order does not count.
        target: name of the target column.
    """
    digest = hashlib.sha256()
    for name in (target, *sorted(columns)):
        digest.update(name.encode("utf-8", "surrogatepass") + b"\0")
    digest.update(np.ascontiguousarray(hashes, "<u8").tobytes())
    return digest.hexdigest()


def _value_words(series: pl.Series) -> np.ndarray:
    kind = series.dtype
    dates = series if is_date_type(kind) else None
    if kind == pl.String:
        dates = dates_in(series)
    if dates is not None:
        moments = naive_datetimes(dates).cast(pl.Int64).cast(pl.Float64)
        return np.where(dates.is_null(), MISSING, _number_words(moments.to_numpy()) ^ DATE)
    if kind == pl.String:
        words = hash_texts(series)
        plain = series.str.contains(PLAIN_NUMBER).fill_null(False)
        if plain.any():
            numbers = series.cast(pl.Float64, strict=False).to_numpy()
            words = np.where(plain.to_numpy(), _number_words(numbers), words)
        return words
    if kind.is_numeric() or kind in (pl.Boolean, pl.Null):
        return _number_words(series.cast(pl.Float64).to_numpy())
    if isinstance(kind, pl.Duration) or kind == pl.Time:
        return _number_words(as_numbers(series))
    return hash_texts(series.cast(pl.String))


def _number_words(numbers: np.ndarray) -> np.ndarray:
    missing = np.isnan(numbers)
    words = mix64((numbers + 0.0).view(np.uint64))  # -0.0 + 0.0 is 0.0
    return np.where(missing, MISSING, words)
