"""What each column is: a number, a category, text, a date, an identifier, or of no use.

Decided once, from the values of all rows and never from the target, before anything is split;
what is fitted (medians, categories, scales) comes from the train rows alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import polars as pl
from polars.selectors import by_name

from ._category_column import CATEGORY_LIMIT
from ._dates import dates_in, is_date_type

ID_SHARE = 0.99  # distinct over present values: a few copied rows do not make an id a feature
ID_MIN_ROWS = 10  # below this, being all different says little
DENSE_MIN_ROWS = 20  # a run such as 1..n in any order happens by chance only in tiny tables
DENSE_SPAN = 1.02  # largest minus smallest over rows, of a row number with a few rows lost
ID_TOKEN_LENGTH = 64  # longer than any usual key (a SHA-256 in hex)
ID_NAME = re.compile(r"(?:^|[_\s.-])(?:id|uuid|guid|key|index|rownum|row_number)$", re.IGNORECASE)
ID_CAMEL = re.compile(r"[a-z0-9](?:Id|ID|Key|Index)$")
TEXT_MIN_VALUES = 10  # as few different texts as this are categories whatever their length
TEXT_SHARE = 0.5  # when most values occur once, their inside must carry what they say
TEXT_WORDS = 3.0  # mean words a value: sentences, not labels


@dataclass(frozen=True)
class InputColumn:
    """A column that the network sees, and how."""

    name: str
    kind: str


def column_kinds(frame: pl.DataFrame) -> dict[str, str]:
    """Return the kind of each column.

    `number`, `boolean`, `category`, `date` and `text` are inputs; `id`, `constant` and `empty`
    have nothing to say. Numbers go by a summary of all columns at once: a table may have 10,000
    of them.
    """
    kinds = {
        name: _other_kind(frame[name])
        for name, kind in frame.schema.items()
        if not kind.is_numeric()
    }
    numbers = frame.select(by_name([name for name in frame.columns if name not in kinds]))
    if numbers.width:
        summary = zip(
            numbers.columns,
            numbers.select(pl.all().min()).row(0),
            numbers.select(pl.all().max()).row(0),
            numbers.null_count().row(0),
            strict=True,
        )
        for name, low, high, missing in summary:
            kinds[name] = _number_kind(frame[name], low, high, frame.height - missing)
    return {name: kinds[name] for name in frame.columns}


def input_kind(series: pl.Series) -> str:
    """Return how a column is encoded when it is used, whatever else it looks like."""
    kind = series.dtype
    if kind == pl.Boolean:
        return "boolean"
    if is_date_type(kind):
        return "date"
    if kind != pl.String:
        return "number"
    distinct = series.drop_nulls().unique()
    if len(distinct) <= 6 and {v.lower() for v in distinct} <= {"true", "false"}:
        return "boolean"
    if dates_in(series) is not None:
        return "date"
    return "text" if _is_text(series.drop_nulls(), len(distinct)) else "category"


def _other_kind(series: pl.Series) -> str:
    present = series.drop_nulls()
    if present.is_empty():
        return "empty"
    if len(present) == len(series) and bool((present == present[0]).all()):
        return "constant"
    if series.dtype == pl.String and _is_id_text(present):
        return "id"
    return input_kind(series)


def _is_id_text(present: pl.Series) -> bool:
    """Whether texts are single words, nearly all different, as keys are."""
    rows = len(present)
    if rows < ID_MIN_ROWS or present.n_unique() < ID_SHARE * rows:
        return False
    spaced = present.str.contains(r"\s").mean()
    longest = present.str.len_chars().max()
    if not isinstance(spaced, float) or spaced > 1 - ID_SHARE:
        return False
    if not isinstance(longest, int) or longest > ID_TOKEN_LENGTH:
        return False
    return dates_in(present) is None


def _number_kind(series: pl.Series, low: Any, high: Any, rows: int) -> str:
    """Return the kind of a number column.

    Whole numbers that are nearly all different are an id when they run without gaps, as row
    numbers do, or are called one. Real numbers never are.
    """
    if rows == 0:
        return "empty"
    if low == high:
        return "constant" if rows == len(series) else "number"
    span = float(high) - float(low) + 1
    dense = rows >= DENSE_MIN_ROWS and span <= DENSE_SPAN * rows
    named = rows >= ID_MIN_ROWS and (ID_NAME.search(series.name) or ID_CAMEL.search(series.name))
    if not (dense or named) or span < ID_SHARE * rows:
        return "number"
    present = series.drop_nulls()
    if not series.dtype.is_integer() and not bool((present == present.round()).all()):
        return "number"
    return "id" if present.n_unique() >= ID_SHARE * rows else "number"


def _is_text(present: pl.Series, distinct: int) -> bool:
    if distinct <= TEXT_MIN_VALUES:
        return False
    if distinct > TEXT_SHARE * len(present):
        return True
    words = present.str.count_matches(r"\S+").mean()
    return distinct > CATEGORY_LIMIT and isinstance(words, float) and words >= TEXT_WORDS
