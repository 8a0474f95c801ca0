"""What a question may name on a PostgreSQL server, where one SELECT can do more than read rows.

A transaction that only reads keeps tables as they are, no more: functions of the server read its
files, wait, take locks that writers need, change settings, end other sessions, and run text as SQL.
So a question names no function that PostgreSQL calls volatile, as all of these are and those are
that people add without saying otherwise, and nothing that begins with `pg_`. Names are looked for
in all of the text, strings and comments included: there is no way of writing that hides one.

What is not seen is what a view, an operator or a type of somebody else calls. So the server ends a
statement that takes too long, and the session ends with the question: no setting and no lock of it
stays.
"""

from __future__ import annotations

import re
from typing import Any

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

SECONDS = 120.0
"""How long the server works on one question: two minutes, in which it reads millions of rows."""

_WORD = re.compile(r"[^\W\d][\w$]*")
_BY_CODES = re.compile(r'u&"', re.IGNORECASE)
_NEVER = re.compile(
    r"pg_.*|lo_.*|loread|lowrite|dblink.*|postgres_fdw.*|set_config|current_setting|ts_stat|"
    r"ts_rewrite|(query|cursor|table|schema|database)_to_xml.*"
)
_HARMLESS = frozenset({"pg_typeof", "pg_column_size", "pg_size_pretty"})
_VOLATILE = (
    "SELECT DISTINCT proname::text FROM pg_catalog.pg_proc "
    "WHERE provolatile = 'v' AND proname = ANY(%s::text[]) AND proname <> ALL(%s::text[]) "
    "ORDER BY 1"
)
_ONLY_VARY = ["random", "random_normal", "clock_timestamp", "timeofday", "gen_random_uuid"]
_LIMITS = (
    "SELECT set_config('statement_timeout', %s, true), "
    "set_config('idle_in_transaction_session_timeout', %s, true)"
)


def hold_to_reading(raw: Any, sql: str) -> None:
    """Limit the time of a transaction, and refuse a question that could do more than read.

    Args:
        raw: the driver's connection, in the transaction in which it will be asked.
        sql: the question.

    Raises:
        UsageError: naming what it must not name.
    """
    if _BY_CODES.search(sql):
        raise UsageError('a query must not spell names by their codes, as in U&"..."')
    names = _names(sql)
    refused = sorted(n for n in names if _NEVER.fullmatch(n) and n not in _HARMLESS)
    if not refused:
        limit = f"{SECONDS * 1000:.0f}"
        raw.execute(_LIMITS, [limit, limit])
        found = raw.execute(_VOLATILE, [sorted(names), _ONLY_VARY]).fetchall()
        refused = [str(row[0]) for row in found]
    if refused:
        raise UsageError(
            f'a query on a server must not name "{safe_text(refused[0])}", not even in a text: '
            "functions and tables of the server itself, and functions that may do more than "
            "read, are left out; the views hold all that studies record"
        )


def too_long() -> UsageError:
    """Return the error to raise for a question that the server has ended."""
    return UsageError(
        f"the query took longer than {SECONDS:g} seconds and was ended; ask about one study, or "
        "about fewer epochs"
    )


def _names(sql: str) -> set[str]:
    """Return all that may be a name, as it is written and as the server reads it without quotes."""
    written = {*_WORD.findall(sql), *sql.split('"')}
    return written | {name.lower() for name in written}
