"""Rows of requests: what other processes ask of a run, and what the run did about it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from deepwell._base._errors import StudyError, UsageError
from deepwell._base._safe_text import safe_text
from deepwell.records import Event, Request

from . import _checkpoints, _chunks, _events, _studies, _trials
from ._database import Database
from ._deed import Deed, refusal
from ._kept_states import insert_states
from ._schema import EVENT, REQUEST, STUDY
from ._text import from_json, storable, to_json

_NEWEST = 200  # events among which that of a request is looked for


class Requests:
    """What other processes ask of runs; each method is one transaction.

    Args:
        database: of the store.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(
        self, study_id: int, kind: str, trial: int | None, details: Mapping[str, object]
    ) -> Request:
        """Record a request, for the run to take it up.

        Raises:
            UsageError: when the study has come to its end; StudyError when it is gone.
        """
        row = {
            "study_id": study_id,
            "time": time.time(),
            "kind": storable(kind),
            "trial": trial,
            "details": to_json(details),
        }
        with self._database.writing() as connection:
            _require_open(connection, study_id, kind)
            query = sa.insert(REQUEST).returning(REQUEST.c.id)
            made = connection.execute(query, row).scalar_one()
            return _read(connection, REQUEST.c.id == made)[0]

    def waiting(self, study_id: int) -> list[Request]:
        """Return what a run has not yet taken up, first to last."""
        with self._database.reading() as connection:
            return _waiting(connection, study_id)

    def taken(self, request: Request, study_id: int) -> bool:
        """Whether the run has taken up a request."""
        with self._database.reading() as connection:
            found = _read(
                connection, (REQUEST.c.id == request.id) & (REQUEST.c.study_id == study_id)
            )
            return bool(found) and found[0].taken is not None

    def outcome(self, study_id: int, request: Request, kinds: Collection[str]) -> Event | None:
        """Return the event that came of a request, None as long as there is none.

        Args:
            study_id: the study.
            request: what was asked.
            kinds: of the events that it may be.
        """
        query = (
            sa.select(EVENT)
            .where(EVENT.c.study_id == study_id, EVENT.c.kind.in_(sorted(kinds)))
            .order_by(EVENT.c.id.desc())
            .limit(_NEWEST)
        )
        with self._database.reading() as connection:
            for row in connection.execute(query):
                details: Any = from_json(row.details)
                if details.get("request") == request.id:
                    return Event(row.time, row.kind, row.trial, details)
        return None

    def events(self, study_id: int, kinds: Collection[str]) -> list[Event]:
        """Return the events of these kinds, in the order of recording."""
        which = (EVENT.c.study_id == study_id, EVENT.c.kind.in_(sorted(kinds)))
        query = sa.select(EVENT).where(*which).order_by(EVENT.c.id)
        with self._database.reading() as connection:
            return [
                Event(row.time, row.kind, row.trial, from_json(row.details))
                for row in connection.execute(query)
            ]

    def carry_out(self, study_id: int, deed: Deed) -> None:
        """Record what was done, and that its request is taken; on return the disk has it.

        Raises:
            StudyError: when its request was taken already.
        """
        with self._database.writing(durable=True) as connection:
            _carry_out(connection, study_id, deed)


def refuse_waiting(connection: sa.Connection, study_id: int, why: str) -> None:
    """Refuse what nobody will take up any more, as a study comes to its end.

    Args:
        connection: inside the transaction that records the end, after it did: whoever asks at the
            same time is refused here, or sees the end.
        study_id: the study.
        why: in one sentence.
    """
    for request in _waiting(connection, study_id):
        _carry_out(connection, study_id, refusal(request, why))


def any_waiting(connection: sa.Connection, study_id: int) -> bool:
    """Return whether somebody asks something of a run; asked once a chunk, so it must be quick."""
    # By way of the driver, inside a transaction that is open anyway: SQLAlchemy's own handling of
    # a statement takes ten times as long as the database does. The number is an integer.
    text = f"SELECT 1 FROM request WHERE study_id = {int(study_id)} AND taken IS NULL LIMIT 1"
    with contextlib.closing(connection.connection.cursor()) as cursor:
        cursor.execute(text)
        return cursor.fetchone() is not None


def _require_open(connection: sa.Connection, study_id: int, kind: str) -> None:
    """Refuse what is asked of a study that has come to its end, or is just coming to it."""
    query = sa.select(STUDY.c.name, STUDY.c.status).where(STUDY.c.id == study_id)
    found = connection.execute(query.with_for_update(read=True)).one_or_none()
    if found is None:
        raise _studies.unknown_study(study_id)
    if found.status == "finished":
        raise UsageError(
            f"study {safe_text(found.name)} has ended meanwhile, so there is nothing to "
            f"{safe_text(kind)}"
        )


def _carry_out(connection: sa.Connection, study_id: int, deed: Deed) -> None:
    if deed.request is not None:
        _take(connection, deed.request)
    _trials.set_specs(connection, study_id, deed.specs)
    _trials.insert_trials(connection, study_id, deed.copies)
    for chunk in deed.past:
        _chunks.insert_chunk(connection, study_id, _chunks.COPIED, chunk)
    _trials.set_statuses(connection, study_id, deed.statuses)
    _trials.set_messages(connection, study_id, deed.messages)
    insert_states(connection, study_id, deed.kept)
    _events.append_events(connection, study_id, deed.events)
    if deed.config is not None:
        _studies.set_config(connection, study_id, deed.config)
    if deed.checkpoint is not None:
        _checkpoints.save_checkpoint(connection, study_id, deed.checkpoint)


def _waiting(connection: sa.Connection, study_id: int) -> list[Request]:
    return _read(connection, (REQUEST.c.study_id == study_id) & REQUEST.c.taken.is_(None))


def _read(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[Request]:
    rows = connection.execute(sa.select(REQUEST).where(which).order_by(REQUEST.c.id))
    return [
        Request(row.id, row.time, row.kind, row.trial, from_json(row.details), row.taken)
        for row in rows
    ]


def _take(connection: sa.Connection, request: int) -> None:
    done = connection.execute(
        sa.update(REQUEST)
        .where(REQUEST.c.id == request, REQUEST.c.taken.is_(None))
        .values(taken=time.time())
    )
    if done.rowcount != 1:
        raise StudyError(
            f"request {request} was taken up already; let one process run the study at a time"
        )
