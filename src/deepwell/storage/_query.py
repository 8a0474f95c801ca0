"""A question in SQL, answered without a chance to change anything.

On SQLite, an authorizer lets a statement read and call functions of the database, and nothing
else: no write, no other file, no extension, no setting; reading is all that the connection may do
besides. On PostgreSQL, the statement is declared as a cursor, which takes one SELECT, in a
transaction that the server holds to reading, of a session that ends with it; what it must not name
besides stands in `_server_query`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._safe_text import safe_text
from deepwell.records import Answer

from ._database import Database
from ._server_query import hold_to_reading, too_long
from ._text import storable
from ._views import VIEWS

_BYTES = 256 * 1024**2  # of one value, as `zeroblob` may ask for
_STEPS = 10_000  # of the database's program between two looks at the clock and at Ctrl-C
_READS = frozenset(
    {
        *(sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE),
        sqlite3.SQLITE_FUNCTION,
    }
)
_NO_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"})
_ONLY_READS = (
    "a query must be one SELECT (or WITH ... SELECT) that only reads, got one that {what}; "
    "the commands of deepwell change a store"
)
_ENDED = "57014"  # what the server says of a statement that took too long
_ACTS = re.compile(
    r"(insert|replace|update|delete|merge|truncate|create|alter|drop|copy|set|reset|begin|start|"
    r"commit|rollback|savepoint|attach|detach|pragma|vacuum|analyze|reindex|grant|revoke|do|call|"
    r"lock|listen|notify|load|execute|prepare|declare|fetch|close)\b",
    re.IGNORECASE,
)
_MISSING = re.compile(
    r"no such (?P<kind>table|column): (?P<name>[^;\n]+)"
    r'|(?P<of>relation|column) "?(?P<there>[^"\n]+?)"? does not exist'
)


def ask(database: Database, sql: str, limit: int) -> Answer:
    """Return what a query gives, at most `limit` rows.

    Args:
        database: of the store.
        sql: one SELECT, in the words of the database.
        limit: rows at most, from 1.

    Raises:
        UsageError: when it cannot be read, is no question, or names what there is not.
    """
    text = sql.strip().rstrip(";").strip()
    if not text:
        raise UsageError('a query must say something, as in "select study, dev from studies"')
    if "\0" in text or storable(text) != text:
        raise UsageError("a query must not hold a NUL character, nor what is no Unicode")
    refused: BaseException
    with database.reading() as connection:
        raw: Any = connection.connection.driver_connection
        try:
            if isinstance(raw, sqlite3.Connection):
                return _ask_sqlite(raw, text, limit)
            connection.detach()  # from those that are used again
            return _ask_server(raw, text, limit)
        except _errors_of(connection) as error:
            if not _is_wrong(error):
                raise
            refused = error
    if _ACTS.match(text):
        raise UsageError(_ONLY_READS.format(what="does something else")) from refused
    raise _explained(database, text, refused) from refused


def _ask_sqlite(raw: sqlite3.Connection, sql: str, limit: int) -> Answer:
    with _only_reading(raw):
        cursor = raw.execute(sql)
        if cursor.description is None:
            raise UsageError(_ONLY_READS.format(what="gives no rows"))
        return _answer(cursor, limit)


@contextmanager
def _only_reading(raw: sqlite3.Connection) -> Generator[None, None, None]:
    """Hold the connection to reading while the block runs."""
    before = raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _BYTES)
    # The views call JSON functions, which some versions of SQLite count among the unsafe ones.
    raw.execute("PRAGMA trusted_schema = ON")
    raw.execute("PRAGMA query_only = ON")
    raw.set_authorizer(_authorize)
    raw.set_progress_handler(lambda: 0, _STEPS)  # lets Python hear of Ctrl-C in between
    try:
        yield
    finally:
        raw.set_authorizer(None)
        raw.set_progress_handler(None, 0)
        raw.execute("PRAGMA query_only = OFF")
        raw.execute("PRAGMA trusted_schema = OFF")
        raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)


def _authorize(
    action: int, _first: str | None, second: str | None, _schema: str | None, _by: str | None
) -> int:
    calls = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _NO_FUNCTIONS
    return sqlite3.SQLITE_OK if action in _READS and not calls else sqlite3.SQLITE_DENY


def _ask_server(raw: Any, sql: str, limit: int) -> Answer:
    hold_to_reading(raw, sql)
    # `binary` makes the driver send it as a single statement: two in one text are refused.
    raw.execute(f"DECLARE deepwell_question NO SCROLL CURSOR FOR {sql}", binary=True)
    cursor = raw.execute(f"FETCH {limit + 1} FROM deepwell_question")
    return _answer(cursor, limit)


def _answer(cursor: Any, limit: int) -> Answer:
    rows = cursor.fetchmany(limit + 1)
    columns = tuple(str(told[0]) for told in cursor.description)
    return Answer(columns, tuple(tuple(row) for row in rows[:limit]), len(rows) > limit)


def _errors_of(connection: sa.Connection) -> type[BaseException]:
    driver: Any = connection.dialect.loaded_dbapi
    return driver.Error


def _is_wrong(error: BaseException) -> bool:
    """Return whether it is the query that is wrong, not the store."""
    if isinstance(error, sqlite3.Error):
        name = getattr(error, "sqlite_errorname", "")
        wrong = ("SQLITE_AUTH", "SQLITE_TOOBIG", "SQLITE_READONLY", "SQLITE_MISMATCH")
        return not name or name.startswith(("SQLITE_ERROR", "SQLITE_RANGE", *wrong))
    state = str(getattr(error, "sqlstate", None) or "")
    return state.startswith(("42", "22", "21", "0A", "34", "25", _ENDED))


def _explained(database: Database, sql: str, error: BaseException) -> UsageError:
    """Return what to say about a query that the database refused."""
    told = safe_text(" ".join(str(error).partition("\nLINE ")[0].split()), 300)
    state = getattr(error, "sqlstate", None)
    if state == _ENDED:
        return too_long()
    acts = ("not authorized", "prohibited", "data-modifying")
    if state == "25006" or any(word in told for word in acts):
        return UsageError(_ONLY_READS.format(what="does something else"))
    if "only execute one statement" in told or "multiple commands" in told:
        return UsageError(_ONLY_READS.format(what="holds several statements"))
    missing = _MISSING.search(told)
    if missing is None:
        return UsageError(f"the query was not understood: {told}")
    return _not_there(database, sql, missing)


def _not_there(database: Database, sql: str, missing: re.Match[str]) -> UsageError:
    """Return that a view or column is not there, with the closest one that is."""
    kind = "column" if "column" in (missing["kind"], missing["of"]) else "table"
    name = (missing["name"] or missing["there"]).strip().rpartition(".")[2].strip('"')
    if kind == "table":
        hint = did_you_mean(name, VIEWS)
        return UsageError(
            f'the query names "{safe_text(name)}", which the store has not{hint or ";"} '
            f"views: {', '.join(VIEWS)}"
        )
    named = [view for view in VIEWS if re.search(rf"\b{view}\b", sql, re.IGNORECASE)]
    asked = (ask(database, f"SELECT * FROM {view}", 1).columns for view in named)
    hint = did_you_mean(name, {column for columns in asked for column in columns})
    view = named[0] if named else "studies"
    return UsageError(
        f'the query names the column "{safe_text(name)}", which is not there{hint or ";"} '
        f'"select * from {view}" shows the columns of a view'
    )
