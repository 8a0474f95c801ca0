"""All that is particular to SQLite: how connections are set up, begun, and what its errors mean."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection

from deepwell._base._errors import DeepwellError, StudyError, UsageError
from deepwell._base._safe_text import safe_text

from ._files import shown_path

BUSY_SECONDS = 30.0
"""How long a writer waits for another one; transactions take milliseconds."""

_RETRY_SECONDS = 0.02


def make_engine(file: Path) -> sa.Engine:
    """Return an engine for the database file (absolute), which is made when first used."""
    engine = sa.create_engine(
        sa.URL.create("sqlite+pysqlite", database=str(file)),
        # No implicit BEGIN by the driver: `_begin` says which kind of transaction starts.
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def use_write_ahead_log(engine: sa.Engine) -> None:
    """Let readers go on while one process writes; the file remembers it.

    Where the disk cannot do it (some network file systems), SQLite keeps its other journal, which
    is as safe, only slower.
    """
    give_up = time.monotonic() + BUSY_SECONDS
    connection = engine.raw_connection()
    with contextlib.closing(connection), contextlib.closing(connection.cursor()) as cursor:
        while True:
            try:
                cursor.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                # SQLite's own waiting does not cover this switch.
                busy = error.sqlite_errorname.startswith("SQLITE_BUSY")
                if not busy or time.monotonic() > give_up:
                    raise
                time.sleep(_RETRY_SECONDS)


def explain(error: BaseException, file: Path) -> DeepwellError:
    """Return the sentence for an error of the database, as the error to raise."""
    store, name = shown_path(file), getattr(error, "sqlite_errorname", "")
    reason = safe_text(error, limit=200)
    if name.startswith("SQLITE_FULL"):
        return UsageError(
            f"the disk with the store {store} is full; free space and run again, "
            "all that was recorded is intact"
        )
    if name.startswith("SQLITE_BUSY"):
        return StudyError(
            f"the store {store} was kept busy by another process for {BUSY_SECONDS:.0f} seconds; "
            "end that process or wait for it"
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_PERM")):
        return UsageError(f"no permission to write the store {store}; choose another --store")
    if name.startswith("SQLITE_CANTOPEN"):
        return UsageError(
            f"the store {store} could not be opened; its folder must exist and be writable"
        )
    if name.startswith("SQLITE_NOTADB"):
        return UsageError(f"{store} is not a Deepwell store; choose another --store")
    if name.startswith("SQLITE_CORRUPT"):
        return StudyError(f"the store {store} is damaged; put back a copy of it, or use another")
    if name.startswith("SQLITE_CONSTRAINT"):
        return StudyError(f"the store {store} refused contradictory records: {reason}")
    return StudyError(f"the store {store} could not be read or written: {reason}")


def _set_up(connection: DBAPIConnection, _record: object) -> None:
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA foreign_keys = ON")
        # A store may come from anyone: nothing in its schema may call a function of ours.
        cursor.execute("PRAGMA trusted_schema = OFF")


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    # The driver's own cursor: these small statements come with every transaction.
    with contextlib.closing(connection.connection.cursor()) as cursor:
        if writes is None:
            cursor.execute("BEGIN")
            return
        # With the write-ahead log, NORMAL never breaks a store: a killed process loses nothing,
        # and a power cut at worst the last chunks, which are trained again. It saves a sync to
        # the disk per chunk. What cannot be made again ("durable") and stores without that log
        # get FULL.
        cursor.execute("PRAGMA journal_mode")
        log = cursor.fetchone() == ("wal",)
        level = "NORMAL" if log and writes != "durable" else "FULL"
        cursor.execute(f"PRAGMA synchronous = {level}")
        # Taking the write lock at once, not at the first write, rules out deadlocks of writers.
        cursor.execute("BEGIN IMMEDIATE")
