"""Raw columns of rows as arrays: what is looked at where inputs would say too little."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import polars as pl

from ._column_values import as_labels, as_numbers
from ._dates import dates_in, is_date_type


def plain_columns(frame: pl.DataFrame, without: Collection[str] = ()) -> dict[str, np.ndarray]:
    """Return column name -> (n,) numbers with NaN where missing, or texts with None where missing.

    Dates are the texts of their years, times of day their hours; columns of lists, structures or
    raw bytes are left out.

    Args:
        frame: a table as `read_table` returns it.
        without: columns to leave out.
    """
    plain: dict[str, np.ndarray] = {}
    for name, kind in frame.schema.items():
        if name in without or kind.is_nested() or kind in (pl.Binary, pl.Object):
            continue
        plain[name] = _plain(frame[name])
    return plain


def _plain(series: pl.Series) -> np.ndarray:
    kind = series.dtype
    dates = dates_in(series) if kind == pl.String else None
    if dates is not None or is_date_type(kind):
        years = (series if dates is None else dates).dt.strftime("%Y")
        return np.array(years.to_list(), dtype=object)
    if kind == pl.Time:
        return series.dt.hour().cast(pl.Float64).to_numpy()
    if kind.is_numeric() or kind == pl.Null or isinstance(kind, pl.Duration):
        return as_numbers(series)
    return np.array(as_labels(series).to_list(), dtype=object)
