"""Rows of leases: who runs a study, until when, and that nobody else records anything of it.

A lease has a holder and a token. Every transaction of a store that holds one first renews it by
its token: the lease lives on with every record, at no transaction of its own, and a holder whose
lease was taken over records nothing any more, since then the token is another one and the whole
transaction fails. The renewal locks the row, so that a record and a take-over never overlap.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from deepwell._base._safe_text import safe_text

from ._claim import Claim, Holder, LeaseLostError, held_by, who
from ._clock import database_time
from ._database import Database
from ._schema import LEASE
from ._text import storable

LEASE_SECONDS = 60.0
"""A holder that was not heard of for so long has crashed, or hangs."""


class Leases:
    """The transactions on leases: `Store.leases`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: dict[int, tuple[str, Claim]] = {}
        self._renewed = 0.0
        database.guard = self._renew_held

    def take(self, study_id: int, study: str, claim: Claim, dead: str = "") -> None:
        """Take a lease that nobody has, or that expired, or whose holder is known to be dead.

        Args:
            study_id: the study.
            study: its name, for messages.
            claim: who takes it; one that has it already keeps it.
            dead: token of a holder that is known to have died.

        Raises:
            LeaseHeldError: when another process has it.
        """
        with self._database.writing() as connection:
            take_lease(connection, study_id, study, claim, dead)
        self.follow(study_id, study, claim)

    def follow(self, study_id: int, study: str, claim: Claim) -> None:
        """Renew a lease that was taken with every record from now on."""
        self._held[study_id] = study, claim
        self._renewed = time.monotonic()

    def give_back(self, study_id: int) -> None:
        """Give a lease back; one that was taken over stays with its new holder."""
        _, claim = self._held.pop(study_id)
        own = (LEASE.c.study_id == study_id, LEASE.c.token == claim.token)
        with self._database.writing() as connection:
            connection.execute(sa.delete(LEASE).where(*own))

    def renew(self) -> None:
        """Say that this process is alive, as every record does.

        Raises:
            LeaseLostError: when a lease was taken over.
        """
        with self._database.writing():
            pass

    def idle_seconds(self) -> float:
        """Return how long ago the leases were renewed last."""
        return time.monotonic() - self._renewed

    def row(self, study_id: int) -> Holder | None:
        """Return who has the lease of a study, or had it until it expired; None where nobody."""
        with self._database.reading() as connection:
            return read_row(connection, study_id)

    def _renew_held(self, connection: sa.Connection) -> None:
        for study_id, (study, claim) in self._held.items():
            given = {"b_seconds": LEASE_SECONDS, "b_study": study_id, "b_token": claim.token}
            if _renewed(connection, given) != 1:
                raise _lost(study, read_row(connection, study_id))
        self._renewed = time.monotonic()


@lru_cache(maxsize=8)
def _compiled(dialect: sa.Dialect) -> SQLCompiler:
    own = (LEASE.c.study_id == sa.bindparam("b_study"), LEASE.c.token == sa.bindparam("b_token"))
    later = database_time(dialect) + sa.bindparam("b_seconds", type_=sa.Double)
    return sa.update(LEASE).where(*own).values(expires=later).compile(dialect=dialect)


def _renewed(connection: sa.Connection, given: Mapping[str, object]) -> int:
    """Renew a lease; return how many there were, 1 or 0."""
    compiled = _compiled(connection.dialect)
    # By way of the driver, as it comes with every record: SQLAlchemy's own handling of a statement
    # takes ten times as long as the database does.
    order = compiled.positiontup
    values = dict(given) if order is None else tuple(given[name] for name in order)
    return connection.exec_driver_sql(compiled.string, values).rowcount


def take_lease(
    connection: sa.Connection, study_id: int, study: str, claim: Claim, dead: str = ""
) -> None:
    """Take a lease inside a transaction; see `Leases.take`."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    now = database_time(connection.dialect)
    row = {"holder": storable(claim.holder), "token": claim.token, "expires": now + LEASE_SECONDS}
    free = sa.or_(LEASE.c.expires <= now, LEASE.c.token.in_([claim.token, dead]))
    taking = insert(LEASE).values(study_id=study_id, **row)
    taking = taking.on_conflict_do_update(index_elements=["study_id"], set_=row, where=free)
    taken = connection.execute(taking.returning(LEASE.c.token)).scalar_one_or_none()
    if taken != claim.token:
        raise held_by(study, read_row(connection, study_id))


def read_row(connection: sa.Connection, study_id: int) -> Holder | None:
    """Return who has the lease of a study, or had it until it expired; None where nobody."""
    left = (LEASE.c.expires - database_time(connection.dialect)).label("left")
    query = sa.select(LEASE.c.holder, LEASE.c.token, left).where(LEASE.c.study_id == study_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else Holder(row.holder, row.token, row.left)


def _lost(study: str, holder: Holder | None) -> LeaseLostError:
    now = f"{who(holder)} runs it now" if holder else "it was deleted, or its lease ended by hand"
    return LeaseLostError(
        f"study {safe_text(study)} was taken from this process, of which nothing was heard for "
        f"{LEASE_SECONDS:.0f} seconds: {now}; what this process did since then is not recorded"
    )
