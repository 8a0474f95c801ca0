"""Where a store lies, and opening it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepwell._base._errors import UsageError
from deepwell._base._password import without_password
from deepwell._base._safe_text import safe_text

from ._address import SCHEMES, Address, read_address
from ._files import shown_path, write_error

if TYPE_CHECKING:
    from ._store import Store

DEFAULT_FOLDER = "deepwell"
FILE_NAME = "store.db"
FOLDER_VARIABLE = "DEEPWELL_FOLDER"
"""Environment variable: where the files of studies lie whose database is on a server."""

_KINDS = "a folder, sqlite:///FILE or postgresql://user@host/database"
_SQLITE = "sqlite:///"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://|(sqlite|postgres(?:ql)?):")


@dataclass(frozen=True)
class Location:
    """Where a store is.

    Attributes:
        folder: of the files of its studies, absolute.
        database: a file in that folder, absolute, or a database on a server.
    """

    folder: Path
    database: Path | Address

    @property
    def shown(self) -> str:
        """The store for a message, quoted, without a password."""
        if isinstance(self.database, Address):
            return self.database.shown
        return shown_path(self.folder if self.database.name == FILE_NAME else self.database)


def open_store(where: str | Path | None = None, *, create: bool = True) -> Store:
    """Open a store, make it if need be, and bring its schema up to date.

    Any number of processes may open one store at the same time.

    Args:
        where: a folder (its database is `store.db`), or `sqlite:///` and the path of a database
            file, whose folder then takes the artifacts, or a database on a PostgreSQL server as
            `postgresql://user@host/database`, whose artifacts lie in the folder that the
            environment variable `DEEPWELL_FOLDER` names, or else in one for this database in
            `deepwell`; by default the folder `deepwell` in the working directory.
        create: whether a missing store is made; if not, it is an error and nothing is made.

    Returns:
        The store, a context manager that closes it.

    Raises:
        UsageError: when `where` is no place for a store, holds something else, or its server
            cannot be reached.
        StudyError: when the store is damaged, was written by a newer Deepwell, or the disk fails.
    """
    location = locate(where)
    from ._store import Store  # loads SQLAlchemy

    if isinstance(location.database, Address):
        from ._postgres import Postgres  # loads the driver

        opened = Store(location.folder, Postgres(location.database), create=create)
        if create:  # only now, so that a server that is not there leaves nothing
            _make_folder(location)
        return opened
    from ._sqlite import Sqlite

    if create:
        _make_folder(location)
    elif not os.path.exists(location.database):  # noqa: PTH110  (never raises)
        raise UsageError(
            f"no store at {shown_path(where or DEFAULT_FOLDER)}; "
            "name the folder that holds store.db with --store"
        )
    return Store(location.folder, Sqlite(location.database), create=create)


def locate(where: str | Path | None) -> Location:
    """Return where a store's files lie, without touching the disk.

    Raises:
        UsageError: when `where` names another kind of database or no file.
    """
    text = DEFAULT_FOLDER if where is None else str(where)
    if not text or "\0" in text:
        shown = safe_text(without_password(text))
        raise UsageError(f'a store must be {_KINDS}, got "{shown}"')
    url = _SCHEME.match(text) if isinstance(where, str) else None
    if url is None:
        folder = _absolute(text)
        return Location(folder, folder / FILE_NAME)
    scheme = url.group(1) or url.group(2)
    if scheme.lower() in SCHEMES:
        address = read_address(text)
        named = os.environ.get(FOLDER_VARIABLE) or f"{DEFAULT_FOLDER}/{address.folder}"
        return Location(_absolute(named), address)
    if not text.startswith(_SQLITE):
        # The rest of the URL may hold a password, so it is not repeated.
        raise UsageError(f"a store must be {_KINDS}, got a URL of the kind {scheme}:")
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
    folder, database = location.folder, location.database
    if os.path.isfile(folder):  # noqa: PTH113  (never raises)
        raise UsageError(
            f"the store {shown_path(folder)} must be a folder, but it is a file; name its folder, "
            "or the database as sqlite:///FILE"
        )
    if isinstance(database, Path) and os.path.isdir(database):  # noqa: PTH112
        raise UsageError(
            f"the store's database {shown_path(database)} must be a file, not a folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, folder) from error
