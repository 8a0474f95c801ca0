"""Studies copied from store to store, of either kind: all records, with new keys where they lie."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from deepwell.records import Event

from ._database import Database
from ._events import append_events
from ._ledger import adopt_opening
from ._moves import Move, Moves
from ._names import folded, free_name, valid_name
from ._schema import (
    BLOB,
    CHECKPOINT,
    CHUNK,
    CURVE,
    EVENT,
    NOTE,
    PROBE,
    REQUEST,
    ROW_HASHES,
    STUDY,
    TAG,
    TRIAL,
)
from ._studies import RECORD_COLUMNS, record_of, unknown_study
from ._study_record import StudyRecord
from ._text import from_json, to_json

_AT_ONCE = 500  # rows

Rows = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class Copied:
    """What of a study is otherwise in its copy.

    Attributes:
        config: what it was asked to do, with the place of its sealed rows there.
        renamed: its outcome and its new name -> the outcome under that name.
        openings: of its test set, as the ledger of its store has them.
        events: that the copy has beside those of the study.
        staged: name of the folder, beside those of the studies there, that becomes its own.
        last: is called with its new name, the last act before that folder is moved.
    """

    config: Mapping[str, object]
    renamed: Callable[[Mapping[str, Any], str], Mapping[str, Any]]
    openings: Sequence[Mapping[str, Any]]
    events: Sequence[Event]
    staged: str
    last: Callable[[str], None]


class Copies:
    """The transactions that copy studies: `Store.copies`."""

    def __init__(self, database: Database, folder: Path, moves: Moves) -> None:
        self._database = database
        self._folder = folder
        self._moves = moves

    def copy_to(self, target: Copies, study_id: int, copied: Copied) -> StudyRecord:
        """Copy a study with all its records in one transaction of the other store.

        Args:
            target: of the other store.
            study_id: the study here.
            copied: what is otherwise there.

        Returns:
            The study there; a taken name becomes `name-2`.
        """
        with self._database.reading() as here, target._moves.recording() as there:
            found = sa.select(STUDY).where(STUDY.c.id == study_id)
            study = here.execute(found).mappings().one_or_none()
            if study is None:
                raise unknown_study(study_id)
            name = target._free_name(there, study["name"])
            row = {key: value for key, value in study.items() if key != "id"}
            row |= {"name": name, "folded": folded(name), "config": to_json(copied.config)}
            if study["result"] is not None:
                row["result"] = to_json(copied.renamed(from_json(study["result"]), name))
            made = there.execute(sa.insert(STUDY).returning(*RECORD_COLUMNS), row).one()
            _copy_records(here, there, study_id, made.id)
            append_events(there, made.id, copied.events)
            for entry in copied.openings:  # no test set may look unseen, not for a moment
                own = made.id if entry["study_id"] == study_id else None
                adopt_opening(there, entry, own)
            copied.last(name)
            target._moves.move(Move(copied.staged, name, made.id, name))
            return record_of(made)

    def _free_name(self, connection: sa.Connection, name: str) -> str:
        taken = set(connection.execute(sa.select(STUDY.c.folded)).scalars())
        return free_name(valid_name(name), taken, lambda one: os.path.lexists(self._folder / one))


def _copy_records(here: sa.Connection, there: sa.Connection, old: int, new: int) -> None:
    for table in (TRIAL, ROW_HASHES, BLOB):
        _insert(there, table, _read(here, table, old, new))
    for table in (NOTE, TAG):
        _insert(there, table, _read(here, table, old, new, "id"))
    taken = REQUEST.c.taken.is_not(None)  # what waits was asked of a run in the other store
    requests = _copy_keyed(here, there, REQUEST, old, new, where=taken)
    chunks = _copy_keyed(here, there, CHUNK, old, new)
    events = _copy_keyed(
        here, there, EVENT, old, new, lambda row: {"details": _answer(row["details"], requests)}
    )
    curves = sa.select(CURVE).join(CHUNK, CHUNK.c.id == CURVE.c.chunk_id)
    of_study = here.execute(curves.where(CHUNK.c.study_id == old)).mappings()
    _insert(there, CURVE, ({**row, "chunk_id": chunks[row["chunk_id"]]} for row in of_study))
    _insert(
        there,
        PROBE,
        ({**row, "chunk_id": chunks.get(row["chunk_id"])} for row in _read(here, PROBE, old, new)),
    )
    for row in _read(here, CHECKPOINT, old, new):
        last = {"chunk": _last(chunks, row["chunk"]), "event": _last(events, row["event"])}
        there.execute(sa.insert(CHECKPOINT), {**row, **last})


def _copy_keyed(
    here: sa.Connection,
    there: sa.Connection,
    table: sa.Table,
    old: int,
    new: int,
    changed: Callable[[sa.RowMapping], dict[str, Any]] = lambda row: {},
    where: sa.ColumnElement[bool] | None = None,
) -> dict[int, int]:
    """Copy the rows of a table with keys of its own, in their order; return old -> new key."""
    keys: dict[int, int] = {}
    insert = sa.insert(table).returning(table.c.id, sort_by_parameter_order=True)
    query = sa.select(table).where(table.c.study_id == old).order_by(table.c.id)
    if where is not None:
        query = query.where(where)
    for some in here.execute(query).mappings().partitions(_AT_ONCE):
        rows = [{**row, "study_id": new, **changed(row)} for row in some]
        olds = [row.pop("id") for row in rows]
        keys |= zip(olds, there.execute(insert, rows).scalars(), strict=True)
    return keys


def _answer(details: str, requests: Mapping[int, int]) -> str:
    """Return what an event tells, with the new key of the request that it came of.

    By the old one a later request of the other store would seem to be done already.
    """
    told: Any = from_json(details)
    if "request" not in told:
        return details
    return to_json({**told, "request": requests.get(told["request"])})


def _read(here: sa.Connection, table: sa.Table, old: int, new: int, *without: str) -> Rows:
    """Yield the rows of a study with its new key, those columns left out."""
    query = sa.select(table).where(table.c.study_id == old)
    for row in here.execute(query).mappings():
        kept = {name: value for name, value in row.items() if name not in without}
        yield {**kept, "study_id": new}


def _insert(there: sa.Connection, table: sa.Table, rows: Rows) -> None:
    some: list[dict[str, Any]] = []
    for row in rows:
        some.append(row)
        if len(some) == _AT_ONCE:
            there.execute(sa.insert(table), some)
            some = []
    if some:
        there.execute(sa.insert(table), some)


def _last(keys: Mapping[int, int], old: int) -> int:
    """Return the new key of the last row up to an old one, 0 where there is none."""
    return max((new for key, new in keys.items() if key <= old), default=0)
