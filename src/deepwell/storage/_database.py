"""One database file and its transactions: many readers, one writer."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from deepwell._base._errors import StudyError

from . import _sqlite
from ._files import shown_path


class Database:
    """Gives out transactions and turns the database's errors into sentences.

    Args:
        file: absolute path of the database; made when first written.

    Attributes:
        guard: called at the start of every writing transaction, which it may refuse by raising.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.guard: Callable[[sa.Connection], None] = _let_pass
        self._engine = _sqlite.make_engine(file)
        self._writer = threading.Lock()
        self._closed = False

    @property
    def shown(self) -> str:
        """The database for a message, quoted."""
        return shown_path(self.file)

    @contextmanager
    def reading(self) -> Generator[sa.Connection, None, None]:
        """Give a connection that sees one state of the store, whatever others write."""
        with self._explained(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, *, durable: bool = False) -> Generator[sa.Connection, None, None]:
        """Give the connection of the only writer: all of the block is recorded, or none of it.

        Args:
            durable: wait until the disk has it, so that it survives even a power cut.
        """
        with self._writer, self._explained(), self._engine.connect() as connection:
            connection.execution_options(writes="durable" if durable else "normal")
            with connection.begin():
                self.guard(connection)
                yield connection

    def keep_log(self) -> None:
        """Switch to the journal that lets readers and a writer work at the same time."""
        with self._explained():
            _sqlite.use_write_ahead_log(self._engine)

    @contextmanager
    def outside(self) -> Generator[Any, None, None]:
        """Give the driver's connection outside of any transaction, to the only writer."""
        with self._writer, self._explained(), self._engine.connect() as connection:
            yield connection.connection.driver_connection

    def close(self) -> None:
        """Close all connections; using the database afterwards is an error."""
        self._closed = True
        self._engine.dispose()

    @contextmanager
    def _explained(self) -> Generator[None, None, None]:
        if self._closed:
            raise StudyError(f"the store {shown_path(self.file)} is closed; open it again")
        try:
            yield
        except DBAPIError as error:
            raise _sqlite.explain(error.orig or error, self.file) from error
        except sqlite3.Error as error:  # outside of SQLAlchemy's wrapping, as in `_set_up`
            raise _sqlite.explain(error, self.file) from error


def _let_pass(connection: sa.Connection) -> None:
    """Refuse no transaction."""
