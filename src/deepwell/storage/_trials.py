"""Rows of trials: configurations, statuses and the summary that ranks them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.compiler import SQLCompiler

from deepwell._base._errors import StudyError
from deepwell.records import Status, Trial, TrialSpec

from ._schema import TRIAL
from ._text import storable

_COLUMNS = tuple(
    TRIAL.c[name]
    for name in ("number", "spec", "status", "epochs", "best_epoch", "score", "cost", "message")
)
_TYPES: dict[str, Any] = {
    "number": sa.Integer(),
    "epoch": sa.Integer(),
    "score": sa.Double(),
    "cost": sa.Double(),
    "text": sa.Text(),
}


_NAMED = 1_000  # trials that a query names one by one; of more it reads all between them


@dataclass(frozen=True)
class _Update:
    """A change of trials whose values come from rows, in the form that each database likes best.

    Attributes:
        one: changes the trial `b_number` of `b_study`; for a database inside this process.
        many: changes all at once, of parameters that are lists; for a server, to which every
            statement is a letter.
    """

    one: sa.Update
    many: sa.Update


def _update(make: Callable[[sa.Update, Mapping[str, Any]], sa.Update], *names: str) -> _Update:
    """Return the forms of a change that `make` adds to an update, given who has its values."""
    of_study = sa.update(TRIAL).where(TRIAL.c.study_id == sa.bindparam("b_study"))
    each = {name: sa.bindparam(f"b_{name}", type_=_TYPES[name]) for name in ("number", *names)}
    lists = [
        sa.bindparam(f"b_{name}", type_=postgresql.ARRAY(_TYPES[name]))
        for name in ("number", *names)
    ]
    columns = [sa.column(name, _TYPES[name]) for name in ("number", *names)]
    given = sa.func.unnest(*lists).table_valued(*columns).render_derived(name="given")
    return _Update(
        make(of_study.where(TRIAL.c.number == each["number"]), each),
        make(of_study.where(TRIAL.c.number == given.c.number), dict(given.c)),
    )


_SET_STATUS = _update(lambda update, row: update.values({TRIAL.c.status: row["text"]}), "text")
_SET_MESSAGE = _update(lambda update, row: update.values({TRIAL.c.message: row["text"]}), "text")
_SET_SPEC = _update(lambda update, row: update.values({TRIAL.c.spec: row["text"]}), "text")
_RAISE_EPOCHS = _update(
    lambda update, row: update.values(
        {
            TRIAL.c.epochs: sa.case(
                (TRIAL.c.epochs < row["epoch"], row["epoch"]), else_=TRIAL.c.epochs
            )
        }
    ),
    "epoch",
)
_IMPROVE_BEST = _update(
    lambda update, row: update.where(
        sa.or_(
            TRIAL.c.score.is_(None),
            TRIAL.c.score > row["score"],
            sa.and_(TRIAL.c.score == row["score"], TRIAL.c.cost > row["cost"]),
        )
    ).values(
        {TRIAL.c.best_epoch: row["epoch"], TRIAL.c.score: row["score"], TRIAL.c.cost: row["cost"]}
    ),
    *("epoch", "score", "cost"),
)


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


def read_trials(
    connection: sa.Connection,
    study_id: int,
    first: int = 0,
    among: Collection[int] | None = None,
) -> list[Trial]:
    """Return all trials from a number on, or those of some numbers, without curves, by number."""
    query = sa.select(*_COLUMNS).where(TRIAL.c.study_id == study_id, TRIAL.c.number >= first)
    query = query.order_by(TRIAL.c.number)
    if among is None:
        return [_trial(row) for row in connection.execute(query)]
    if not among:
        return []
    query = query.where(TRIAL.c.number.between(min(among), max(among)))
    if len(among) <= _NAMED:
        query = query.where(TRIAL.c.number.in_(sorted(among)))
    wanted = set(among)
    return [_trial(row) for row in connection.execute(query) if row[0] in wanted]


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
    connection: sa.Connection, study_id: int, update: _Update, rows: list[dict[str, Any]]
) -> int:
    """Make a change once a row; return how many trials it found."""
    if not rows:
        return 0
    # By way of the driver: for hundreds of plain values a chunk, preparing each row for types
    # that need no preparation takes SQLAlchemy longer than all the rest.
    if connection.dialect.name == "postgresql":
        lists: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0]}
        text = _compiled(update.many, connection.dialect).string
        return connection.exec_driver_sql(text, {"b_study": study_id, **lists}).rowcount
    compiled = _compiled(update.one, connection.dialect)
    order = compiled.positiontup or []
    given = [{"b_study": study_id, **row} for row in rows]
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
