"""The lease of a study: whoever runs it holds a lock that the system frees when the process ends.

A lock of the operating system on an open file, so that no kill can leave it behind: unlike a
process number or a heartbeat in the database it needs no guess about who is still alive.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from deepwell._base._errors import StudyError
from deepwell._base._safe_text import safe_text

from ._files import write_error

LOCK = "lock"


@contextmanager
def leased(folder: Path, study: str) -> Generator[None, None, None]:
    """Hold the lease of the study with this folder while the block runs.

    Where the disk knows no locks (some network file systems) the block runs without one.

    Args:
        folder: of the study; made when it is not there.
        study: its name, for the message.

    Raises:
        StudyError: when another process, or this one, holds it.
        UsageError: when the folder cannot be written.
    """
    file = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = file.open("a+", encoding="utf-8")
    except OSError as error:
        raise write_error(error, file) from error
    with held:
        if not _lock(held):
            raise StudyError(
                f"study {safe_text(study)} is being run by {_who(file)}; "
                "wait for it, or stop that process first"
            )
        held.truncate(0)
        held.write(f"process {os.getpid()} on {socket.gethostname()}")
        held.flush()
        yield


def lease_holder(folder: Path) -> str | None:
    """Return who runs the study with this folder, in words, or None when nobody does."""
    file = folder / LOCK
    try:
        with file.open("r+", encoding="utf-8") as asked:
            return None if _lock(asked) else _who(file)
    except OSError:
        return None


def _who(file: Path) -> str:
    try:
        return safe_text(file.read_text(encoding="utf-8", errors="replace")) or "another process"
    except OSError:  # Windows lets nobody read what is locked
        return "another process"


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> bool:
        """Take the lock, which closing the file gives back; return whether that was possible."""
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: IO[str]) -> bool:
        """Take the lock, which closing the file gives back; return whether that was possible."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # this disk knows no locks
            return True
        return True
