"""Studies copied from store to store, of either kind: all records, with new keys where they lie.

The records go in turns with whoever else records in the other store, to a row that nobody sees: a
draft. The last transaction, which is short, makes the study of it. A kill before that leaves a
draft, which `broken_off` finds.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from deepwell._base._errors import DeepwellError, StudyError
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
from ._study_record import REMOVED, StudyRecord
from ._text import from_json, to_json
from ._turns import Turns

_AT_ONCE = 500  # rows
_BYTES_AT_ONCE = 4_000_000
_YOUNG = 3_600.0  # seconds; a younger draft may be at work
_DRAFT = "(copy "
"""How the name of a draft begins, and no study's."""

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
        """Copy a study with all its records; others see all of them there, or none.

        Args:
            target: of the other store.
            study_id: the study here.
            copied: what is otherwise there.

        Returns:
            The study there; a taken name becomes `name-2`.
        """
        with self._database.reading() as here:
            found = sa.select(STUDY).where(STUDY.c.id == study_id)
            study = here.execute(found).mappings().one_or_none()
            if study is None:
                raise unknown_study(study_id)
            draft = target._begin()
            try:
                with Turns(target._database) as turns:
                    _copy_records(here, turns, study_id, draft)
                return target._end(here, dict(study), draft, copied)
            except BaseException:
                with contextlib.suppress(DeepwellError):
                    target.remove(draft)
                raise

    def broken_off(self) -> list[tuple[int, int]]:
        """Return (key, bytes of its curves) of each draft that a kill has left."""
        size = sa.select(sa.func.coalesce(sa.func.sum(sa.func.length(CURVE.c.block)), 0))
        size = size.join(CHUNK, CHUNK.c.id == CURVE.c.chunk_id)
        old = (STUDY.c.name.startswith(_DRAFT), STUDY.c.created < time.time() - _YOUNG)
        with self._database.reading() as connection:
            keys = list(connection.execute(sa.select(STUDY.c.id).where(*old)).scalars())
            return [
                (key, int(connection.execute(size.where(CHUNK.c.study_id == key)).scalar_one()))
                for key in keys
            ]

    def remove(self, draft: int) -> None:
        """Remove a draft with its records."""
        with self._database.writing() as connection:
            own = (STUDY.c.id == draft, STUDY.c.name.startswith(_DRAFT))
            connection.execute(sa.delete(STUDY).where(*own))

    def _begin(self) -> int:
        """Make a draft, and return its key."""
        name, now = f"{_DRAFT}{secrets.token_hex(8)})", time.time()
        row = {"name": name, "folded": name, "created": now, "deleted": now}
        with self._database.writing() as connection:
            made = sa.insert(STUDY).returning(STUDY.c.id)
            values = {**row, "status": REMOVED, "config": "{}", "seconds": 0.0}
            return connection.execute(made, values).scalar_one()

    def _end(
        self, here: sa.Connection, study: Mapping[str, Any], draft: int, copied: Copied
    ) -> StudyRecord:
        """Make a study of a draft that has all records of that study."""
        with self._moves.recording() as there:
            name = self._free_name(there, study["name"])
            row = {key: value for key, value in study.items() if key != "id"}
            row |= {"name": name, "folded": folded(name), "config": to_json(copied.config)}
            if study["result"] is not None:
                row["result"] = to_json(copied.renamed(from_json(study["result"]), name))
            update = sa.update(STUDY).where(STUDY.c.id == draft).values(row)
            made = there.execute(update.returning(*RECORD_COLUMNS)).one_or_none()
            if made is None:
                raise StudyError("the copy was removed while it was made; copy the study again")
            for rows in _pieces(_read(here, ROW_HASHES, study["id"], draft)):  # seen from now on
                there.execute(sa.insert(ROW_HASHES), rows)
            append_events(there, draft, copied.events)
            for entry in copied.openings:  # no test set may look unseen, not for a moment
                own = draft if entry["study_id"] == study["id"] else None
                adopt_opening(there, entry, own)
            copied.last(name)
            self._moves.move(Move(copied.staged, name, draft, name))
            return record_of(made)

    def _free_name(self, connection: sa.Connection, name: str) -> str:
        taken = set(connection.execute(sa.select(STUDY.c.folded)).scalars())
        return free_name(valid_name(name), taken, lambda one: os.path.lexists(self._folder / one))


def _copy_records(here: sa.Connection, there: Turns, old: int, new: int) -> None:
    for table in (TRIAL, BLOB):
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
        there.connection().execute(sa.insert(CHECKPOINT), {**row, **last})


def _copy_keyed(
    here: sa.Connection,
    there: Turns,
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
    found = here.execute(query).mappings()
    for rows in _pieces({**row, "study_id": new, **changed(row)} for row in found):
        olds = [row.pop("id") for row in rows]
        keys |= zip(olds, there.connection().execute(insert, rows).scalars(), strict=True)
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


def _insert(there: Turns, table: sa.Table, rows: Rows) -> None:
    for some in _pieces(rows):
        there.connection().execute(sa.insert(table), some)


def _pieces(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield rows together that one statement takes, without a long wait for others."""
    some: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        some.append(row)
        size += sum(len(value) for value in row.values() if isinstance(value, bytes | str))
        if len(some) == _AT_ONCE or size >= _BYTES_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


def _last(keys: Mapping[int, int], old: int) -> int:
    """Return the new key of the last row up to an old one, 0 where there is none."""
    return max((new for key, new in keys.items() if key <= old), default=0)
