"""Marks of processes at work: files that the system unlocks however their process ends.

A process that is about to run a study makes a file named by its token and locks it, before the
token stands in any lease. Whoever finds that token in a lease can tell at once whether the process
lives, where the lease would first have to expire. That holds for processes of one machine alone:
some network file systems keep the locks of each machine apart, and some disks know none.

Whoever asks takes a lock that all who ask can share, so that no number of them makes a dead process
look alive. Where the system knows no such lock they take turns.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import IO

from deepwell._base._safe_text import safe_text

from ._claim import Claim
from ._files import write_error

FOLDER = ".runners"
"""Beside the studies' folders; no study can have this name."""

_SUFFIX = ".lock"
_TRIES = 4
_WAIT_SECONDS, _PAUSE = 1.0, 0.001  # for others, who hold a lock for as long as they ask


class Fate(Enum):
    """What is known of a process by its mark."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"  # it is, or was, a process of another machine, or no disk can tell


@contextmanager
def marked(folder: Path, claim: Claim) -> Generator[None, None, None]:
    """Be known to live, to other processes of this machine, while the block runs.

    Args:
        folder: of the store; made when it is not there.
        claim: of this process.

    Raises:
        UsageError: when the folder cannot be written.
    """
    opened = _made(_file(folder, claim.token))
    with contextlib.ExitStack() as last:
        last.callback(forget, folder, claim.token)
        last.enter_context(opened)
        try:
            locked = _lock_soon(opened, _WAIT_SECONDS)
        except OSError:  # this disk knows no locks: without a mark, nobody takes it for dead
            locked = False
        if locked:
            # Locked first, then written: an empty one says nothing.
            opened.write(f"{machine()}\n{claim.holder}\n")
            opened.flush()
        yield


def fate_of(folder: Path, token: str) -> Fate:
    """Return what is known of the process with this token."""
    return _look(_file(folder, token))[0] if token.isalnum() else Fate.UNKNOWN


def living(folder: Path) -> list[str]:
    """Return, in harmless words, the processes of this machine that run studies of a store."""
    looked = map(_look, sorted((folder / FOLDER).glob(f"*{_SUFFIX}")))
    return [words for fate, words in looked if fate is Fate.ALIVE]


def forget(folder: Path, token: str) -> None:
    """Remove the mark of a process that has ended."""
    file = _file(folder, token)
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)
        file.parent.rmdir()  # which fails while others are at work


def machine() -> str:
    """Return what tells this machine, since it was started, from others of the same name."""
    boot = ""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{socket.gethostname()} {boot}".strip()


def _made(file: Path) -> IO[str]:
    for last in (*[False] * _TRIES, True):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            return file.open("x", encoding="utf-8")
        except OSError as error:
            gone = isinstance(error, FileNotFoundError)  # the last one to end removed the folder
            if last or not gone:
                raise write_error(error, file) from error
    raise AssertionError("the last attempt returns or raises")


def _file(folder: Path, token: str) -> Path:
    return folder / FOLDER / f"{token}{_SUFFIX}"


def _look(file: Path) -> tuple[Fate, str]:
    """Return what is known of a process by its mark, and who it is."""
    try:
        with file.open("r+", encoding="utf-8", errors="replace") as opened:
            free = _is_free(opened)
            told = opened.read().splitlines()
    except OSError:
        return Fate.UNKNOWN, ""
    if not told or told[0] != machine():
        return Fate.UNKNOWN, ""
    return Fate.DEAD if free else Fate.ALIVE, safe_text(told[1]) if len(told) > 1 else ""


def _lock_soon(file: IO[str], seconds: float) -> bool:
    """Take the lock as soon as those who only ask are done; return whether that was possible."""
    give_up = time.monotonic() + seconds
    while not _lock(file):
        if time.monotonic() >= give_up:
            return False
        time.sleep(_PAUSE)
    return True


if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30  # a byte beyond the text, which others may read while this one is locked

    def _lock(file: IO[str]) -> bool:
        """Take the lock, which closing the file gives back; return whether that was possible."""
        file.seek(_FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            file.seek(0)
        return True

    def _is_free(file: IO[str]) -> bool:
        """Whether nobody holds the lock for longer than others who only ask."""
        return _lock_soon(file, 0.05)

else:
    import fcntl

    def _lock(file: IO[str]) -> bool:
        """Take the lock, which closing the file gives back; return whether that was possible."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _is_free(file: IO[str]) -> bool:
        """Whether nobody holds the lock; others who only ask do not stand in the way."""
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
