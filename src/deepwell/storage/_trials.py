"""Rows of trials: configurations, statuses and the summary that ranks them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.compiler import SQLCompiler

from deepwell._base._errors import StudyError
from deepwell.records import Status, Trial, TrialSpec

from ._schema import TRIAL
from ._text import storable

_COLUMNS = tuple(
    TRIAL.c[name]
    for name in ("number", "spec", "status", "epochs", "best_epoch", "score", "cost", "message")
)
_EPOCH = sa.bindparam("b_epoch", type_=sa.Integer)
_SCORE = sa.bindparam("b_score", type_=sa.Double)
_COST = sa.bindparam("b_cost", type_=sa.Double)
_TEXT = sa.bindparam("b_text", type_=sa.Text)
_UPDATE = sa.update(TRIAL).where(
    TRIAL.c.study_id == sa.bindparam("b_study"), TRIAL.c.number == sa.bindparam("b_number")
)
_SET_STATUS = _UPDATE.values({TRIAL.c.status: _TEXT})
_SET_MESSAGE = _UPDATE.values({TRIAL.c.message: _TEXT})
_SET_SPEC = _UPDATE.values({TRIAL.c.spec: _TEXT})
_RAISE_EPOCHS = _UPDATE.values(
    {TRIAL.c.epochs: sa.case((TRIAL.c.epochs < _EPOCH, _EPOCH), else_=TRIAL.c.epochs)}
)
_IMPROVE_BEST = _UPDATE.where(
    sa.or_(
        TRIAL.c.score.is_(None),
        TRIAL.c.score > _SCORE,
        sa.and_(TRIAL.c.score == _SCORE, TRIAL.c.cost > _COST),
    )
).values({TRIAL.c.best_epoch: _EPOCH, TRIAL.c.score: _SCORE, TRIAL.c.cost: _COST})


def insert_trials(
    connection: sa.Connection, study_id: int, trials: Sequence[tuple[int, TrialSpec]]
) -> None:
    """Record proposed trials; they wait."""
    rows = [
        {
            "study_id": study_id,
            "number": int(number),
            "spec": spec.to_json(),
            "status": Status.WAITING.value,
            "epochs": 0,
            "best_epoch": 0,
            "message": "",
        }
        for number, spec in trials
    ]
    if rows:
        connection.execute(sa.insert(TRIAL), rows)


def set_statuses(connection: sa.Connection, study_id: int, statuses: Mapping[int, Status]) -> None:
    """Record where trials stand."""
    rows = [{"b_number": int(n), "b_text": status.value} for n, status in statuses.items()]
    _require_all(study_id, len(rows), _run_each(connection, study_id, _SET_STATUS, rows))


def set_specs(connection: sa.Connection, study_id: int, specs: Mapping[int, TrialSpec]) -> None:
    """Record what trials are configured to from now on: changes by hand are part of it."""
    rows = [{"b_number": int(n), "b_text": spec.to_json()} for n, spec in specs.items()]
    _require_all(study_id, len(rows), _run_each(connection, study_id, _SET_SPEC, rows))


def interrupt_unfinished(connection: sa.Connection, study_id: int) -> list[int]:
    """Record that all trials that are not over were cut short; return their numbers."""
    numbers = read_unfinished(connection, study_id)
    set_statuses(connection, study_id, dict.fromkeys(numbers, Status.INTERRUPTED))
    return numbers


def read_unfinished(connection: sa.Connection, study_id: int) -> list[int]:
    """Return the numbers of the trials that are not over, quickly."""
    open_ones = [status.value for status in Status if not status.over]
    query = sa.select(TRIAL.c.number).where(
        TRIAL.c.study_id == study_id, TRIAL.c.status.in_(open_ones)
    )
    return list(connection.execute(query.order_by(TRIAL.c.number)).scalars())


def set_messages(connection: sa.Connection, study_id: int, messages: Mapping[int, str]) -> None:
    """Record what went wrong with trials."""
    rows = [{"b_number": int(n), "b_text": storable(text)} for n, text in messages.items()]
    _require_all(study_id, len(rows), _run_each(connection, study_id, _SET_MESSAGE, rows))


def raise_epochs(
    connection: sa.Connection, study_id: int, numbers: Sequence[int], epoch: int
) -> None:
    """Record that trials have trained `epoch` epochs, or more."""
    rows = [{"b_number": number, "b_epoch": epoch} for number in numbers]
    _require_all(study_id, len(rows), _run_each(connection, study_id, _RAISE_EPOCHS, rows))


def improve_best(
    connection: sa.Connection,
    study_id: int,
    epoch: int,
    scored: Sequence[tuple[int, float, float]],
) -> None:
    """Record an epoch as a trial's best where it is strictly better, so that the first wins ties.

    Args:
        connection: inside the transaction that records the epoch.
        study_id: the study.
        epoch: the epoch that was scored.
        scored: number, dev score and dev cost of each trial; scores finite, costs not NaN.
    """
    rows = [
        {"b_number": number, "b_epoch": epoch, "b_score": score, "b_cost": cost}
        for number, score, cost in scored
    ]
    _run_each(connection, study_id, _IMPROVE_BEST, rows)


def read_trials(connection: sa.Connection, study_id: int, first: int = 0) -> list[Trial]:
    """Return all trials from a number on, without curves, in the order of proposal."""
    own = sa.and_(TRIAL.c.study_id == study_id, TRIAL.c.number >= first)
    query = sa.select(*_COLUMNS).where(own).order_by(TRIAL.c.number)
    return [_trial(row) for row in connection.execute(query)]


def count_trials(connection: sa.Connection) -> dict[int, int]:
    """Return study id -> number of its trials, for all studies that have some."""
    query = sa.select(TRIAL.c.study_id, sa.func.count()).group_by(TRIAL.c.study_id)
    return {int(row[0]): int(row[1]) for row in connection.execute(query)}


def read_best(
    connection: sa.Connection, study_id: int, count: int, among: Collection[int] | None
) -> list[Trial]:
    """Return the `count` best trials that have a score and did not fail, without curves."""
    chosen = sa.true() if among is None else TRIAL.c.number.in_(sorted(among))
    query = (
        sa.select(*_COLUMNS)
        .where(
            TRIAL.c.study_id == study_id,
            TRIAL.c.score.is_not(None),
            TRIAL.c.status != Status.FAILED.value,
            chosen,
        )
        .order_by(TRIAL.c.score, TRIAL.c.cost, TRIAL.c.number)
        .limit(count)
    )
    return [_trial(row) for row in connection.execute(query)]


def _run_each(
    connection: sa.Connection, study_id: int, statement: sa.Update, rows: list[dict[str, Any]]
) -> int:
    """Run a statement once a row; return how many trials it found."""
    if not rows:
        return 0
    compiled = _compiled(statement, connection.dialect)
    given = [{"b_study": study_id, **row} for row in rows]
    # By way of the driver: for hundreds of plain values a chunk, preparing each row for types
    # that need no preparation takes SQLAlchemy longer than all the rest.
    if compiled.positiontup is None:
        return connection.exec_driver_sql(compiled.string, given).rowcount
    order = compiled.positiontup
    in_order = [tuple([row[name] for name in order]) for row in given]
    return connection.exec_driver_sql(compiled.string, in_order).rowcount


@lru_cache(maxsize=32)
def _compiled(statement: sa.Update, dialect: sa.Dialect) -> SQLCompiler:
    return statement.compile(dialect=dialect)


def _require_all(study_id: int, wanted: int, found: int) -> None:
    if found != wanted:
        raise StudyError(
            f"study {study_id} of the store has {found} of {wanted} trials that were to be "
            "recorded; each trial must be proposed first"
        )


@lru_cache(maxsize=65_536)  # a scan of more trials than it holds would find none of them
def _spec(text: str) -> TrialSpec:
    """Return a stored specification; one is read at every decision, and checking it takes long."""
    return TrialSpec.from_json(text)


def _trial(row: sa.Row[Any]) -> Trial:
    values: Any = row
    number, spec, status, epochs, best_epoch, score, cost, message = values
    return Trial(
        number=number,
        spec=_spec(spec),
        status=Status(status),
        epochs=epochs,
        best_epoch=best_epoch,
        score=math.inf if score is None else score,
        cost=math.inf if cost is None else cost,
        message=message,
    )
