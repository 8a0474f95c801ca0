"""Delimited text larger than the memory budget: read once, piece by piece, into its columns.

The first pass over the bytes finds what only the whole file tells (quotes, line ends, whether it
is text); the second one reads pieces of whole lines by the rules of `_delimited`.
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deepwell._base._errors import UsageError

from ._delimited import (
    FIELD_END,
    ROW_END,
    SAMPLE_BYTES,
    delimited_frames,
    empty_file,
    find_separator,
    no_rows,
    not_utf8,
)
from ._memory import gigabytes
from ._table_file import refuse_binary, safe_source
from ._text_columns_file import TextColumnsFile

_PIECES = 64  # a piece of text takes one part in so many of the budget
_LEAST, _MOST = 1 << 18, 1 << 24  # bytes of a piece
_LONGEST_LINE = 8  # pieces


@dataclass(frozen=True)
class _Traits:
    """What holds for the whole file."""

    has_quotes: bool
    line_end: bytes


def text_columns_of(
    path: Path, budget: int, most_rows: int, notes: list[str]
) -> tuple[TextColumnsFile, bool]:
    """Return the columns of a delimited file as text, and whether `1,5` may be a number in it.

    Args:
        path: of the file.
        budget: bytes that the work may take.
        most_rows: after which no more are read, since they cannot be used.
        notes: takes what a reader should know.

    Raises:
        UsageError: as reading it as a whole does, and when the disk is full.
        OSError: when the file cannot be opened.
    """
    source = safe_source(path)
    step = max(_LEAST, min(_MOST, budget // _PIECES))
    traits = _surveyed(path, source, step)
    pieces = _pieces(path, source, step, traits.line_end)
    begin = next(pieces)
    while len(begin) < SAMPLE_BYTES and (more := next(pieces, "")):
        begin += more
    separator = find_separator(begin[:SAMPLE_BYTES])
    whole = itertools.chain([begin], pieces)
    longest = _LONGEST_LINE * step
    frames = delimited_frames(whole, separator, traits.has_quotes, source, notes, step, longest)
    ends = (ROW_END, FIELD_END) if traits.has_quotes else ("\n", separator)
    columns: TextColumnsFile | None = None
    size = path.stat().st_size
    try:
        for frame in frames:
            columns = columns or TextColumnsFile(frame.columns, *ends)
            columns.add(frame)
            if columns.rows > most_rows:
                break
    except OSError as error:
        raise UsageError(
            f"{source} is larger than the memory budget and is kept by columns, which needs about "
            f"{gigabytes(size)} of disk in the cache folder ({error.strerror or error}); set "
            "DEEPWELL_CACHE to a folder with room"
        ) from None
    if columns is None or not columns.rows:
        raise no_rows(source)
    return columns, separator == ";"


def _blocks(path: Path, step: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(step):
            yield block


def _surveyed(path: Path, source: str, step: int) -> _Traits:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    quotes = written = False
    feeds = 0
    start = True
    for block in itertools.chain(_blocks(path, step), [b""]):
        refuse_binary(block, source, at_start=start)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:  # in what it kept of the block before, and this one
            line = feeds + error.object.count(b"\n", 0, error.start) + 1
            raise not_utf8(source, line, error.object[error.start]) from None
        quotes = quotes or '"' in text
        written = written or bool(text and not text.isspace())
        feeds += block.count(b"\n")
        start = False
    if not written:
        raise empty_file(source)
    return _Traits(quotes, b"\n" if feeds else b"\r")


def _pieces(path: Path, source: str, step: int, line_end: bytes) -> Iterator[str]:
    """Yield the text in pieces of whole lines."""
    rest = b""
    lines = 0
    for block in itertools.chain(_blocks(path, step), [b""]):
        together = rest + block
        cut = together.rfind(line_end) + 1 if block else len(together)
        rest = together[cut:]
        if len(rest) > _LONGEST_LINE * step:
            raise UsageError(
                f"{source} line {lines + 1:,} is longer than {gigabytes(_LONGEST_LINE * step)}, "
                "too long for the memory budget; give more --memory, or mend the line"
            )
        text = together[:cut].decode("utf-8-sig" if lines == 0 else "utf-8")
        lines += together.count(line_end, 0, cut)
        if text:
            yield text.replace("\r", "\n") if line_end == b"\r" else text
