"""Delimited text (CSV, TSV and their kin) to a table of text columns, every line checked.

Rules: the first line that is not blank holds the column names; the separator is one of `,`,
`;`, tab and `|`; fields may be quoted with `"`, doubled inside (RFC 4180); blank lines are
skipped; every other line has as many fields as the first.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import Any

import polars as pl

from deepwell._base._errors import UsageError

from ._names import count_of, quoted

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_BYTES = 65_536  # enough for the names of 5,000 columns, and quick
SAMPLE_LINES = 50
FIELD_END, ROW_END = "\x1f", "\x1e"  # ASCII's unit and record separators: in no text by intent


def read_delimited(content: bytes, source: str) -> tuple[pl.DataFrame, str]:
    """Return the table with all its columns as text, and the separator that was found.

    Args:
        content: the whole file.
        source: the file's name, for messages.

    Raises:
        UsageError: when it is not UTF-8 text, is empty, has no row under its names, has a line
            with too few or too many fields, or names two columns alike; lines are counted from 1.
    """
    text = _decoded(content, source)
    separator = find_separator(text[:SAMPLE_BYTES])
    if '"' in text:
        names, frame = _read_quoted(text, separator, source)
    else:
        names, frame = _read_plain(text, separator, source)
    if frame.is_empty():
        raise UsageError(f"{source} has column names but no rows; add rows under the first line")
    return frame.rename(dict(zip(frame.columns, names, strict=True))), separator


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
    reader = _reader(sample, separator, strict=False)
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


def _reader(text: str, separator: str, strict: bool) -> Any:
    lines = io.StringIO(text, newline="")
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=strict)


def _decoded(content: bytes, source: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise UsageError(
            f"{source} is not UTF-8 text (byte 0x{byte:02X} in line {line:,}); save it as UTF-8, "
            "for example with iconv -f WINDOWS-1252 -t UTF-8"
        ) from None
    if "\n" not in text:
        text = text.replace("\r", "\n")
    if not text.strip():
        raise UsageError(f"{source} is empty; give a file with column names and rows")
    return text


def _read_plain(text: str, separator: str, source: str) -> tuple[list[str], pl.DataFrame]:
    """Read text without quotes: each line is a row, so that lines are checked by counting."""
    header, width, blank = "", 0, False
    for number, line in enumerate(io.StringIO(text), start=1):
        if _is_blank(line):
            blank = True
            continue
        fields = line.count(separator) + 1
        if not header:
            header, width = line, fields
        elif fields != width:
            raise _ragged(source, number, fields, width)
    names = _checked_names(header.split(separator), source)
    if blank:
        text = "".join(line for line in io.StringIO(text) if not _is_blank(line))
    _, _, rows = text.partition("\n")
    return names, _text_columns(rows, width, separator, "\n")


def _read_quoted(text: str, separator: str, source: str) -> tuple[list[str], pl.DataFrame]:
    """Read text with quotes: they are resolved by the reader that knows where each row starts."""
    text = text.replace(FIELD_END, " ").replace(ROW_END, " ")
    reader = _reader(text, separator, strict=True)
    names: list[str] = []
    rows: list[str] = []
    start = 1
    try:
        for fields in reader:
            if len(fields) < 2 and _is_blank("".join(fields)):
                pass
            elif not names:
                names = _checked_names(fields, source)
            elif len(fields) != len(names):
                raise _ragged(source, start, len(fields), len(names))
            else:
                rows.append(FIELD_END.join(fields))
            start = reader.line_num + 1
    except csv.Error as error:
        raise UsageError(
            f"{source} line {start:,} cannot be read ({error}); close the quotes of each field "
            'and write a quote inside a quoted field twice ("")'
        ) from None
    return names, _text_columns(ROW_END.join(rows), len(names), FIELD_END, ROW_END)


def _text_columns(rows: str, width: int, field_end: str, row_end: str) -> pl.DataFrame:
    """Return rows of `width` fields each, without quotes, as text columns `0`, `1`, ..."""
    schema = {str(i): pl.String for i in range(width)}
    if not rows:
        return pl.DataFrame(schema=schema)
    return pl.read_csv(
        io.BytesIO(rows.encode()),
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
