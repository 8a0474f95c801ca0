"""A lock of the operating system on a file: freed by the system however its holder ends.

It tells at once that a holder on this machine has died, where its lease in the database would
first have to expire. It proves nothing about other machines: some network file systems keep locks
of each machine apart, and some disks know none.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import IO

from ._files import write_error

LOCK = "lock"

_TRIES, _PAUSE = 20, 0.01  # somebody may hold it for a moment, only to ask


class LocalLock:
    """The lock file of a study, open.

    Attributes:
        known: whether this disk knows locks; where it does not, `taken` means nothing.
        taken: whether this process has the lock now.
        left: token of the last holder if that was a process of this machine, else empty.
    """

    def __init__(self, file: IO[str], known: bool, taken: bool) -> None:
        self._file = file
        self.known = known
        self.taken = taken
        self.left = _token_in(file) if known and taken else ""

    def write(self, holder: str, token: str) -> None:
        """Leave word of who holds it."""
        self._file.seek(0)
        self._file.truncate(0)
        self._file.write(f"{holder}\n{machine()}\n{token}\n")
        self._file.flush()


@contextlib.contextmanager
def local_lock(folder: Path, *, ask: bool = False) -> Generator[LocalLock | None]:
    """Give the lock of a study's folder while the block runs, taken where nobody has it.

    Args:
        folder: of the study; made when it is not there, unless it is only asked about.
        ask: whether it is only asked about; then None where there is no lock file.

    Raises:
        UsageError: when the folder cannot be written.
    """
    file = folder / LOCK
    try:
        opened = _opened(file, ask)
    except OSError as error:
        if ask:
            yield None
            return
        raise write_error(error, file) from error
    with opened:
        known, taken = _try(opened, file, 1 if ask else _TRIES)
        yield LocalLock(opened, known, taken)


def machine() -> str:
    """Return what tells this machine, since it was started, from others of the same name."""
    boot = ""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{socket.gethostname()} {boot}".strip()


def _opened(file: Path, ask: bool) -> IO[str]:
    if ask:
        return file.open("r+", encoding="utf-8", errors="replace")
    file.parent.mkdir(parents=True, exist_ok=True)
    return file.open("a+", encoding="utf-8", errors="replace")


def _try(opened: IO[str], file: Path, tries: int) -> tuple[bool, bool]:
    """Return whether the disk knows locks, and whether this one was taken."""
    for attempt in range(tries):
        if attempt:
            time.sleep(_PAUSE)
        try:
            if _lock(opened):
                return True, _is_still(opened, file)
        except OSError:  # this disk knows no locks
            return False, True
    return True, False


def _is_still(opened: IO[str], file: Path) -> bool:
    """Whether the open file is the one that has the name; its holder may have removed it."""
    try:
        return os.path.samestat(os.fstat(opened.fileno()), file.stat())
    except OSError:
        return False


def _token_in(file: IO[str]) -> str:
    """Return the token that the last holder left, if that was a process of this machine."""
    try:
        file.seek(0)
        lines = file.read().split("\n")
    except OSError:
        return ""
    return lines[2] if len(lines) > 2 and lines[1] == machine() else ""


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
        return True
