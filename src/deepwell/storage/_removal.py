"""Other names for studies, and their removal in two steps, of which the first can be undone.

A deleted study is hidden and keeps all it has, its name too. Removing it for good leaves one row
and the hashes of its rows: which rows studies have seen must stay known, or a test set could be
made to look unseen. The ledger of openings is not touched by either.
"""

from __future__ import annotations

import secrets
import time
import unicodedata
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._safe_text import safe_text

from ._compact import compact, free_bytes
from ._database import Database
from ._moves import Move, Moves
from ._names import folded, valid_name
from ._schema import (
    BLOB,
    CHECKPOINT,
    CHUNK,
    EVENT,
    LEASE,
    NOTE,
    PROBE,
    REQUEST,
    STUDY,
    TAG,
    TRIAL,
)
from ._studies import RECORD_COLUMNS, record_of, unknown_study
from ._study_record import REMOVED, StudyRecord
from ._text import to_json

_BELONGING = (PROBE, CHUNK, TRIAL, EVENT, CHECKPOINT, LEASE, REQUEST, NOTE, TAG, BLOB)


class Removal:
    """The transactions that rename, hide, bring back and remove studies: `Store.removal`."""

    def __init__(self, database: Database, moves: Moves) -> None:
        self._database = database
        self._moves = moves

    def rename(self, study: StudyRecord, name: str, result: Mapping[str, object] | None) -> None:
        """Give a study, and its folder, another name: both or neither.

        Args:
            study: as it is now.
            name: the new one; it must be free.
            result: the outcome with the new name in it, None for a study without one.

        Raises:
            UsageError: when the name is not valid, or taken, or the folder cannot be moved.
        """
        wanted = valid_name(name)
        with self._moves.recording() as connection:
            same = (STUDY.c.folded == folded(wanted), STUDY.c.id != study.id)
            if connection.execute(sa.select(STUDY.c.id).where(*same)).first() is not None:
                raise UsageError(f'the name "{wanted}" is taken by another study; choose another')
            values: dict[str, object] = {"name": wanted, "folded": folded(wanted)}
            if result is not None:
                values["result"] = to_json(result)
            _update(connection, study.id, values)
            self._moves.sign(study)
            self._moves.move(Move(study.name, wanted, study.id, wanted))

    def delete(self, study_ids: Sequence[int]) -> None:
        """Hide studies; nothing of them is removed yet."""
        with self._database.writing() as connection:
            for study_id in study_ids:
                _update(connection, study_id, {"deleted": time.time()})

    def undelete(self, study_ids: Sequence[int]) -> None:
        """Bring hidden studies back."""
        with self._database.writing() as connection:
            for study_id in study_ids:
                _update(connection, study_id, {"deleted": None})

    def deleted(self) -> list[StudyRecord]:
        """Return the studies that are hidden and can be brought back, oldest first."""
        hidden = (STUDY.c.deleted.is_not(None), STUDY.c.status != REMOVED)
        query = sa.select(*RECORD_COLUMNS).where(*hidden).order_by(STUDY.c.id)
        with self._database.reading() as connection:
            return [record_of(row) for row in connection.execute(query)]

    def find_deleted(self, name: str) -> StudyRecord:
        """Return the hidden study of that name.

        Raises:
            UsageError: when there is none.
        """
        hidden = {record.name: record for record in self.deleted()}
        normal = unicodedata.normalize("NFC", name)
        if normal in hidden:
            return hidden[normal]
        hint = did_you_mean(normal, hidden)
        known = f"; deleted studies: {', '.join(hidden)}" if hidden else ", nor any other one"
        raise UsageError(f'there is no deleted study "{safe_text(name)}"{hint or known}')

    def free_bytes(self) -> int:
        """Return how many bytes of the database file `compact` would give back to the disk."""
        return free_bytes(self._database)

    def compact(self) -> None:
        """Give the room that removed studies have left back to the disk."""
        compact(self._database)

    def purge(self, study_id: int) -> str:
        """Remove a hidden study for good, all but the hashes of its rows; its name is free then.

        Returns:
            Name of the folder in which its files now lie, for whoever removes them. A kill before
            that leaves them to the next removal of half-written files.
        """
        draft = f".{secrets.token_hex(8)}.tmp"
        with self._moves.recording() as connection:
            row = connection.execute(
                sa.select(STUDY.c.name).where(STUDY.c.id == study_id, STUDY.c.deleted.is_not(None))
            ).one_or_none()
            if row is None:
                raise unknown_study(study_id)
            for table in _BELONGING:
                connection.execute(sa.delete(table).where(table.c.study_id == study_id))
            left = f"{row.name} (removed, {study_id})"  # no study can be called so
            values = {"name": left, "folded": folded(left), "config": "{}", "result": None}
            _update(connection, study_id, {**values, "status": REMOVED})
            self._moves.move(Move(row.name, draft, study_id, left))
        return draft


def _update(connection: sa.Connection, study_id: int, values: Mapping[str, object]) -> None:
    done = connection.execute(sa.update(STUDY).where(STUDY.c.id == study_id).values(values))
    if done.rowcount == 0:
        raise unknown_study(study_id)
