"""What a question to a store gave."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """Rows that a query gave.

    Attributes:
        columns: their names, in order; two may be the same.
        rows: a tuple of values a row: numbers, texts, bytes, None.
        more: whether there are rows beyond the limit.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    more: bool
