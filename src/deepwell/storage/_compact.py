"""Room inside a database file that removed records have left, given back to the disk."""

from __future__ import annotations

import sqlite3
from typing import Any

from ._database import Database

_WORTH = 1_000_000  # bytes; less is used up by the next study
_SHARE = 0.25  # of the file; all the rest of it is written anew, and whoever records waits


def free_bytes(database: Database) -> int:
    """Return the bytes inside the file that hold nothing, where they are worth the work.

    0 where it is little, or a small part of the file, or a server sees to it itself.
    """
    with database.reading() as connection:
        raw: Any = connection.connection.driver_connection
        if not isinstance(raw, sqlite3.Connection):
            return 0
        names = ("freelist_count", "page_count", "page_size")
        free, pages, size = (raw.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    return free * size if free * size >= _WORTH and free >= _SHARE * pages else 0


def compact(database: Database) -> None:
    """Give that room back; it takes as much room beside the file for a moment."""
    with database.outside() as raw:
        raw.execute("VACUUM")
