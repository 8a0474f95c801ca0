"""The time by the database's own clock, which all who use one server share."""

from __future__ import annotations

import sqlalchemy as sa

NOW = {
    # 1970-01-01 is the Julian day 2440587.5.
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) AS double precision)",
}
"""Kind of database -> its own SQL for seconds since 1970, UTC."""


def database_time(dialect: sa.Dialect) -> sa.ColumnElement[float]:
    """Return seconds since 1970, UTC, when a statement runs, not when its transaction began."""
    return sa.literal_column(NOW[dialect.name], sa.Double())
