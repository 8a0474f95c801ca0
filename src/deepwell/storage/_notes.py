"""Notes and tags: what people write down about studies and trials."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Sequence

import sqlalchemy as sa

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._safe_text import safe_text
from deepwell.records import Note, Tag

from ._database import Database
from ._schema import NOTE, STUDY, TAG, TRIAL
from ._studies import unknown_study
from ._text import storable

MAX_NOTE = 10_000
MAX_TAG = 60


class Notes:
    """The transactions on notes and tags: `Store.notes`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, study_id: int, text: str, trial: int | None = None) -> Note:
        """Write a note on a study, or on one of its trials.

        Raises:
            UsageError: when it says nothing, or too much, or there is no such trial.
        """
        written = checked_note(text)
        with self._database.writing() as connection:
            _require(connection, study_id, trial)
            row = {"study_id": study_id, "trial": trial, "time": time.time(), "text": written}
            done = connection.execute(sa.insert(NOTE).returning(*_NOTE), row).one()
            return Note(*done)

    def remove(self, study_id: int, note: int) -> None:
        """Remove a note of a study by its number.

        Raises:
            UsageError: when the study has no such note.
        """
        with self._database.writing() as connection:
            which = (NOTE.c.study_id == study_id, NOTE.c.id == note)
            if connection.execute(sa.delete(NOTE).where(*which)).rowcount == 0:
                raise UsageError(f"the study has no note {note}; see its notes by deepwell note")

    def read(self, study_id: int) -> list[Note]:
        """Return the notes on a study and its trials, oldest first."""
        query = sa.select(*_NOTE).where(NOTE.c.study_id == study_id).order_by(NOTE.c.id)
        with self._database.reading() as connection:
            return [Note(*row) for row in connection.execute(query)]

    def tag(self, study_id: int, names: Sequence[str], trial: int | None = None) -> list[str]:
        """Tag a study or one of its trials, and return the tags that it did not have yet.

        Raises:
            UsageError: when a name cannot be a tag, or there is no such trial.
        """
        wanted = list(dict.fromkeys(map(checked_tag, names)))
        with self._database.writing() as connection:
            _require(connection, study_id, trial)
            there = _tags_of(connection, study_id, trial)
            fresh = [name for name in wanted if name not in there]
            rows = [{"study_id": study_id, "trial": trial, "name": name} for name in fresh]
            if rows:
                connection.execute(sa.insert(TAG), rows)
            return fresh

    def untag(self, study_id: int, names: Sequence[str], trial: int | None = None) -> None:
        """Take tags away.

        Raises:
            UsageError: when one of them is not there; then all stay.
        """
        with self._database.writing() as connection:
            _require(connection, study_id, trial)
            there = _tags_of(connection, study_id, trial)
            for name in map(checked_tag, names):
                if name not in there:
                    known = f"; tags: {', '.join(there)}" if there else ", nor any other"
                    hint = did_you_mean(name, there)
                    raise UsageError(f'there is no tag "{safe_text(name)}"{hint or known}')
                which = (TAG.c.study_id == study_id, _is(trial), TAG.c.name == name)
                connection.execute(sa.delete(TAG).where(*which))

    def tags(self, study_id: int) -> list[Tag]:
        """Return the tags of a study, then those of its trials, by name."""
        query = (
            sa.select(TAG.c.trial, TAG.c.name)
            .where(TAG.c.study_id == study_id)
            .order_by(TAG.c.trial.is_not(None), TAG.c.trial, TAG.c.name)
        )
        with self._database.reading() as connection:
            return [Tag(*row) for row in connection.execute(query)]

    def tags_of_studies(self) -> dict[int, list[str]]:
        """Return study id -> its own tags, by name, for all studies that have some."""
        query = sa.select(TAG.c.study_id, TAG.c.name).where(TAG.c.trial.is_(None))
        found: dict[int, list[str]] = {}
        with self._database.reading() as connection:
            for study_id, name in connection.execute(query.order_by(TAG.c.name)):
                found.setdefault(study_id, []).append(name)
        return found

    def counts(self) -> dict[int, int]:
        """Return study id -> how many notes there are on it and its trials, where there are."""
        query = sa.select(NOTE.c.study_id, sa.func.count()).group_by(NOTE.c.study_id)
        with self._database.reading() as connection:
            return {int(row[0]): int(row[1]) for row in connection.execute(query)}


def checked_note(text: str) -> str:
    """Return a note as it is stored, or say what is wrong with it."""
    written = storable(text).strip()
    if not 0 < len(written) <= MAX_NOTE:
        raise UsageError(f"a note must have 1 to {MAX_NOTE:,} characters, got {len(written):,}")
    return written


def checked_tag(name: str) -> str:
    """Return a tag as it is stored, or say what is wrong with it."""
    normal = unicodedata.normalize("NFC", name)
    plain = normal.isprintable() and not any(c.isspace() or c == "," for c in normal)
    if not (0 < len(normal) <= MAX_TAG and plain) or normal.isdigit():
        raise UsageError(
            f"a tag must be one word of at most {MAX_TAG} characters without commas, and not a "
            f'number alone, got "{safe_text(name)}"'
        )
    return normal


_NOTE = (NOTE.c.id, NOTE.c.trial, NOTE.c.time, NOTE.c.text)


def _is(trial: int | None) -> sa.ColumnElement[bool]:
    return TAG.c.trial.is_(None) if trial is None else TAG.c.trial == trial


def _tags_of(connection: sa.Connection, study_id: int, trial: int | None) -> list[str]:
    query = sa.select(TAG.c.name).where(TAG.c.study_id == study_id, _is(trial))
    return [str(row[0]) for row in connection.execute(query.order_by(TAG.c.name))]


def _require(connection: sa.Connection, study_id: int, trial: int | None) -> None:
    """Refuse a study or a trial that is not there."""
    known = connection.execute(sa.select(STUDY.c.id).where(STUDY.c.id == study_id)).scalar()
    if known is None:
        raise unknown_study(study_id)
    if trial is None:
        return
    of_study = TRIAL.c.study_id == study_id
    there = 0 <= trial < 2**31  # what the database's integers hold
    query = sa.select(TRIAL.c.number).where(of_study, TRIAL.c.number == trial)
    if there and connection.execute(query).all():
        return
    last = connection.execute(sa.select(sa.func.max(TRIAL.c.number)).where(of_study)).scalar()
    told = "no trials" if last is None else f"the trials 0 to {last}"
    raise UsageError(f"the study has {told}, got {trial}")
