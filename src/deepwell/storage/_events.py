"""Rows of events, in the order in which they were recorded."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from deepwell.records import Event

from ._schema import EVENT
from ._text import from_json, storable, to_json


def append_events(connection: sa.Connection, study_id: int, events: Sequence[Event]) -> None:
    """Record acts, in their order."""
    rows = [
        {
            "study_id": study_id,
            "time": float(event.time),
            "kind": storable(event.kind),
            "trial": None if event.trial is None else int(event.trial),
            "details": to_json(event.details),
        }
        for event in events
    ]
    if rows:
        connection.execute(sa.insert(EVENT), rows)


def read_events(connection: sa.Connection, study_id: int, kind: str | None) -> list[Event]:
    """Return the study's events, or those of one kind, first to last."""
    query = sa.select(EVENT).where(EVENT.c.study_id == study_id).order_by(EVENT.c.id)
    if kind is not None:
        query = query.where(EVENT.c.kind == storable(kind))
    return [
        Event(row.time, row.kind, row.trial, from_json(row.details))
        for row in connection.execute(query)
    ]
