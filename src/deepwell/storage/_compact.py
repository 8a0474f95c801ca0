"""Room inside a database file that removed records have left, given back to the disk."""

from __future__ import annotations

import sqlite3
from typing import Any

from ._database import Database

_WORTH = 1_000_000  # bytes; less is used up by the next study


def free_bytes(database: Database) -> int:
    """Return the bytes inside the file that hold nothing; 0 where a server sees to it itself."""
    with database.reading() as connection:
        raw: Any = connection.connection.driver_connection
        if not isinstance(raw, sqlite3.Connection):
            return 0
        (pages,), (size,) = (
            raw.execute(f"PRAGMA {name}").fetchone() for name in ("freelist_count", "page_size")
        )
    return pages * size if pages * size >= _WORTH else 0


def compact(database: Database) -> None:
    """Give that room back; it takes as much room beside the file for a moment."""
    with database.outside() as raw:
        raw.execute("VACUUM")
