"""The vault: test rows in a file of their own, out of reach of training and search (D8).

This file can only put rows in. What reads them is `_vault_reader.py`, which the study package
alone may import, and which works only when the test set is opened by an explicit act.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from deepwell._base._atomic_file import write_file
from deepwell._base._errors import UsageError

from ._names import quoted

FILE_MODE = 0o600  # test rows are the owner's business alone
FOLDER_MODE = 0o700


@dataclass(frozen=True)
class SealedTest:
    """Where the test rows lie; holds none of them.

    Attributes:
        path: of the sealed file.
        sha256: hex digest of the file's bytes.
        rows: how many there are.
        fingerprint: hex digest of the rows' content; the same rows have the same, whatever
            their order, file or format.
    """

    path: str
    sha256: str
    rows: int
    fingerprint: str


def seal(frame: pl.DataFrame, folder: str | os.PathLike[str], fingerprint: str) -> SealedTest:
    """Write test rows to `folder/<fingerprint>.parquet`, completely or not at all.

    Sealing the same rows again finds the file, which only gets the present time. A file of that
    name with other bytes (damaged, or written by another version of the Parquet writer) is left
    alone: a study may refer to it by its hash; the rows go to a file beside it.

    Args:
        frame: raw rows with all columns, the target included.
        folder: the vault; made when it is not there, for its owner alone.
        fingerprint: of the rows' content.

    Raises:
        UsageError: when the file cannot be written; nothing half-written is left.
    """
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    content = buffer.getvalue()
    vault = Path(folder)
    made = [path for path in (vault, *vault.parents) if not path.exists()]
    try:
        vault.parent.mkdir(parents=True, exist_ok=True)
        if vault in made:
            vault.mkdir(mode=FOLDER_MODE, exist_ok=True)
        if not vault.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "not a folder")
        path, _ = put_in(vault, content, fingerprint)
    except OSError as error:
        for folder_made in made:
            with contextlib.suppress(OSError):
                folder_made.rmdir()
        raise UsageError(
            f"the test rows cannot be sealed in {quoted(vault)} ({error.strerror or error}); "
            "free space there or work in a folder that you may write to"
        ) from None
    digest = hashlib.sha256(content).hexdigest()
    return SealedTest(str(path), digest, frame.height, fingerprint)


def put_in(vault: Path, content: bytes, fingerprint: str) -> tuple[Path, bool]:
    """Put the file of sealed rows into a vault; return where it lies, and whether it was made.

    Args:
        vault: a folder that is there.
        content: of the file.
        fingerprint: of the rows' content; rows of the same have other bytes in another format, or
            with their columns in another order, and lie beside each other then.

    Raises:
        OSError: when it cannot be written.
    """
    digest = hashlib.sha256(content).hexdigest()
    path = vault / f"{fingerprint}.parquet"
    if _sha256(path) not in ("", digest):
        path = vault / f"{fingerprint}-{digest[:12]}.parquet"
    if _sha256(path) == digest:
        touch(path)
        return path, False
    write_file(path, content, FILE_MODE)
    return path, True


def touch(path: Path) -> None:
    """Give a sealed file the present time: `deepwell gc` leaves young ones alone."""
    with contextlib.suppress(OSError):  # somebody else's, who looks after it
        os.utime(path)


def _sha256(path: Path) -> str:
    """Return the hex digest of a file, an empty string where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
