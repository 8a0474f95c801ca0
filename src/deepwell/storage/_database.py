"""One database and its transactions: many readers, one writer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from deepwell._base._errors import StudyError

from ._backend import Backend
from ._backup import Backup


class Database:
    """Gives out transactions and turns the database's errors into sentences.

    Args:
        backend: which database it is.

    Attributes:
        guard: called at the start of every writing transaction, which it may refuse by raising.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.guard: Callable[[sa.Connection], None] = _let_pass
        self._engine = backend.make_engine()
        self._writer = threading.Lock()
        self._closed = False

    @property
    def shown(self) -> str:
        """The database for a message, quoted, without a password."""
        return self.backend.shown

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

    def prepare(self) -> None:
        """Set up a database that is known to be ours."""
        with self._explained():
            self.backend.prepare(self._engine)

    def check(self, connection: sa.Connection) -> None:
        """Raise StudyError when a look at the database shows that it is not whole, else return."""
        self.backend.check(connection)

    def back_up(self) -> Backup | None:
        """Make a backup that is known to be whole; None where whoever runs the server does."""
        with self._explained():
            return self.backend.back_up(self._engine)

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
            raise StudyError(f"the store {self.shown} is closed; open it again")
        try:
            yield
        except DBAPIError as error:
            raise self.backend.explain(error) from error
        except self._engine.dialect.loaded_dbapi.Error as error:
            # Outside of SQLAlchemy's wrapping, as when a connection is set up.
            raise self.backend.explain(error) from error


def _let_pass(connection: sa.Connection) -> None:
    """Refuse no transaction."""
