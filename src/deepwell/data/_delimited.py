"""Delimited text (CSV, TSV and their kin) to a table of text columns, every line checked.

Rules: the first line that is not blank holds the column names; the separator is one of `,`,
`;`, tab and `|`; fields may be quoted with `"`, doubled inside (RFC 4180); blank lines are
skipped, though `""` in a table of one column is a missing value; every other line has as many
fields as the first.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl

from deepwell._base._errors import UsageError

from ._memory import gigabytes
from ._names import count_of, quoted

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_BYTES = 65_536  # enough for the names of 5,000 columns, and quick
SAMPLE_LINES = 50
FIELD_END, ROW_END = "\x1f", "\x1e"  # ASCII's unit and record separators: in no text by intent
LONGEST_FIELD = 2**31 - 1  # characters; the largest limit that the csv module takes everywhere


def read_delimited(content: bytes, source: str, notes: list[str]) -> tuple[pl.DataFrame, str]:
    """Return the table with all its columns as text, and the separator that was found.

    Args:
        content: the whole file.
        source: the file's name, for messages.
        notes: takes what a reader should know.

    Raises:
        UsageError: when it is not UTF-8 text, is empty, has no row under its names, has a line
            with too few or too many fields, or names two columns alike; lines are counted from 1.
    """
    text = _decoded(content, source)
    separator = find_separator(text[:SAMPLE_BYTES])
    frame = pl.concat(delimited_frames([text], separator, '"' in text, source, notes))
    if frame.is_empty():
        raise no_rows(source)
    return frame, separator


def delimited_frames(
    pieces: Iterable[str],
    separator: str,
    has_quotes: bool,
    source: str,
    notes: list[str],
    most: float = math.inf,
    longest: float = math.inf,
) -> Iterator[pl.DataFrame]:
    """Yield a text's rows as tables of text columns, at least one table.

    Args:
        pieces: the text, cut after line feeds.
        separator: between fields.
        has_quotes: whether there is a `"` anywhere in the whole text.
        source: the file's name, for messages.
        notes: takes what a reader should know, once all rows are read.
        most: characters of a table, about, where there are quotes.
        longest: characters of a row, about, where there are quotes.

    Raises:
        UsageError: as `read_delimited`, and for a row that is too long.
    """
    if has_quotes:
        yield from _quoted_frames(_Lines(pieces, source, longest), separator, notes, most)
    else:
        yield from _plain_frames(pieces, separator, source, notes)


def find_separator(sample: str) -> str:
    r"""Return the separator of a text that begins with `sample`.

    Among those that occur in the first line, the one by which most of the next lines have as
    many fields as the first; then the one that makes more fields.

    >>> find_separator("a;b\n1,5;2\n3,5;4\n")
    ';'
    """
    best, best_score = ",", (0.0, 0)
    for separator in SEPARATORS:
        widths = _sample_widths(sample, separator)
        if not widths or widths[0] < 2:
            continue
        agree = sum(width == widths[0] for width in widths) / len(widths)
        if (agree, widths[0]) > best_score:
            best, best_score = separator, (agree, widths[0])
    return best


def _sample_widths(sample: str, separator: str) -> list[int]:
    widths: list[int] = []
    reader = _reader(io.StringIO(sample, newline=""), separator, strict=False)
    try:
        for fields in reader:
            if fields:
                widths.append(len(fields))
            if len(widths) == SAMPLE_LINES:
                break
    except csv.Error:  # a field longer than the module's limit: judge by what came before
        return widths
    cut = len(sample) >= SAMPLE_BYTES and 1 < len(widths) < SAMPLE_LINES
    return widths[:-1] if cut else widths


def _reader(lines: Iterable[str], separator: str, strict: bool) -> Any:
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=strict)


def _decoded(content: bytes, source: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise not_utf8(source, line, content[error.start]) from None
    if "\n" not in text:
        text = text.replace("\r", "\n")
    if not text.strip():
        raise empty_file(source)
    return text


def not_utf8(source: str, line: int, byte: int) -> UsageError:
    """Return the refusal of a file that is no UTF-8 text."""
    return UsageError(
        f"{source} is not UTF-8 text (byte 0x{byte:02X} in line {line:,}); save it as UTF-8, "
        "for example with iconv -f WINDOWS-1252 -t UTF-8"
    )


def empty_file(source: str) -> UsageError:
    """Return the refusal of a file that is blank."""
    return UsageError(f"{source} is empty; give a file with column names and rows")


def no_rows(source: str) -> UsageError:
    """Return the refusal of a file that has a first line only."""
    return UsageError(f"{source} has column names but no rows; add rows under the first line")


def _plain_frames(
    pieces: Iterable[str], separator: str, source: str, notes: list[str]
) -> Iterator[pl.DataFrame]:
    """Read text without quotes: each line is a row, so that lines are checked by counting."""
    names: list[str] = []
    gaps = _Gaps()
    number = width = 0
    for text in pieces:
        begins, blank = not names, False
        for line in io.StringIO(text):
            number += 1
            if _is_blank(line):
                blank = True
                gaps.here += 1
                continue
            fields = line.count(separator) + 1
            if not names:
                names, width = _checked_names(line.split(separator), source), fields
                gaps.here = 0
            elif fields != width:
                raise _ragged(source, number, fields, width)
            elif gaps.here:
                gaps.close()
        if blank:
            text = "".join(line for line in io.StringIO(text) if not _is_blank(line))
        if begins:
            text = text.partition("\n")[2]
        if names:
            yield text_columns(text.encode(), names, separator, "\n")
    notes += gaps.notes(source, width)


class _Gaps:
    """Counts the blank lines before rows, which may be meant as rows where there is one column.

    Attributes:
        here: blank lines since the last row.
    """

    def __init__(self) -> None:
        self.here = 0
        self._skipped = 0

    def close(self) -> None:
        """Count the blank lines before a row."""
        self._skipped += self.here
        self.here = 0

    def notes(self, source: str, width: int) -> list[str]:
        """Return what a reader should know of a table with so many columns."""
        if width != 1 or not self._skipped:
            return []
        lines = count_of(self._skipped, "blank line")
        return [f'{source}: {lines} skipped; write "" for a row without a value']


class _Lines:
    """The lines of a text with quotes, and the row that is being read.

    Args:
        pieces: the text, cut after line feeds.
        source: the file's name, for messages.
        longest: characters of a row, about; a quote that is not closed makes the rest one row.

    Attributes:
        start: number of the line in which the row begins.
        held: characters that were read for it.
        last: the line that was read last.
    """

    def __init__(self, pieces: Iterable[str], source: str, longest: float) -> None:
        self.source = source
        self.start, self.held, self.last = 1, 0, ""
        self._pieces, self._longest = pieces, longest

    def __iter__(self) -> Iterator[str]:
        for text in self._pieces:
            if self.held > self._longest:
                raise UsageError(
                    f"{self.source} line {self.start:,} begins a row longer than "
                    f"{gigabytes(int(self._longest))}, too long for the memory budget; close the "
                    "quotes of its fields, or give more --memory"
                )
            self.held += len(text)
            tidy = text.replace(FIELD_END, " ").replace(ROW_END, " ")
            for line in io.StringIO(tidy, newline=""):
                self.last = line
                yield line

    def next_row(self, line: int) -> None:
        """Begin another row, in this line."""
        self.start, self.held = line, 0

    def quoted_one(self, names: Sequence[str]) -> bool:
        """Whether the blank row that was read last is a field in quotes, of a single column."""
        return len(names) == 1 and '"' in self.last


def _quoted_frames(
    lines: _Lines, separator: str, notes: list[str], most: float
) -> Iterator[pl.DataFrame]:
    """Read text with quotes: they are resolved by the reader that knows where each row starts."""
    # For the whole process, and left so: readers of other threads go by the same limit.
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_FIELD))
    reader = _reader(lines, separator, strict=True)
    names: list[str] = []
    rows: list[str] = []
    gaps = _Gaps()
    size = 0
    try:
        for fields in reader:
            if len(fields) < 2 and _is_blank("".join(fields)) and not lines.quoted_one(names):
                gaps.here += 1
            elif not names:
                names = _checked_names(fields, lines.source)
                gaps.here = 0
            elif len(fields) != len(names):
                raise _ragged(lines.source, lines.start, len(fields), len(names))
            else:
                rows.append(FIELD_END.join(fields))
                size += len(rows[-1]) + 1
                gaps.close()
            lines.next_row(reader.line_num + 1)
            if size > most:
                yield _rows_of_fields(rows, names)
                rows, size = [], 0
    except csv.Error as error:
        raise UsageError(
            f"{lines.source} line {lines.start:,} cannot be read ({error}); close the quotes of "
            'each field and write a quote inside a quoted field twice ("")'
        ) from None
    yield _rows_of_fields(rows, names)
    notes += gaps.notes(lines.source, len(names))


def _rows_of_fields(rows: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    ended = ROW_END.join([*rows, ""])  # a last row of one empty field would be lost
    return text_columns(ended.encode(), names, FIELD_END, ROW_END)


def text_columns(rows: bytes, names: Sequence[str], field_end: str, row_end: str) -> pl.DataFrame:
    """Return rows of fields without quotes as text columns; an empty field is missing."""
    schema = dict.fromkeys(names, pl.String)
    if not rows:
        return pl.DataFrame(schema=schema)
    return pl.read_csv(
        io.BytesIO(rows),
        has_header=False,
        schema=schema,
        separator=field_end,
        eol_char=row_end,
        quote_char=None,
        infer_schema=False,
        glob=False,
    )


def _is_blank(line: str) -> bool:
    return not line.strip(" \r\n")


def _ragged(source: str, line: int, fields: int, width: int) -> UsageError:
    return UsageError(
        f"{source} line {line:,} has {count_of(fields, 'field')} but the first line has {width:,}; "
        "mend the line, and quote fields that hold the separator"
    )


def _checked_names(fields: list[str], source: str) -> list[str]:
    """Return stripped column names, `column_3` where the third has none."""
    names = [field.strip() or f"column_{i}" for i, field in enumerate(fields, start=1)]
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise UsageError(
            f"{source} has {times} columns named {quoted(name)}; give each column its own name"
        )
    return names
