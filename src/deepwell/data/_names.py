"""Names that came from outside, made fit for messages, flags and folders."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._safe_text import safe_text

NAME_LENGTH = 40


def data_name(text: str) -> str:
    """Return `text` as a short name of a-z, 0-9, `-` and `_`, fit for a folder.

    >>> data_name("Churn (May 2024)")
    'churn-may-2024'
    """
    tidy = re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:NAME_LENGTH].strip("-_")
    return tidy or "data"


def quoted(name: object) -> str:
    """Return a name in double quotes, harmless for a terminal."""
    return f'"{safe_text(name)}"'


def flag(option: str, name: str) -> str:
    """Return what to type on the command line, as in `--keep customer_id`."""
    return f"--{option} {shlex.quote(safe_text(name))}"


def refuse_patterns(names: Iterable[str]) -> None:
    """Refuse the one form of name that polars reads as a pattern of names, even in a column's own.

    Raises:
        UsageError: when a name begins with ^ and ends with $.
    """
    for name in names:
        if name.startswith("^") and name.endswith("$"):
            raise UsageError(
                f"column {quoted(name)} begins with ^ and ends with $, which is read as a pattern; "
                "rename it"
            )


def name_list(names: Sequence[str], limit: int = 12) -> str:
    """Return the names with commas, cut after `limit` of them.

    >>> name_list(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    shown = ", ".join(safe_text(name, 40) for name in names[:limit])
    return f"{shown} and {len(names) - limit:,} more" if len(names) > limit else shown


def near_columns(name: str, present: Sequence[str]) -> str:
    """Return the end of a sentence about a column that is not there: the nearest, and all.

    >>> near_columns("churnd", ["age", "churned"])
    '; did you mean "churned"? columns: age, churned'
    """
    hint = did_you_mean(safe_text(name), [safe_text(column) for column in present])
    return f"{hint or ';'} columns: {name_list(present)}"


def count_of(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, as in `1 row` and `2 rows`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
