"""What stands for "no value" in cells of text."""

from __future__ import annotations

import polars as pl

# What spreadsheets, R, pandas, SQL and the classic data sets write.
MISSING_MARKERS = frozenset(
    {"na", "n/a", "#n/a", "<na>", "nan", "null", "none", "?", "-", "--", "."}
)
MARKER_SPELLINGS = 40  # markers in all the usual capitals; more different leftovers are words


def is_missing_or_marker(text: pl.Series) -> bool:
    """Whether every value is missing or a marker of a missing value."""
    left = text.drop_nulls().unique()
    return len(left) <= MARKER_SPELLINGS and all(v.lower() in MISSING_MARKERS for v in left)
