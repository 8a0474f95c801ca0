"""Backups of a store in a file: copies that were checked when they were made, the newest few.

A copy is made by SQLite itself, page by page and of one moment, while others go on reading and
writing; it goes to a temporary name, is checked by SQLite from the first page to the last, synced
and renamed. So a backup that has its name was whole when it got it; it is checked again before it
is offered or put back.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deepwell._base._atomic_file import sync_folder
from deepwell._base._errors import StudyError
from deepwell._base._shell import store_flag

from ._files import shown_path, write_error
from ._open import DEFAULT_FOLDER, FILE_NAME

FOLDER = "backups"
KEPT = 3
"""How many are kept: enough that the last one may turn out to be of little use."""

_CLOCKS_DIFFER = 60.0  # seconds by which clocks may differ
_STAMP = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True)
class Backup:
    """A copy of a store's database.

    Attributes:
        file: where it lies.
        time: when it was made, seconds since 1970.
    """

    file: Path
    time: float

    @property
    def when(self) -> str:
        """Its time in words, in the zone of this machine."""
        return datetime.fromtimestamp(self.time).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def back_up(connection: sqlite3.Connection, file: Path) -> Backup:
    """Copy a database into its folder of backups, check the copy, and let go of the oldest ones.

    Args:
        connection: to the database, outside of a transaction.
        file: of the database.

    Raises:
        StudyError: when the copy is not whole; the older backups stay.
        sqlite3.Error: when the database cannot be read or the disk is full.
        UsageError: when the folder cannot be written.
    """
    folder = file.parent / FOLDER
    now = datetime.now(UTC)
    temporary = folder / f".{secrets.token_hex(8)}.tmp"
    target = folder / f"{file.stem}-{now.strftime(_STAMP)}{file.suffix}"
    try:
        folder.mkdir(exist_ok=True)
        with closing(sqlite3.connect(temporary, isolation_level=None)) as copy:
            copy.execute("PRAGMA synchronous = OFF")  # it is synced once, below
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole in itself
        if not is_whole(temporary):
            raise StudyError(
                f"the store {shown_path(file)} could not be backed up, since it is damaged; "
                f"its older backups are in {shown_path(folder)}"
            )
        sync_file(temporary)
        temporary.replace(target)
        sync_folder(folder)
    except OSError as error:
        raise write_error(error, target) from error
    finally:
        for left in (temporary, temporary.with_name(f"{temporary.name}-journal")):
            left.unlink(missing_ok=True)
    for old in backups_of(file)[KEPT:]:
        old.file.unlink(missing_ok=True)
    return Backup(target, now.timestamp())


def sync_file(file: Path) -> None:
    """Wait until the disk has a file's content."""
    descriptor = os.open(file, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def backups_of(file: Path) -> list[Backup]:
    """Return the backups of a database, newest first, not checked again."""
    found: list[Backup] = []
    with contextlib.suppress(OSError):
        for path in (file.parent / FOLDER).iterdir():
            # By stem and suffix: team.db and team.sqlite have backups of their own.
            named = path.name.startswith(f"{file.stem}-") and path.name.endswith(file.suffix)
            stamp = path.name.removeprefix(f"{file.stem}-").removesuffix(file.suffix)
            with contextlib.suppress(ValueError):
                made = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
                if named:
                    found.append(Backup(path, made.timestamp()))
    now = time.time() + _CLOCKS_DIFFER  # one from the future was made by a wrong clock
    return sorted(found, key=lambda backup: (backup.time <= now, backup.time), reverse=True)


def newest_whole(file: Path) -> Backup | None:
    """Return the newest backup of a database that is whole, or None."""
    return next((backup for backup in backups_of(file) if is_whole(backup.file)), None)


def is_whole(file: Path) -> bool:
    """Return whether SQLite finds nothing wrong with a database that nobody uses.

    Also a file that was cut inside of its last page, which SQLite itself takes for whole.
    """
    try:
        uri = f"{file.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as opened:
            pages = opened.execute("PRAGMA page_count").fetchone()[0]
            size = opened.execute("PRAGMA page_size").fetchone()[0]
            told = opened.execute("PRAGMA integrity_check(1)").fetchall()
    except (sqlite3.Error, OSError):
        return False
    return pages > 0 and file.stat().st_size >= pages * size and told == [("ok",)]


def refuse_remains(file: Path) -> None:
    """Raise StudyError when a database is gone or empty, and what lies beside it was part of it."""
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        log = file.with_name(f"{file.name}-wal")
        if backups_of(file):
            raise _gone(file) from None
        if log.exists() and log.stat().st_size > 0:  # which SQLite would remove
            raise damaged(file) from None
        return
    except OSError:
        return
    log = file.with_name(f"{file.name}-wal")
    logged = log.exists() and log.stat().st_size > 0
    # SQLite takes a file of one byte for an empty one too.
    if size <= 1 and (logged or backups_of(file) or (file.parent / "vault").exists()):
        raise damaged(file)


def _gone(file: Path) -> StudyError:
    return StudyError(
        f"the store {shown_path(file)} is gone; put back its newest backup with "
        f'"deepwell restore{flag_of(file)}", or remove {shown_path(file.parent / FOLDER)} to begin '
        "anew"
    )


def damaged(file: Path) -> StudyError:
    """Return the error to raise for a database that is not whole: what can be put back, and how."""
    backup = newest_whole(file)
    if backup is None:
        return StudyError(
            f"the store {shown_path(file)} is damaged, and there is no whole backup of it; put "
            "back a copy of your own, or choose another --store"
        )
    return StudyError(
        f"the store {shown_path(file)} is damaged; its newest whole backup was made at "
        f'{backup.when}: put it back with "deepwell restore{flag_of(file)}", and resume the '
        "studies that had not ended"
    )


def flag_of(file: Path) -> str:
    """Return the flag that names the store of a database, nothing for the usual one."""
    if file.name != FILE_NAME:
        return store_flag(f"sqlite:///{file}")
    usual = Path.cwd() / DEFAULT_FOLDER
    return "" if file.parent == usual else store_flag(file.parent)


class Pace:
    """Decides when a backup is worth its time: at most a hundredth of the time goes into them."""

    SHARE = 0.01

    def __init__(self) -> None:
        self._next = 0.0

    def due(self) -> bool:
        """Return whether enough time has passed since the last one."""
        return time.monotonic() >= self._next

    def took(self, seconds: float) -> None:
        """Note how long one took."""
        self._next = time.monotonic() + seconds / self.SHARE
