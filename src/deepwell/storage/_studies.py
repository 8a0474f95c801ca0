"""Rows of studies."""

from __future__ import annotations

import os
import time
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from deepwell._base._errors import StudyError, UsageError, did_you_mean
from deepwell._base._safe_text import safe_text
from deepwell._base._shell import shell_word

from ._files import shown_path
from ._names import folded, free_name, valid_name
from ._schema import STUDY, TRIAL
from ._study_record import REMOVED, STUDY_STATUSES, StudyRecord
from ._text import from_json, storable, to_json

RECORD_COLUMNS = (
    STUDY.c.id,
    STUDY.c.name,
    STUDY.c.created,
    STUDY.c.config,
    STUDY.c.status,
    STUDY.c.seconds,
    STUDY.c.deleted,
)
_LISTED = 10


def create_study(
    connection: sa.Connection, folder: Path, name: str, config: Mapping[str, object]
) -> StudyRecord:
    """Record a new study under `name` or the next free `name-2`, `name-3`, ..."""
    base = valid_name(name)
    taken = set(connection.execute(sa.select(STUDY.c.folded)).scalars())
    free = free_name(base, taken, lambda candidate: os.path.lexists(folder / candidate))
    row = {
        "name": free,
        "folded": folded(free),
        "created": time.time(),
        "status": "running",
        "config": to_json(config),
        "seconds": 0.0,
    }
    done = connection.execute(sa.insert(STUDY).returning(*RECORD_COLUMNS), row)
    return record_of(done.one())


def read_study(connection: sa.Connection, folder: Path, name: str, flag: str = "") -> StudyRecord:
    """Return the study called `name`, or say which there are.

    Args:
        connection: to the store.
        folder: of the store.
        name: of the study.
        flag: that names the store in a command.
    """
    normal = storable(unicodedata.normalize("NFC", name))
    wanted = sa.select(*RECORD_COLUMNS).where(STUDY.c.name == normal)
    row = connection.execute(wanted).one_or_none()
    if row is not None and row.deleted is None:
        return record_of(row)
    if row is not None:
        raise UsageError(
            f'study "{safe_text(name)}" was deleted; bring it back by '
            f"deepwell delete --undo {shell_word(name)}{flag}"
        )
    there = STUDY.c.deleted.is_(None)
    newest = sa.select(STUDY.c.name).where(there).order_by(STUDY.c.id.desc())
    names = list(connection.execute(newest).scalars())
    if not names:
        raise UsageError(f'no study "{safe_text(name)}"; the store {shown_path(folder)} is empty')
    listed = ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
    hint = did_you_mean(name, names)
    if "/" in name or "\\" in name:
        hint = "; a study is called by its name, without a folder (--store FOLDER);"
    raise UsageError(
        f'no study "{safe_text(name)}" in the store {shown_path(folder)}'
        f"{hint or ';'} studies: {listed}"
    )


def read_studies(connection: sa.Connection, *, deleted: bool = False) -> list[StudyRecord]:
    """Return all studies, oldest first; those that were deleted as well where that is asked."""
    which = sa.true() if deleted else STUDY.c.deleted.is_(None)
    rows = connection.execute(sa.select(*RECORD_COLUMNS).where(which).order_by(STUDY.c.id))
    return [record_of(row) for row in rows]


def read_results(connection: sa.Connection) -> dict[int, dict[str, Any]]:
    """Return study id -> outcome, of all studies that are there and have one."""
    which = (STUDY.c.deleted.is_(None), STUDY.c.result.is_not(None))
    rows = connection.execute(sa.select(STUDY.c.id, STUDY.c.result).where(*which))
    return {row.id: from_json(row.result) for row in rows}


def delete_empty(connection: sa.Connection, study_id: int) -> None:
    """Remove the study, its events and row hashes, unless it has a trial."""
    trials = sa.exists().where(TRIAL.c.study_id == STUDY.c.id)
    connection.execute(sa.delete(STUDY).where(STUDY.c.id == study_id, ~trials))


def read_status(connection: sa.Connection, study_id: int) -> str:
    """Return how a study stands."""
    query = sa.select(STUDY.c.status).where(STUDY.c.id == study_id)
    return str(connection.execute(query).scalar_one())


def set_status(connection: sa.Connection, study_id: int, status: str) -> None:
    """Record where the study stands."""
    if status not in STUDY_STATUSES:
        known = ", ".join(STUDY_STATUSES)
        raise UsageError(f'a study\'s status must be one of {known}, got "{safe_text(status)}"')
    _update(connection, study_id, {"status": status})


def set_config(connection: sa.Connection, study_id: int, config: Mapping[str, object]) -> None:
    """Keep what the study is asked to do from now on."""
    _update(connection, study_id, {"config": to_json(config)})


def set_seconds(connection: sa.Connection, study_id: int, seconds: float) -> None:
    """Record the working time of all runs so far."""
    _update(connection, study_id, {"seconds": float(seconds)})


def save_result(connection: sa.Connection, study_id: int, plain: Mapping[str, object]) -> None:
    """Keep the study's outcome, in place of an older one."""
    _update(connection, study_id, {"result": to_json(plain)})


def read_result(connection: sa.Connection, study_id: int) -> dict[str, Any] | None:
    """Return the outcome that was kept, or None."""
    text = connection.execute(sa.select(STUDY.c.result).where(STUDY.c.id == study_id)).scalar()
    return None if text is None else from_json(text)


def unknown_study(study_id: int) -> StudyError:
    """Return the error to raise for an id that the store does not have."""
    return StudyError(f"the store has no study with the id {study_id}; it may have been deleted")


def _update(connection: sa.Connection, study_id: int, values: Mapping[str, object]) -> None:
    done = connection.execute(sa.update(STUDY).where(STUDY.c.id == study_id).values(values))
    if done.rowcount == 0:
        raise unknown_study(study_id)


def record_of(row: sa.Row[*tuple[Any, ...]]) -> StudyRecord:
    """Return the record of a row of `RECORD_COLUMNS`."""
    if row.status != REMOVED and (row.name in ("", ".", "..") or set(row.name) & set("/\\:\0")):
        raise StudyError(
            f"the store is damaged: a study cannot be called {safe_text(repr(row.name))}, which "
            "leads out of its folder"
        )
    config = from_json(row.config)
    return StudyRecord(row.id, row.name, row.created, config, row.status, row.seconds, row.deleted)
