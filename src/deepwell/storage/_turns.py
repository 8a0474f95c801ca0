"""Much to record, in turns with whoever else records: no one waits for all of it.

SQLite lets those who wait try again every tenth of a second, whoever came first. So the lock is
left alone for a little longer between two turns.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from types import TracebackType

import sqlalchemy as sa

from ._database import Database

TURN_SECONDS = 0.5
PAUSE_SECONDS = 0.12


class Turns:
    """Transactions, one after another, of which each lasts about half a second.

    Args:
        database: that is written to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Turns:
        self._begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._turn.__exit__(kind, error, trace)

    def connection(self) -> sa.Connection:
        """Return the connection for the next statement, after a pause if the turn is over."""
        if time.monotonic() - self._begun >= TURN_SECONDS:
            self._turn.close()
            pause()
            self._begin()
        return self._connection

    def _begin(self) -> None:
        self._turn = ExitStack()
        self._connection = self._turn.enter_context(self._database.writing())
        self._begun = time.monotonic()


def pause() -> None:
    """Leave the lock to those who wait."""
    time.sleep(PAUSE_SECONDS)
