"""All that is particular to PostgreSQL: connecting, how transactions begin, what its errors mean.

Writers wait for each other at one lock of the database, taken when their transaction begins, so
that a transaction never fails because of another one and needs no second try, as with SQLite.
Readers take no lock and see the state of the moment at which they began.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from deepwell._base._errors import DeepwellError, StudyError, UsageError
from deepwell._base._safe_text import safe_text
from deepwell._base._shell import store_flag

from ._address import Address

BUSY_SECONDS = 30.0
"""How long a writer waits for another one; transactions take milliseconds."""

_CONNECT_SECONDS = "10"
_WRITERS = 0x64656570  # the lock that whoever writes holds, any fixed number
_WAIT = "SELECT set_config('lock_timeout', :wait, true), pg_advisory_xact_lock(:lock)"
_BEGIN_TO_WRITE = {
    "durable": sa.text(_WAIT),
    # The disk is not waited for: a crash of the server, not of ours, may take back the last
    # epochs, which are trained again.
    "normal": sa.text(_WAIT + ", set_config('synchronous_commit', 'off', true)"),
}
_INSTALL = 'a store on PostgreSQL needs the driver psycopg; run "pip install deepwell[postgresql]"'


class Postgres:
    """A store's database on a PostgreSQL server.

    Args:
        address: of the database.

    Raises:
        UsageError: when the driver is not installed.
    """

    def __init__(self, address: Address) -> None:
        try:
            import psycopg
        except ImportError as error:  # not there, or without the library that it needs
            raise UsageError(f"{_INSTALL} ({safe_text(error, limit=120)})") from error
        self._driver: Any = psycopg
        self._address = address

    @property
    def shown(self) -> str:
        """The database for a message, quoted, without a password."""
        return self._address.shown

    @property
    def name(self) -> str:
        """A name for files that belong to the database, the same at every opening."""
        return self._address.folder

    @property
    def place(self) -> str:
        """Where the database is: server, database and schema, whoever connects."""
        return self._address.folder

    @property
    def flag(self) -> str:
        """The flag that names the store in a command, without password and options."""
        return store_flag(self._address.url)

    def make_engine(self) -> sa.Engine:
        """Return an engine for the database; nothing is connected yet."""
        engine = sa.create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            pool_pre_ping=True,  # the server may have been started anew between two epochs
            use_native_hstore=False,  # which would be asked for at every connection
        )
        event.listen(engine, "begin", self._begin)
        return engine

    def check(self, connection: sa.Connection) -> None:
        """Raise UsageError when the database cannot hold every text; PostgreSQL checks the rest."""
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if encoding != "UTF8":
            raise UsageError(
                f"the database {self.shown} must have the encoding UTF8, got "
                f"{safe_text(encoding)}; make another with \"CREATE DATABASE ... ENCODING 'UTF8' "
                'TEMPLATE template0"'
            )

    def prepare(self, engine: sa.Engine) -> None:
        """Do nothing: a server was set up by whoever runs it."""

    def back_up(self, engine: sa.Engine) -> None:
        """Do nothing: whoever runs a server has its backups."""

    def explain(self, error: BaseException) -> DeepwellError:
        """Return the sentence for an error of the database, as the error to raise."""
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        cause = (error.orig or error) if isinstance(error, DBAPIError) else error
        state = getattr(cause, "sqlstate", None) or ""
        reason = self._reason(cause)
        for start, (kind, told) in _MEANINGS.items():
            if state.startswith(start):
                return kind(told.format(store=self.shown, reason=reason, wait=BUSY_SECONDS))
        if lost or state.startswith(("08", "57P")):
            return StudyError(
                f"the connection to the store {self.shown} was lost: {reason}; all that was "
                "recorded is intact, run again when the server is back"
            )
        if not state and isinstance(cause, self._driver.Error):
            return UsageError(
                f"the store {self.shown} could not be reached: {reason}; check the address, the "
                "password (in PGPASSWORD or ~/.pgpass), and that the server runs"
            )
        return StudyError(f"the store {self.shown} could not be read or written: {reason}")

    def _connect(self) -> Any:
        address = self._address
        given: dict[str, object] = {
            "host": address.host,
            "port": address.port,
            "user": address.user,
            "password": address.password,
        }
        plain = {name: value for name, value in given.items() if value is not None}
        usual = {"connect_timeout": _CONNECT_SECONDS, "application_name": "deepwell"}
        options = {**usual, **dict(address.options), **plain, "client_encoding": "UTF8"}
        told = self._driver.conninfo.make_conninfo(dbname=address.database, **options)
        return self._driver.connect(told)

    def _begin(self, connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        raw: Any = connection.connection.driver_connection
        levels = self._driver.IsolationLevel
        raw.read_only = writes is None
        raw.isolation_level = levels.REPEATABLE_READ if writes is None else levels.READ_COMMITTED
        if writes is not None:
            given = {"wait": f"{BUSY_SECONDS * 1000:.0f}", "lock": _WRITERS}
            connection.execute(_BEGIN_TO_WRITE[writes], given)

    def _reason(self, error: BaseException) -> str:
        text = " ".join(str(error).split()) or type(error).__name__
        if self._address.password:
            text = text.replace(self._address.password, "***")
        return safe_text(text, limit=300)


_DAMAGED = "the store {store} is damaged: {reason}; put back a copy of it, or use another"
# Beginning of an error's SQLSTATE -> which error it is here, and its sentence.
_MEANINGS: dict[str, tuple[type[DeepwellError], str]] = {
    "53100": (
        UsageError,
        "the disk with the store {store} is full; free space and run again, "
        "all that was recorded is intact",
    ),
    "53300": (
        UsageError,
        "the server of the store {store} has too many connections ({reason}); end some, or raise "
        "its max_connections",
    ),
    "55P03": (
        StudyError,
        "the store {store} was kept busy by another process for {wait:.0f} seconds; "
        "end that process or wait for it",
    ),
    "42501": (
        UsageError,
        "no permission to read or write the store {store}: {reason}; ask whoever runs the server",
    ),
    "25006": (UsageError, "the store {store} can only be read there: {reason}"),
    "23": (StudyError, "the store {store} refused contradictory records: {reason}"),
    "XX001": (StudyError, _DAMAGED),
    "XX002": (StudyError, _DAMAGED),
}
