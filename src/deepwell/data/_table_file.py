"""A table file by its path: recognized by its first bytes, read, or refused in a sentence."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import polars as pl

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._safe_text import safe_text

from ._arrays import read_npz
from ._delimited import read_delimited
from ._memory import gigabytes, require_memory
from ._names import quoted

HEAD_BYTES = 65_536
# Peak memory over file size, measured on number and text tables of 60 to 80 MB: the bytes,
# their text, the columns, the parsed columns, the encoded rows.
TEXT_FACTOR = 12
CELL_BYTES = 32  # a Parquet cell: the value, its encoding, and room for temporaries

KNOWN_AS = {
    b"\x1f\x8b": ("is gzip-compressed", "unpack it first, for example with gunzip"),
    b"\xd0\xcf\x11\xe0": ("is an old Excel file", "save the table as CSV"),
    b"%PDF": ("is a PDF", "give the table as CSV or Parquet"),
    b"SQLite format 3": ("is an SQLite database", "export the table as CSV"),
    b"\x93NUMPY": ("is a single NumPy array", "save inputs and target with np.savez(file, X=, y=)"),
    b"ARROW1": ("is an Arrow file", "write it as Parquet"),
    b"\xff\xfe": ("is UTF-16 text", "save it as UTF-8"),
    b"\xfe\xff": ("is UTF-16 text", "save it as UTF-8"),
}
FORMATS = "CSV, TSV, Parquet or NPZ file"


def read_file(given: str | os.PathLike[str], notes: list[str]) -> tuple[pl.DataFrame, bool]:
    """Return the table in a CSV, TSV, Parquet or NPZ file, as text where it is text.

    What the file is follows from its first bytes, not from its name.

    Args:
        given: its path.
        notes: takes what a reader should know.

    Returns:
        The table, and whether `1,5` may be a number in it.

    Raises:
        UsageError: one sentence, whatever is wrong with the path, the file or its content.
    """
    path = Path(given)
    source = safe_source(path)
    try:
        size = _regular_size(path, source)
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if head.startswith(b"PAR1"):
            return _read_parquet(path, source, size), False
        if head.startswith(b"PK"):
            return read_npz(path, source), False
        refuse_binary(head, source)
        require_memory(size * TEXT_FACTOR, f"{source} ({gigabytes(size)})")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(path, source, error) from None
    refuse_binary(content, source)
    frame, separator = read_delimited(content, source, notes)
    return frame, separator == ";"


def safe_source(path: Path) -> str:
    """Return a path's last part for messages."""
    return safe_text(path.name or path)


def _regular_size(path: Path, source: str) -> int:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise UsageError(f"{source} is a directory; give a {FORMATS}")
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{source} is not a regular file; give a {FORMATS}")
    if status.st_size == 0:
        raise UsageError(f"{source} is empty; give a file with column names and rows")
    return status.st_size


def refuse_binary(content: bytes, source: str, at_start: bool = True) -> None:
    """Refuse what is no text.

    Args:
        content: of a file, or a part of it.
        source: the file's name, for messages.
        at_start: whether the file begins with it.

    Raises:
        UsageError: with what it is, where that is known.
    """
    for start, (what, tip) in KNOWN_AS.items():
        if at_start and content.startswith(start):
            raise UsageError(f"{source} {what}, not a table of text; {tip}")
    if b"\0" in content:
        raise UsageError(f"{source} is a binary file, not a table; give a {FORMATS}")


def _read_parquet(path: Path, source: str, size: int) -> pl.DataFrame:
    try:
        with path.open("rb") as file:
            schema = pl.read_parquet_schema(file)
        rows = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        height = int(rows.select(pl.len()).collect().item())
        needed = height * len(schema) * CELL_BYTES + 2 * size
        require_memory(needed, f"{source} ({height:,} rows x {len(schema):,} columns)")
        with path.open("rb") as file:
            return pl.read_parquet(file)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(
            f"{source} cannot be read as Parquet ({reason[:120]}); write it anew"
        ) from None


def _unreadable(path: Path, source: str, error: OSError | ValueError) -> UsageError:
    if isinstance(error, UsageError):
        return error
    if isinstance(error, FileNotFoundError):
        return UsageError(f"file {quoted(path)} not found{_near_misses(path)}")
    if isinstance(error, PermissionError):
        return UsageError(f"{source} may not be read: permission denied; check its permissions")
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return UsageError(f"{source} is too long a file name; give the path of a {FORMATS}")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UsageError(f"{source} cannot be read ({reason}); give the path of a {FORMATS}")


def _near_misses(path: Path) -> str:
    try:
        others = sorted(safe_text(other.name) for other in path.parent.iterdir())
    except OSError:
        return "; check the path"
    return did_you_mean(safe_text(path.name), others) or "; check the path"
