"""Putting a backup in the place of a store that is damaged."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deepwell._base._atomic_file import sync_folder
from deepwell._base._errors import DeepwellError, StudyError, UsageError

from ._address import Address
from ._backup import Backup, newest_whole, sync_file
from ._database import Database
from ._files import shown_path, write_error
from ._mark import living
from ._open import locate
from ._signs import follow_folders, without_folder
from ._sqlite import Sqlite

_JOURNALS = ("-wal", "-shm", "-journal")

_ELSE = ("BUSY", "LOCKED", "PERM", "READONLY", "CANTOPEN", "FULL", "NOMEM", "PROTOCOL", "AUTH")
_NO_DAMAGE = tuple(f"SQLITE_{what}" for what in _ELSE)


@dataclass(frozen=True)
class Restored:
    """What was done.

    Attributes:
        backup: what now stands in the place of the store.
        aside: where the damaged database lies now, or None where there was none.
        renamed: (name in the backup, name now) of studies whose folders have another name since.
        missing: names of studies that have an outcome, and no folder.
    """

    backup: Backup
    aside: Path | None
    renamed: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()


def restore(where: str | Path | None = None) -> Restored:
    """Put the newest whole backup in the place of a damaged store, which is kept beside it.

    A study that was renamed since the backup keeps its newer name, as its folder does. A kill on
    the way leaves the damaged store, or none at all, and restoring can be run again.

    Args:
        where: the store, as for `open_store`.

    Raises:
        UsageError: when the store is whole, so that there is nothing to put back, or has no whole
            backup, or lies on a server.
        StudyError: when a study of it is running, or the disk fails.
    """
    location = locate(where)
    file = location.database
    if isinstance(file, Address):
        raise UsageError(
            f"the store {location.shown} lies on a server, whose backups are put back there, as "
            "with pg_restore"
        )
    _refuse_running(location.folder)
    if file.exists() and _in_order(file):
        raise UsageError(f"the store {shown_path(file)} is whole, so nothing was put back")
    backup = newest_whole(file)
    if backup is None:
        raise UsageError(
            f"there is no whole backup of the store {shown_path(file)}; put back a copy of your "
            "own, or choose another --store"
        )
    with _explained(file):
        return _replace(file, backup)


def _refuse_running(folder: Path) -> None:
    # By the marks of this machine: the leases are in the database that is damaged.
    for words in living(folder):
        raise StudyError(f"a study is being run by {words}; stop that process first")


def _in_order(file: Path) -> bool:
    """Return whether SQLite finds nothing wrong with the database, from first page to last."""
    try:
        with closing(Database(Sqlite(file))) as database, database.reading() as connection:
            database.check(connection)
            found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
            empty = connection.exec_driver_sql("PRAGMA page_count").scalar_one() == 0
            return found == "ok" and not empty
    except DeepwellError as error:
        cause = getattr(error.__cause__, "orig", None) or error.__cause__
        if getattr(cause, "sqlite_errorname", "").startswith(_NO_DAMAGE):
            raise  # it says nothing of the content
        return False


def _replace(file: Path, backup: Backup) -> Restored:
    temporary = file.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        shutil.copyfile(backup.file, temporary)
        with closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            _end_leases(connection)
            renamed = follow_folders(connection, file.parent, file.name)
            missing = without_folder(connection, file.parent)
        sync_file(temporary)
        # The journals belong to the damaged file: beside another one they would spoil it.
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        aside = file.with_name(f"{file.stem}-damaged-{stamp}{file.suffix}")
        for ending in _JOURNALS:
            _move(file.with_name(file.name + ending), aside.with_name(aside.name + ending))
        moved = _move(file, aside)
        temporary.replace(file)
        sync_folder(file.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return Restored(backup, aside if moved else None, tuple(renamed), tuple(missing))


def _end_leases(connection: sqlite3.Connection) -> None:
    """Remove the leases of the backup's moment, whose holders are not those of today.

    One that runs after all, on another machine, finds its lease gone and records nothing more.
    """
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'lease'").fetchone():
        connection.execute("DELETE FROM lease")


def _move(source: Path, target: Path) -> bool:
    try:
        source.replace(target)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _explained(file: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise write_error(error, file) from error
