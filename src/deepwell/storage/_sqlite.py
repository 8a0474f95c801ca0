"""All that is particular to SQLite: how connections are set up, begun, and what its errors mean."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError

from deepwell._base._errors import DeepwellError, StudyError, UsageError
from deepwell._base._safe_text import safe_text

from ._backup import Backup, back_up, backups_of, damaged, flag_of, refuse_remains
from ._files import shown_path
from ._network import on_network
from ._whole import lacks_pages

BUSY_SECONDS = 30.0
"""How long a writer waits for another one; transactions take milliseconds."""

_RETRY_SECONDS = 0.02
_LEAST_ROOM = 64 * 1024  # bytes: SQLite asks for less at a time
_MAGIC = b"SQLite format 3\0"


class Sqlite:
    """A store's database in a file.

    Args:
        file: absolute path; made when first written.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def shown(self) -> str:
        """The database for a message, quoted."""
        return shown_path(self.file)

    @property
    def name(self) -> str:
        """A name for files that belong to the database, the same at every opening."""
        return self.file.name

    @property
    def place(self) -> str:
        """Where the database is, by whatever name of its folder."""
        return str(self.file.resolve())

    @property
    def flag(self) -> str:
        """The flag that names the store in a command, nothing for the usual one."""
        return flag_of(self.file)

    def make_engine(self) -> sa.Engine:
        """Return an engine for the file, which is made when first used.

        Raises:
            StudyError: when only the file's log or backups are left of it.
        """
        # Before SQLite looks, which would make the file and remove its log.
        refuse_remains(self.file)
        engine = sa.create_engine(
            sa.URL.create("sqlite+pysqlite", database=str(self.file)),
            # No implicit BEGIN by the driver: `_begin` says which kind of transaction starts.
            connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
        )
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
        return engine

    def check(self, connection: sa.Connection) -> None:
        """Raise StudyError when the file was cut short."""
        if lacks_pages(connection, self.file):
            raise damaged(self.file)

    def prepare(self, engine: sa.Engine) -> None:
        """Let readers go on while one process writes; the file remembers it.

        Where the disk cannot do it SQLite keeps its other journal, which is as safe, only slower.
        On a network file system the machines share no memory, which this needs, and SQLite would
        not notice: there the other journal is chosen.
        """
        wanted = "DELETE" if on_network(self.file) else "WAL"
        give_up = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                with contextlib.closing(engine.raw_connection()) as connection:
                    with contextlib.closing(connection.cursor()) as cursor:
                        cursor.execute(f"PRAGMA journal_mode = {wanted}")
                    return
            except sqlite3.OperationalError as error:
                # SQLite's own waiting does not cover this switch.
                busy = error.sqlite_errorname.startswith("SQLITE_BUSY")
                if not busy or time.monotonic() > give_up:
                    raise
                # Several that hold it open while they wait to be alone with it would wait for ever.
                engine.dispose()
                time.sleep(_RETRY_SECONDS * (1 + random.random()))

    def back_up(self, engine: sa.Engine) -> Backup:
        """Copy the file, check the copy, and keep the newest few of such copies."""
        connection = engine.raw_connection()
        with contextlib.closing(connection):
            raw: Any = connection.driver_connection
            return back_up(raw, self.file)

    def explain(self, error: BaseException) -> DeepwellError:
        """Return the sentence for an error of the database, as the error to raise."""
        cause = (error.orig or error) if isinstance(error, DBAPIError) else error
        return _explained(cause, self.file)


def _explained(error: BaseException, file: Path) -> DeepwellError:
    store, name = shown_path(file), getattr(error, "sqlite_errorname", "")
    reason = safe_text(error, limit=200)
    # Memory that processes share takes room on the disk too, and SQLite does not say which it was.
    if name.startswith("SQLITE_FULL") or (name.startswith("SQLITE_IOERR") and _no_room(file)):
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
    if name.startswith("SQLITE_CORRUPT"):
        return damaged(file)
    if name.startswith("SQLITE_NOTADB"):
        if _was_a_database(file):
            return damaged(file)
        return UsageError(f"{store} is not a Deepwell store; choose another --store")
    if name.startswith("SQLITE_CONSTRAINT"):
        return StudyError(f"the store {store} refused contradictory records: {reason}")
    return StudyError(f"the store {store} could not be read or written: {reason}")


def _no_room(file: Path) -> bool:
    """Return whether the disk of a file has hardly any room left."""
    try:
        return shutil.disk_usage(file.parent).free < _LEAST_ROOM
    except OSError:
        return False


def _was_a_database(file: Path) -> bool:
    """Return whether a file that SQLite takes for none is what is left of one."""
    try:
        with file.open("rb") as opened:
            start = opened.read(len(_MAGIC))
    except OSError:
        return False
    return bool(start) and (_MAGIC.startswith(start) or bool(backups_of(file)))


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
