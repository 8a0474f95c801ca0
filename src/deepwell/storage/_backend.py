"""What differs between the databases that can hold a store."""

from __future__ import annotations

from typing import Protocol

import sqlalchemy as sa

from deepwell._base._errors import DeepwellError

from ._backup import Backup


class Backend(Protocol):
    """One database: `Sqlite` or `Postgres`."""

    @property
    def shown(self) -> str:
        """The database for a message, quoted, without a password."""
        ...

    @property
    def name(self) -> str:
        """A name for files that belong to the database, the same at every opening."""
        ...

    @property
    def place(self) -> str:
        """Where the database is, as no other one is; not for people, who are told `shown`."""
        ...

    @property
    def flag(self) -> str:
        """The flag that names the store in a command, with a space before it, or nothing."""
        ...

    def make_engine(self) -> sa.Engine:
        """Return an engine whose transactions read one state of the store.

        With the execution option `writes`, "normal" or "durable", they have all writers wait for
        them instead; "durable" ones survive a power cut once they have returned.
        """
        ...

    def check(self, connection: sa.Connection) -> None:
        """Raise StudyError when a look at the database shows that it is not whole, else return."""
        ...

    def prepare(self, engine: sa.Engine) -> None:
        """Set up a database that is known to be ours."""
        ...

    def back_up(self, engine: sa.Engine) -> Backup | None:
        """Make a backup that is known to be whole; None where whoever runs the server does."""
        ...

    def explain(self, error: BaseException) -> DeepwellError:
        """Return the sentence for an error of the database, as the error to raise."""
        ...
