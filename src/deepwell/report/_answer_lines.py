"""The answer to a question in SQL: as a table, as CSV, or as an object for JSON."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

from deepwell._base._safe_text import safe_text
from deepwell.records import Answer

from ._figures import count
from ._layout import COLUMNS, display_width, pad

_WIDEST = 40  # columns of the screen that one value may take
_DIGITS = 6


def answer_lines(answer: Answer) -> list[str]:
    """Return a table; where it is wider than the screen, each row as lines of its own."""
    names = [safe_text(name, _WIDEST) for name in answer.columns]
    cells = [[_shown(value) for value in row] for row in answer.rows]
    widths = [
        max(display_width(text) for text in (name, *(row[place] for row in cells)))
        for place, name in enumerate(names)
    ]
    fits = sum(widths) + 2 * (len(widths) - 1) <= COLUMNS
    lines = _table(answer, names, cells, widths) if fits else _records(names, answer.rows)
    told = count(len(cells), "row")
    more = ", and more: --limit N shows them" if answer.more else ""
    return [*lines, f"({told}{more})"]


def answer_csv(answer: Answer) -> str:
    """Return the rows as CSV with a line of names; numbers are exact, NULL is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows([["" if v is None else _plain(v) for v in row] for row in answer.rows])
    return text.getvalue()


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return `columns`, `rows` and `more`, whether there are rows beyond the limit.

    A row is a list of values; NULL and what is not finite are null.
    """
    rows = [[_finite(_plain(value)) for value in row] for row in answer.rows]
    return {"columns": list(answer.columns), "rows": rows, "more": answer.more}


def _table(
    answer: Answer, names: Sequence[str], cells: Sequence[Sequence[str]], widths: Sequence[int]
) -> list[str]:
    numeric = [
        all(isinstance(row[place], int | float | None) for row in answer.rows)
        for place in range(len(names))
    ]
    lines = [
        "  ".join(
            pad(text, width, right=right)
            for text, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in [names, *cells]
    ]
    rule = "  ".join("-" * width for width in widths)
    return [lines[0], rule, *lines[1:]]


def _records(names: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    gutter = max(display_width(name) for name in names)
    room = max(COLUMNS - gutter - 2, _WIDEST)
    lines: list[str] = []
    for number, row in enumerate(rows, start=1):
        lines.append(f"-- row {number:,} --")
        lines += [
            f"{pad(name, gutter)}  {_shown(value, room)}".rstrip()
            for name, value in zip(names, row, strict=True)
        ]
    return lines


def _shown(value: object, limit: int = _WIDEST) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    return safe_text(_plain(value), limit)


def _plain(value: object) -> object:
    """Return bytes as the text that SQL writes them by, and other values as they are."""
    if isinstance(value, bytes | bytearray | memoryview):
        return f"x'{bytes(value).hex()}'"
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
