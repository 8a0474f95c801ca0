"""Dots in the numbers of files with decimal commas: between thousands, or decimal points?

A cell such as `1.234,50` leaves no doubt, in whatever file it comes. One such as `1.234` does: it
is a number with a decimal point, as everywhere, so that it means the same in files with and without
other cells that would tell; where thousands are likely, a note says so.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from polars.selectors import string

from ._missing_markers import is_missing_or_marker
from ._names import name_list

_THOUSANDS = r"^\s*[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})"
PARTED = _THOUSANDS + r"+,[0-9]+\s*$"  # 1.234,50
SEVERAL = _THOUSANDS + r"{2,}\s*$"  # 1.234.567
SINGLE = _THOUSANDS + r"\s*$"  # 1.234
WITHOUT = r"^\s*[+-]?[0-9]+(,[0-9]+)?\s*$"
LONG = r"^\s*[+-]?[0-9]{4}"  # four digits together, as nobody writes who parts thousands
POSSIBLE = "|".join((PARTED, SEVERAL, SINGLE, WITHOUT, r"^\s*$"))
ANY_DOT = r"[0-9]\.|\.[0-9]"
SAMPLE = 1_000  # cells that rule out most columns


def without_dots(text: pl.Series) -> pl.Series:
    """Return texts without the dots between thousands, where no other dots are in the column."""
    parted = text.str.contains(PARTED)
    if not parted.any() or (text.str.contains(ANY_DOT) & ~parted).any():
        return text
    bare = text.str.replace_all(".", "", literal=True)
    return bare.zip_with(parted.fill_null(value=False), text)


class DottedNumbers:
    """Columns whose numbers hold dots, gathered for a note to whoever reads on.

    Args:
        source: the file's name.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._parted: dict[str, str] = {}  # name -> a cell as an example
        self._text: dict[str, str] = {}
        self._points: dict[str, str] = {}

    def look(self, frame: pl.DataFrame) -> None:
        """Look at whole columns of text, as they are in a file."""
        for text in frame.select(string()):
            self._look_at(text)

    def _look_at(self, text: pl.Series) -> None:
        if not _possible(text.head(SAMPLE)):
            return
        dotted = text.filter(text.str.contains(".", literal=True))
        if dotted.is_empty() or not _possible(text):
            return
        parted = dotted.filter(dotted.str.contains(PARTED))
        several = dotted.filter(dotted.str.contains(SEVERAL))
        single = dotted.filter(dotted.str.contains(SINGLE))
        rest = text.filter(text.str.contains(WITHOUT))
        if len(parted) and several.is_empty() and single.is_empty():
            self._parted[text.name] = parted[0].strip()
        elif len(parted) or len(several):
            self._text[text.name] = pl.concat([parted, several])[0].strip()
        elif len(single) and len(rest) and not rest.str.contains(LONG).any():
            self._points[text.name] = single[0].strip()

    def notes(self, names: Sequence[str]) -> list[str]:
        """Return how the dots were read.

        Args:
            names: of the table's columns in their order.
        """
        read = (
            (self._parted, "dots part thousands, as in {}"),
            (self._text, "read as text for dots as in {}; leave out dots between thousands"),
            (self._points, "{} is read with a decimal point; leave out dots between thousands"),
        )
        notes: list[str] = []
        for found, how in read:
            if columns := [name for name in names if name in found]:
                told = how.format(found[columns[0]])
                notes.append(f"{self._source}: {name_list(columns, 5)}: {told}")
        return notes


def _possible(text: pl.Series) -> bool:
    left = text.filter(~text.str.contains(POSSIBLE))
    return is_missing_or_marker(left.str.strip_chars())
