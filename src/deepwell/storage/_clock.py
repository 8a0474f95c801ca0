"""The time by the database's own clock, which all who use one server share."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

_EPOCH_IN_DAYS = 2440587.5  # 1970-01-01 as a Julian day
_DAY_IN_SECONDS = 86400.0


class DatabaseTime(FunctionElement[float]):
    """Seconds since 1970, UTC, when the statement runs, not when its transaction began."""

    type: sa.types.TypeEngine[float] = sa.Double()
    inherit_cache = True


@compiles(DatabaseTime, "sqlite")
def _on_sqlite(element: DatabaseTime, compiler: Any, **_: Any) -> str:
    return f"((julianday('now') - {_EPOCH_IN_DAYS}) * {_DAY_IN_SECONDS})"


@compiles(DatabaseTime, "postgresql")
def _on_postgresql(element: DatabaseTime, compiler: Any, **_: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
