"""A file that is there completely or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

# What a file system answers that cannot sync a folder, or does not let this user open it.
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM}


def write_file(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file so that a reader sees the old content or the new one, never a part.

    The bytes go to a temporary file in the same folder, are synced to the disk and renamed over
    `path`; then the folder is synced, so that the new name survives a power cut. Whatever goes
    wrong, Ctrl-C included, the temporary file is removed and an old file stays as it was.

    Args:
        path: where the file belongs; its folder exists.
        content: the bytes.
        mode: permissions before the process's mask, as in 0o600 for the owner alone.

    Raises:
        OSError: when it cannot be written.
        ValueError: when the path has a NUL character.
    """
    temporary = path.parent / f".{secrets.token_hex(8)}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows cannot open a folder; its rename is durable
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
