"""Lines of at most 80 columns with a gutter of 10: the form of everything Deepwell prints."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

COLUMNS = 80
GUTTER = 10

_JOINT = "\N{NO-BREAK SPACE}"  # between what must stay on one line; shown as a space
_FIGURE_JOINTS = (
    re.compile(r"(?<=\d) (?=%)"),  # 18.6 %
    re.compile(r"(?<=[\d%]) (?=\[[-+.,\d]+ ?)"),  # 18.6 % [16.7
    re.compile(r"(?<=\d,) (?=[-+.,\d]+\])"),  # [16.7, 20.7]
)


def display_width(text: str) -> int:
    """Return the terminal columns that `text` takes: 2 for wide characters, 0 for combining ones.

    >>> display_width("Größe"), display_width("年齢")
    (5, 4)
    """
    return sum(_character_width(c) for c in text)


def _character_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def pad(text: str, columns: int, right: bool = False) -> str:
    """Return `text` filled with spaces to `columns`, on its left when `right` (for numbers)."""
    fill = " " * max(0, columns - display_width(text))
    return fill + text if right else text + fill


def fit_to(text: str, columns: int) -> str:
    """Return `text` cut to `columns`, with `...` where something is missing.

    >>> fit_to("a long sentence", 10)
    'a long ...'
    """
    if display_width(text) <= columns:
        return text
    return _head(text, max(0, columns - 3)) + "..."[: max(0, columns)]


def _head(text: str, columns: int) -> str:
    """Return the longest beginning of `text` that takes at most `columns`."""
    used = 0
    for place, character in enumerate(text):
        used += _character_width(character)
        if used > columns:
            return text[:place]
    return text


def wrap(text: str, columns: int) -> list[str]:
    """Return `text` in lines of at most `columns`, broken at spaces.

    A figure stays on one line with its unit and its interval; a word longer than a line is cut.

    >>> wrap("dev error 18.6 % [16.7, 20.7] of the best", 24)
    ['dev error', '18.6 % [16.7, 20.7] of', 'the best']
    """
    for joint in _FIGURE_JOINTS:
        text = joint.sub(_JOINT, text)
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        candidate = f"{line} {word}" if line else word
        if display_width(candidate) <= columns:
            line = candidate
            continue
        if line:
            lines.append(line)
        line = word
        while display_width(line) > columns:
            head = _head(line, columns) or line[:1]
            lines.append(head)
            line = line[len(head) :]
    lines.append(line)
    return [one.replace(_JOINT, " ").rstrip() for one in lines]


def entry(label: str, *paragraphs: str) -> list[str]:
    """Return a labelled entry: the label in the gutter, each paragraph wrapped beside it.

    >>> entry("split", "60 / 20 / 20 stratified", "360 test rows sealed")
    ['split     60 / 20 / 20 stratified', '          360 test rows sealed']
    """
    lines = [line for text in paragraphs for line in wrap(text, COLUMNS - GUTTER)]
    gutters = [pad(label, GUTTER)] + [" " * GUTTER] * (len(lines) - 1)
    return [(gutter + line).rstrip() for gutter, line in zip(gutters, lines, strict=True)]


def alternatives(label: str, commands: Sequence[str]) -> list[str]:
    """Return commands to choose from, on one line if they fit, else one a line: never broken."""
    together = " | ".join(commands)
    rows = [together] if display_width(together) <= COLUMNS - GUTTER else list(commands)
    gutters = [pad(label, GUTTER)] + [" " * GUTTER] * (len(rows) - 1)
    return [gutter + row for gutter, row in zip(gutters, rows, strict=True)]


def heading(text: str) -> list[str]:
    """Return a heading of a text file: the text, underlined, with an empty line before."""
    return ["", text, "-" * display_width(text)]


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], numbers: int, indent: int = 0
) -> list[str]:
    """Return a table whose last column takes what is left of the line and wraps.

    Args:
        header: titles of the columns.
        rows: the cells, as many in each row as there are titles.
        numbers: the first `numbers` columns are aligned at their right end.
        indent: columns that are left empty before it.
    """
    body = [list(row) for row in rows]
    widths = [
        max(display_width(row[place]) for row in [list(header), *body])
        for place in range(len(header) - 1)
    ]
    left = COLUMNS - indent - sum(widths) - 2 * len(widths)
    lines: list[str] = []
    for row in [list(header), *body]:
        cells = [pad(cell, widths[i], right=i < numbers) for i, cell in enumerate(row[:-1])]
        start = " " * indent + "".join(f"{cell}  " for cell in cells)
        first, *others = wrap(row[-1], max(left, 16))
        lines.append((start + first).rstrip())
        lines.extend((" " * display_width(start) + other).rstrip() for other in others)
    return lines
