"""Rows of checkpoints: how the records stood, and going back to that."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from deepwell.records import Status

from ._checkpoint_record import CheckpointRecord, Repeated
from ._chunks import COPIED
from ._probes import delete_later
from ._schema import CHECKPOINT, CHUNK, EVENT, NUMBERS, STUDY, TRIAL
from ._text import from_json, to_json

_NUMBER_BYTES = int(NUMBERS[-1])
_KEPT = (
    TRIAL.c.number,
    TRIAL.c.status,
    TRIAL.c.epochs,
    TRIAL.c.best_epoch,
    TRIAL.c.score,
    TRIAL.c.cost,
    TRIAL.c.message,
)
_FRESH = {
    "status": Status.WAITING.value,
    "epochs": 0,
    "best_epoch": 0,
    "score": None,
    "cost": None,
    "message": "",
}
_PUT_BACK = (
    sa.update(TRIAL)
    .where(TRIAL.c.study_id == sa.bindparam("b_study"), TRIAL.c.number == sa.bindparam("b_number"))
    .values({name: sa.bindparam(f"b_{name}") for name in _FRESH})
)


def save_checkpoint(connection: sa.Connection, study_id: int, checkpoint: CheckpointRecord) -> None:
    """Keep where the study stands now, in place of an older checkpoint.

    The trials from `first_trial` on are kept as their rows are in this transaction, with the last
    chunk and event: that is what `roll_back` goes back to.
    """
    last_chunk = sa.select(sa.func.max(CHUNK.c.id)).where(CHUNK.c.study_id == study_id)
    last_event = sa.select(sa.func.max(EVENT.c.id)).where(EVENT.c.study_id == study_id)
    moving = sa.select(*_KEPT).where(
        TRIAL.c.study_id == study_id, TRIAL.c.number >= checkpoint.first_trial
    )
    rows = [list(row) for row in connection.execute(moving.order_by(TRIAL.c.number))]
    delete_checkpoint(connection, study_id)
    row = {
        "study_id": study_id,
        "seconds": float(checkpoint.seconds),
        "chunk": connection.execute(last_chunk).scalar() or 0,
        "event": connection.execute(last_event).scalar() or 0,
        "first_trial": int(checkpoint.first_trial),
        "trials": to_json(rows),
        "details": to_json(checkpoint.details),
    }
    connection.execute(sa.insert(CHECKPOINT), row)


def read_checkpoint(connection: sa.Connection, study_id: int) -> CheckpointRecord | None:
    """Return the study's checkpoint, or None."""
    row = _row(connection, study_id)
    if row is None:
        return None
    return CheckpointRecord(row.seconds, row.first_trial, from_json(row.details))


def delete_checkpoint(connection: sa.Connection, study_id: int) -> None:
    """Forget the study's checkpoint, if it has one."""
    connection.execute(sa.delete(CHECKPOINT).where(CHECKPOINT.c.study_id == study_id))


def roll_back(connection: sa.Connection, study_id: int, kinds: Collection[str]) -> Repeated:
    """Put the records where they stood at the checkpoint; without one, before any training.

    Chunks that were recorded since then are removed with their probes, as are all probes made
    after training; trials stand as they stood, and events of these kinds are forgotten, since
    what they decided is about to be decided again. Proposals stay; trials that such an event made,
    which it names, go with it.

    Returns:
        What has to be trained again.
    """
    kept = _row(connection, study_id)
    first, chunk, event = (0, 0, 0) if kept is None else (kept.first_trial, kept.chunk, kept.event)
    later = (CHUNK.c.study_id == study_id, CHUNK.c.id > chunk)
    trained = CHUNK.c.population != COPIED
    size = sa.select(sa.func.sum(sa.func.length(CHUNK.c.trials))).where(*later, trained)
    epochs = (connection.execute(size).scalar() or 0) // _NUMBER_BYTES
    spent = connection.execute(sa.select(STUDY.c.seconds).where(STUDY.c.id == study_id)).scalar()
    before = 0.0 if kept is None else kept.seconds
    connection.execute(sa.delete(CHUNK).where(*later))
    delete_later(connection, study_id)
    forgotten = (EVENT.c.study_id == study_id, EVENT.c.id > event, EVENT.c.kind.in_(list(kinds)))
    made = sa.select(EVENT.c.trial).where(*forgotten, EVENT.c.trial.is_not(None))
    connection.execute(
        sa.delete(TRIAL).where(TRIAL.c.study_id == study_id, TRIAL.c.number.in_(made))
    )
    connection.execute(sa.delete(EVENT).where(*forgotten))
    moving = (TRIAL.c.study_id == study_id, TRIAL.c.number >= first)
    connection.execute(sa.update(TRIAL).where(*moving).values(_FRESH))
    rows: list[list[Any]] = [] if kept is None else from_json(kept.trials)
    if rows:
        names = [f"b_{column.name}" for column in _KEPT]
        given = [
            {"b_study": study_id, **dict(zip(names, map(_number, row), strict=True))}
            for row in rows
        ]
        connection.execute(_PUT_BACK, given)
    return Repeated(epochs, max(0.0, float(spent or 0.0) - before) if epochs else 0.0)


def _number(value: object) -> object:
    # A cost may be infinite, which JSON holds as a text; no other column holds these.
    return math.inf if value == "inf" else value


def _row(connection: sa.Connection, study_id: int) -> sa.Row[Any] | None:
    query = sa.select(CHECKPOINT).where(CHECKPOINT.c.study_id == study_id)
    return connection.execute(query).one_or_none()
