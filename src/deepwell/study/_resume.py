"""Going on with a study that was killed, stopped or crashed, from its last checkpoint."""

from __future__ import annotations

import contextlib
import math
import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell.data._data import Data
from deepwell.data._folds import make_folds
from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.execution._planner import Plan
from deepwell.records import (
    Event,
    PlanFacts,
    Rung,
    StudyResult,
    TrialSpec,
    from_plain,
)
from deepwell.storage._claim import LeaseHeldError
from deepwell.storage._deed import refusal
from deepwell.storage._lease import leased
from deepwell.storage._open import open_store
from deepwell.storage._study_record import StudyRecord

from ._ahead import Ahead
from ._arrays import engine_of
from ._asked import Asked, from_config
from ._budget import parse_budget
from ._checkpoint import checkpoint_folder, discard, read_contenders, read_position
from ._course import Job, Past, carry_out
from ._data_checks import data_findings
from ._extend import extend
from ._finished import FinishedStudy, open_study
from ._first_steps import check_findings
from ._forks import root
from ._history import DECISIONS, Bracket, History, Round
from ._more import EXTEND, More
from ._observer import Observer
from ._recording import continued, leave_file
from ._same_data import same_data
from ._settings import optimizers_of
from .acts._extend import EXTEND as EXTEND_BY_HAND

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy


def resume(
    name: str,
    data: Data | None = None,
    *,
    store: str | Path | None = None,
    budget: str | float | None = None,
    trials: int | None = None,
    space: Mapping[str, object] | None = None,
    constraints: Sequence[str] = (),
    search: str | None = None,
    given: Sequence[Mapping[str, object]] = (),
    epochs: int | None = None,
    observer: Observer | None = None,
) -> FinishedStudy:
    """Go on with an unfinished study, and return it with its outcome; a finished one as it is.

    A study that was killed, stopped by Ctrl-C or by its clock, or that failed, goes on from its
    last checkpoint with the program, plan and proposals that were recorded. With `trials` given
    to the first run it ends bit for bit where it would have ended without the break, on the same
    machine and versions; under a time budget alone, rounds that were proposed are kept and those
    that follow depend on the time that is left.

    With `trials`, more networks are then trained in the same study: what they are follows from all
    that is known by then, and from another space or sampler where one is given. Both are recorded.

    >>> import deepwell as dw                        # doctest: +SKIP
    >>> dw.resume("churn").result.dev                # doctest: +SKIP
    Estimate(value=0.186, low=0.167, high=0.207)
    >>> dw.resume("churn", trials=64, space={"learning_rate": dw.log(1e-3, 1e-2)})  # doctest: +SKIP

    Args:
        name: of the study.
        data: what `load` returned for the same rows and options; needed when the study's data
            came from memory, or from a file that is somewhere else now. Else they are read again
            from where they were.
        store: folder or URL; None means `./deepwell`.
        budget: working time from now on, such as `60s` or `5m`, or seconds. None means what was
            left of the study's own budget; where nothing was left of it and a number of networks
            had been asked for, no limit.
        trials: further networks, to be trained when what was begun is done. Where the way changes,
            a `budget` alone will do.
        space: entries that take the place of the space's, or join them, from now on; a whole
            `Space` takes the place of all. Older trials stay, and those that lie in the new space
            are what the sampler goes by.
        constraints: what must hold from now on, beside the space's own constraints.
        search: the sampler from now on.
        given: configurations to try first, as for `Study.enqueue`.
        epochs: further ones for the networks that trained to their last one. Each is trained again
            from its start as a new trial with the same seed, so that its epochs so far come out
            bit for bit, unless its rates depend on the number of epochs (cosine, one_cycle).
        observer: hears what happens.

    Raises:
        UsageError: when there is no such store or study, the data are gone or not the same, or an
            older Deepwell kept too little of the study.
        StudyError: when another process runs the study, or the run fails as a first one may.
        KeyboardInterrupt: when a person stopped before any network was scored.
    """
    seconds, watcher = parse_budget(budget), observer or Observer()
    more = More(trials, space, constraints, search, given, epochs)
    more.check(seconds)
    ran = take_up(name, data, store, Wanted(seconds, more), watcher)
    return concluded(name, store, watcher, ran=ran)


def concluded(
    name: str, store: str | Path | None, observer: Observer, *, ran: bool
) -> FinishedStudy:
    """Return a study that has an outcome, its report written and its outcome told.

    Args:
        name: of the study.
        store: where it is kept.
        observer: hears the outcome.
        ran: whether this process trained; if not, what a run would have told is told too.
    """
    finished = open_study(name, store)
    if ran or finished.report_is_missing():
        finished.write_report()
    _tell(finished.result, observer, already=not ran)
    return finished


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a study that is taken up.

    Attributes:
        seconds: of working time from now on; None for what is left of its own budget.
        more: what is to be done when what was begun is done.
        statuses: that a study may have to be gone on with.
    """

    seconds: float | None = None
    more: More = field(default_factory=More)
    statuses: tuple[str, ...] = ("running", "stopped", "failed")


def take_up(
    name: str, data: Data | None, store: str | Path | None, wanted: Wanted, observer: Observer
) -> bool:
    """Train what is left of a study and what is wanted beyond; return whether there was anything.

    Raises:
        LeaseHeldError: when another process runs it.
        LeaseLostError: when another one has taken it over.
    """
    began, ran, more, seconds = time.perf_counter(), False, wanted.more, wanted.seconds
    with open_store(store, create=False) as opened:
        record = opened.study(name)
        folder = checkpoint_folder(opened, record)
        if more.changes:
            more.settings(from_config(record).settings)  # what cannot be is refused before work
        if record.status in wanted.statuses:
            with leased(opened, record):
                record = opened.study(name)  # another process may just have ended it
                if record.status in wanted.statuses:
                    _go_on(opened, record, data, seconds, observer)
                    ran = True
        longer = seconds is not None and not ran  # time was given to a study that had ended
        further = more.trials or more.epochs or more.changes or longer
        if further and opened.study(name).status == "finished":
            with leased(opened, record):
                spent = time.perf_counter() - began if ran else 0.0
                left = None if seconds is None else max(0.0, seconds - spent)
                data = same_data(opened, record, data)
                extend(opened, opened.study(name), data, more, left)
                _go_on(opened, opened.study(name), data, left, observer, kind="continue")
                ran = True
        if folder.exists() and opened.study(name).status == "finished":  # a kill came after its end
            with contextlib.suppress(LeaseHeldError), leased(opened, record):
                if opened.study(name).status == "finished":
                    discard(folder)
    return ran


def _tell(result: StudyResult, observer: Observer, *, already: bool) -> None:
    """Tell the outcome, and of a study that had ended already what a run would have told too."""
    if already:
        observer.on_data(result.data)
        if result.data_checks is not None:
            observer.on_data_checks(result.data_checks, data_findings(result.data_checks, None))
        if result.checks is not None:
            observer.on_checks(result.checks, check_findings(result.checks))
        observer.on_baselines(result.baselines, result.metric_label, result.percent)
        observer.on_plan(result.plan)
    observer.on_result(result)


def _go_on(
    opened: Store,
    record: StudyRecord,
    data: Data | None,
    budget: float | None,
    observer: Observer,
    kind: str = "resume",
) -> None:
    """Train what is left of a study whose lease is held, and save the outcome."""
    asked = from_config(record)
    _refuse_old(opened, record, anew=kind == "continue")
    data = same_data(opened, record, data)
    leave_file(opened, record, from_config(record), data)
    folds = make_folds(data, asked.settings.folds) if asked.settings.folds else None
    data = data if folds is None else folds.whole
    backend = choose_backend(asked.program, optimizers_of(asked.settings.space))
    engine = engine_of(data, folds, asked.settings.metric, backend, asked.memory)
    observer.on_data(data.facts)  # what cannot go on was refused before
    with contextlib.closing(engine), continued(opened, record) as history:
        past = _go_back(opened, record, engine, kind)
        asked = _with_budget(asked, past, budget)
        carry_out(Job(data, asked, engine, observer, folds), history, past)


def _refuse_old(opened: Store, record: StudyRecord, *, anew: bool) -> None:
    """Refuse what was asked of a run that has ended, and of no other.

    Args:
        opened: the store.
        record: of the study, whose lease is held.
        anew: whether the study had come to its end.
    """
    for old in opened.requests.waiting(record.id):
        if anew or old.kind in ("pause", "resume") or (old.kind, old.trial) == ("stop", None):
            why = "the run that it was asked of has ended"
            opened.requests.carry_out(record.id, refusal(old, why))


def _with_budget(asked: Asked, past: Past, budget: float | None) -> Asked:
    """Return the study's choices with the budget of all its runs together.

    One that is used up is none any more where networks are still to come that were asked for.
    """
    if budget is not None:
        return replace(asked, budget=past.seconds + budget)
    to_come = past.ahead.after(past.population - 1) + past.further
    counted = asked.trials is not None or to_come > 0
    if asked.budget is not None and counted and past.seconds >= asked.budget:
        return replace(asked, budget=None)
    return asked


def _go_back(opened: Store, record: StudyRecord, engine: LocalEngine, kind: str) -> Past:
    """Put records and engine where the study stood at its checkpoint; say what is left to do.

    The act is recorded as an event of this kind.
    """
    position = read_position(opened, record, engine.restore)
    if position is None:
        engine.forget([])
        opened.delete_checkpoint(record.id)
    details = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "from_checkpoint": position is not None,
    }
    opened.roll_back(record.id, DECISIONS, Event(time.time(), kind, details=details))
    rounds = _rounds(opened, record)
    done = 0 if position is None else position.population
    plans: list[Any] = [event.details["facts"] for event in opened.events(record.id, "plan")]
    told = [from_plain(PlanFacts, plan) for plan in plans]
    begun = [place for place, plan in enumerate(told) if plan.rounds]
    left = tuple(one for one in rounds if one.bracket.population >= done)
    contenders = None if position is None else read_contenders(opened, record)
    if position is not None and position.begins:  # nothing of this round was trained
        position = None
    before: list[Any] = [event.details["after"] for event in opened.events(record.id, EXTEND)]
    return Past(
        *(
            record.seconds,
            told[begun[-1] if begun else 0] if told else None,
            left,
            position,
            contenders or {},
        ),
        before=before[-1] if before else 0,
        begins=bool(before) and done == len(rounds),
        population=len(rounds),
        ahead=Ahead(told[begun[-1]].rounds, begun[-1]) if begun else Ahead(),
        further=_further(opened, record, begun[-1]) if begun else 0,
    )


def _further(opened: Store, record: StudyRecord, planned: int) -> int:
    """Return the configurations that a person asked for since a round was planned, of that run.

    Args:
        opened: the store.
        record: of the study.
        planned: the round whose plan says what is ahead.
    """
    asked: list[Any] = [e.details for e in opened.events(record.id, EXTEND_BY_HAND)]
    late = (one for one in asked if one["population"] >= planned)
    return sum(one["trials"] or 0 for one in late)


def _rounds(opened: Store, record: StudyRecord) -> list[Round]:
    """Return the rounds of a study as they were proposed and planned."""
    specs: dict[int, TrialSpec] = {t.number: t.spec for t in opened.trials(record.id)}
    sources = History(opened, record).sources()
    proposed: list[Any] = [event.details for event in opened.events(record.id, "propose")]
    planned: list[Any] = [event.details for event in opened.events(record.id, "plan")]
    extended: list[Any] = [event.details for event in opened.events(record.id, EXTEND_BY_HAND)]
    rounds: list[Round] = []
    # A copy that a person made of a scheduler's copy goes back to that one where it is gone.
    roots = {n: root(sources, n) for n in sources}
    ends = [*(told["first"] for told in proposed), math.inf][1:]
    for told, plan, end in zip(proposed, planned, ends, strict=True):
        proposals = range(told["first"], told["first"] + told["networks"])
        copies = {n: source for n, source in sources.items() if told["first"] <= roots[n] < end}
        longer = [one["rungs"] for one in extended if one["population"] == told["population"]]
        rungs = tuple(Rung(*rung) for rung in (longer or [told["rungs"]])[-1])
        bracket = Bracket(told["population"], {n: specs[n] for n in (*proposals, *copies)}, rungs)
        rounds.append(Round(bracket, from_plain(Plan, plan["plan"]), sources=copies))
    return rounds
