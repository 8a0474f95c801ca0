"""Files written whole or not at all, and the sentence for each way in which that can fail."""

from __future__ import annotations

import errno
from pathlib import Path

from deepwell._base._atomic_file import write_file
from deepwell._base._errors import DeepwellError, StudyError, UsageError
from deepwell._base._safe_text import safe_text

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_FILE_IN_THE_WAY = {errno.ENOTDIR, errno.EEXIST}


def shown_path(path: str | Path) -> str:
    """Return a path for a message: quoted, harmless for a terminal, and long enough to be found."""
    return f'"{safe_text(path, limit=200)}"'


def write_atomic(path: str | Path, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new one, never a part.

    Whatever goes wrong, Ctrl-C included, an old file stays as it was and nothing else is left.

    Args:
        path: the file; its folder must exist.
        data: the whole content.

    Raises:
        UsageError: when the place is wrong: no folder, no permission, a folder in the way.
        StudyError: when the disk fails.
    """
    target = Path(path)
    try:
        write_file(target, data)
    except OSError as error:
        raise write_error(error, target) from error
    except ValueError as error:  # a NUL character in the path
        raise UsageError(f"{shown_path(target)} is not a possible file name") from error


def write_error(error: OSError, path: str | Path) -> DeepwellError:
    """Return the sentence for a failure to write `path`, as the error to raise."""
    shown, code = shown_path(path), error.errno
    if code in _FULL:
        return UsageError(f"the disk is full, {shown} was not written; free space and run again")
    if code in _FORBIDDEN:
        return UsageError(f"no permission to write {shown}; choose a place that you may write to")
    if code in _FILE_IN_THE_WAY:
        return UsageError(f"a file stands where a folder is needed for {shown}; choose another one")
    if code == errno.EISDIR:
        return UsageError(f"{shown} must be a file, but a folder of that name exists")
    if code == errno.ENOENT:
        return UsageError(f"the folder of {shown} does not exist; make it first")
    if code == errno.ENAMETOOLONG:
        return UsageError(f"the name {shown} is too long for this disk; choose a shorter one")
    return StudyError(f"{shown} could not be written: {_reason(error)}")


def read_error(error: OSError, path: str | Path) -> DeepwellError:
    """Return the sentence for a failure to read `path`, as the error to raise."""
    shown, code = shown_path(path), error.errno
    if code in (errno.ENOENT, errno.ENOTDIR):
        return UsageError(f"no file {shown}")
    if code == errno.EISDIR:
        return UsageError(f"{shown} must be a file, but it is a folder")
    if code in _FORBIDDEN:
        return UsageError(f"no permission to read {shown}")
    return StudyError(f"{shown} could not be read: {_reason(error)}")


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
