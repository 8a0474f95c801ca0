"""Where a store lies, and opening it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._files import shown_path, write_error

if TYPE_CHECKING:
    from ._store import Store

DEFAULT_FOLDER = "deepwell"
FILE_NAME = "store.db"
_SQLITE = "sqlite:///"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://|(sqlite):")


@dataclass(frozen=True)
class Location:
    """The folder of a store's files and the database in it, both absolute."""

    folder: Path
    file: Path


def open_store(where: str | Path | None = None, *, create: bool = True) -> Store:
    """Open a store, make it if need be, and bring its schema up to date.

    Any number of processes may open one store at the same time.

    Args:
        where: a folder (its database is `store.db`), or `sqlite:///` and the path of a database
            file, whose folder then takes the artifacts; by default the folder `deepwell` in the
            working directory.
        create: whether a missing store is made; if not, it is an error and nothing is made.

    Returns:
        The store, a context manager that closes it.

    Raises:
        UsageError: when `where` is no place for a store, or holds something else.
        StudyError: when the store is damaged, was written by a newer Deepwell, or the disk fails.
    """
    location = locate(where)
    if not create and not os.path.exists(location.file):  # noqa: PTH110  (never raises)
        raise UsageError(
            f"no store at {shown_path(where or DEFAULT_FOLDER)}; "
            "name the folder that holds store.db with --store"
        )
    _make_folder(location)
    from ._store import Store  # loads SQLAlchemy

    return Store(location.folder, location.file)


def locate(where: str | Path | None) -> Location:
    """Return where a store's files lie, without touching the disk.

    Raises:
        UsageError: when `where` names another kind of database or no file.
    """
    text = DEFAULT_FOLDER if where is None else str(where)
    if not text or "\0" in text:
        raise UsageError(f'a store must be a folder or sqlite:///FILE, got "{safe_text(text)}"')
    url = _SCHEME.match(text) if isinstance(where, str) else None
    if url is None:
        folder = _absolute(text)
        return Location(folder, folder / FILE_NAME)
    if not text.startswith(_SQLITE):
        # The rest of the URL may hold a password, so it is not repeated.
        scheme = url.group(1) or url.group(2)
        raise UsageError(
            f"a store must be a folder or sqlite:///FILE, got a URL of the kind {scheme}:"
            + ("; PostgreSQL is not supported yet" if scheme.startswith("postgres") else "")
        )
    path = text.removeprefix(_SQLITE)
    if not path or path == ":memory:":
        raise UsageError(
            f'a store must be a file, as in sqlite:///store.db, got "{safe_text(text)}"'
        )
    file = _absolute(path)
    return Location(file.parent, file)


def _absolute(path: str) -> Path:
    # Absolute, since the program may change its working directory while the store is open.
    try:
        return Path(os.path.abspath(path))  # noqa: PTH100  (keeps symbolic links as the user sees them)
    except OSError as error:
        raise write_error(error, path) from error


def _make_folder(location: Location) -> None:
    folder, file = location.folder, location.file
    if os.path.isfile(folder):  # noqa: PTH113  (never raises)
        raise UsageError(
            f"the store {shown_path(folder)} must be a folder, but it is a file; name its folder, "
            "or the database as sqlite:///FILE"
        )
    if os.path.isdir(file):  # noqa: PTH112
        raise UsageError(f"the store's database {shown_path(file)} must be a file, not a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, folder) from error
