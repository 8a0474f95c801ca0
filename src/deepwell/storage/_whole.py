"""Whether a database file has all of its pages: a cut at any byte shows, at the cost of a look.

SQLite itself notices a file that lacks whole pages, but takes one that ends inside a page, and
pages that are missing while the log is not empty, for zeros. Its own full check reads every page,
too slow to be made at every opening.
"""

from __future__ import annotations

import struct
from pathlib import Path

import sqlalchemy as sa

_LOG_HEADER = 32
_FRAME_HEADER = 24


def lacks_pages(connection: sa.Connection, file: Path) -> bool:
    """Return whether pages are missing, both in the file and in its log.

    Args:
        connection: inside a transaction, so that no page leaves the log meanwhile.
        file: of the database.
    """
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    # The size only, since closing the file would let go of the locks that SQLite holds on it.
    there = file.stat().st_size
    if there >= pages * size:
        return False
    missing = set(range(there // size + 1, pages + 1))
    return not missing <= _pages_in_log(file.with_name(f"{file.name}-wal"), size)


def _pages_in_log(log: Path, size: int) -> set[int]:
    """Return the numbers of the pages of which the write-ahead log has a newer state."""
    found: set[int] = set()
    try:
        with log.open("rb") as frames:
            # Frames of an earlier round of the log have other salts.
            salts = frames.read(_LOG_HEADER)[16:24]
            while len(header := frames.read(_FRAME_HEADER)) == _FRAME_HEADER:
                if header[8:16] != salts:
                    break
                found.add(struct.unpack(">I", header[:4])[0])
                frames.seek(size, 1)
    except OSError:
        pass
    return found
