"""The course of a run, first or resumed: plan, baselines, rounds of training, the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from deepwell.data._data import Data
from deepwell.data._folds import Folds
from deepwell.diagnosis._metrics import METRICS, Metric
from deepwell.execution._local import LocalEngine
from deepwell.execution._planner import Plan
from deepwell.records import (
    FirstSteps,
    PlanFacts,
    Progress,
    StudyResult,
    TrialSpec,
    from_plain,
)

from ._arrays import score_scale
from ._asked import Asked
from ._baselines import (
    PendingBaselines,
    SimpleModel,
    fit_baselines,
    fit_baselines_of_folds,
)
from ._bracket import Watch, train_bracket
from ._budget import Clock
from ._checkpoint import Checkpoints, Position
from ._conclude import BY_CLOCK, conclude
from ._contenders import Contenders
from ._data_checks import PendingDataChecks, data_findings
from ._first_steps import check_findings, checked
from ._history import History, Round
from ._interrupt import BY_USER, interruptible
from ._more import EXTEND
from ._observer import Observer
from ._rounds import first_round, further_round, next_round, plan_facts
from ._run import Run, Work
from ._settings import probing_of, scheduler_of
from ._train_again import train_again
from ._work import round_size


@dataclass(frozen=True)
class Job:
    """What is to be done, with what, who hears of it; with folds `data` holds all rows."""

    data: Data
    asked: Asked
    engine: LocalEngine
    observer: Observer
    folds: Folds | None = None


@dataclass(frozen=True)
class Past:
    """What earlier runs of the study left.

    Attributes:
        seconds: their working time.
        facts: the plan as it was told, or None when nothing was proposed.
        rounds: those that are not done, first to last.
        position: where the first of them stands; None at its start.
        contenders: what the best networks said, as arrays.
        before: trials that were there when the study was last asked for more after its end; 0 for
            a study that never was.
        begins: whether the next round is still to be proposed.
        population: its number.
    """

    seconds: float = 0.0
    facts: PlanFacts | None = None
    rounds: tuple[Round, ...] = ()
    position: Position | None = None
    contenders: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    before: int = 0
    begins: bool = False
    population: int = 0


def carry_out(job: Job, history: History, past: Past) -> StudyResult:
    """Train what is left to be trained, and return the outcome, saved.

    Args:
        job: what is to be done.
        history: the study in its store.
        past: what earlier runs left; a first run has none.

    Raises:
        StudyError: when no network reached a finite dev score, or the store failed.
        KeyboardInterrupt: when a person stopped before any network was scored.
    """
    clock = Clock(job.asked.budget, past.seconds)
    rounds, facts = past.rounds, past.facts
    proposed: Round | None = None
    if facts is None or past.begins:
        proposed = _next(job, history, past, clock)
        rounds, facts = (proposed,), plan_facts(job.asked, job.engine, proposed, job.data)
    for one in rounds[:1]:  # what has to be compiled is begun at once
        _prepare(job, one, past.position)
    metric = METRICS[job.asked.settings.metric]
    baselines = _pending_baselines(job, metric)
    rows = PendingDataChecks(job.data, job.folds, history)
    checks = _checked(job, history, rounds, rows)
    contenders = _contenders(job, past)
    job.observer.on_plan(facts)
    with interruptible() as interrupt:
        watch = Watch(
            progress=lambda progress: _tell(job.observer, progress, baselines),
            stop=lambda: interrupt.asked or clock.over(),
            clock=clock,
            scale=score_scale(job.data, metric.name),
            percent=metric.percent,
            expected_seconds=facts.seconds or 0.0,
            checkpoints=Checkpoints(history, job.engine, clock.seconds, contenders),
            probing=probing_of(job.asked.settings),
            contenders=contenders,
        )
        if proposed is not None:
            history.propose(proposed, facts)
        _train(job, history, rounds, past.position, watch)
        train_again(job.engine, history, contenders, past.before, watch.stop)
        stopped = BY_USER if interrupt.asked else ""
        if not stopped and job.asked.trials is not None and history.interrupted():
            stopped = BY_CLOCK
        simple = baselines.wait()
        run = Run(
            *(job.data, job.asked.settings, metric, facts, history, job.engine, simple),
            folds=job.folds,
            memory=job.asked.memory,
            checks=checks,
            data_checks=rows.wait(),
            contenders=contenders,
        )
        return conclude(run, _work(history, clock), stopped)


def _next(job: Job, history: History, past: Past, clock: Clock) -> Round:
    """Return the round to propose: the study's first, or the first after its end."""
    if past.facts is None:
        return first_round(job.asked, job.engine)
    return further_round(job.asked, job.engine, history.trials(), clock, past.population)


def _contenders(job: Job, past: Past) -> Contenders:
    """Return who remembers what the best networks say, with what earlier runs remembered."""
    contenders = Contenders(job.engine, job.asked.settings.folds)
    if past.contenders:
        contenders.restore(past.contenders)
    return contenders


def _prepare(job: Job, one: Round, position: Position | None) -> None:
    """Begin to compile the programs of a round, or those that its trials still need."""
    plan = one.plan
    if position is not None:
        alive = set(position.alive)
        plan = replace(plan, buckets=tuple(b for b in plan.buckets if alive & set(b.trials)))
    job.engine.prepare(one.bracket.specs, plan)


def _checked(
    job: Job, history: History, rounds: Sequence[Round], rows: PendingDataChecks
) -> FirstSteps | None:
    """Check the first steps of a network before all are trained, and tell what they showed.

    The rows are checked beside them, and told in the same lines.
    """
    specs: Mapping[int, TrialSpec] = rounds[0].bracket.specs if rounds else {}
    data = job.data if job.folds is None else job.folds.data(0)
    found = checked(data, specs, job.engine, history)
    of_rows = rows.wait()
    job.observer.on_data_checks(of_rows, data_findings(of_rows, None))
    if found is not None:
        job.observer.on_checks(found, check_findings(found))
    return found


def _pending_baselines(job: Job, metric: Metric) -> PendingBaselines:
    """Return the simple models, at work in a thread and told when they are there."""

    def tell(fitted: tuple[SimpleModel, ...]) -> None:
        shown = tuple(simple.shown for simple in fitted)
        job.observer.on_baselines(shown, metric.label, metric.percent)

    seed = job.asked.settings.seed
    if job.folds is not None:
        folds = job.folds
        return PendingBaselines(lambda: fit_baselines_of_folds(folds, metric, seed), tell)
    return PendingBaselines(lambda: fit_baselines(job.data, metric, seed), tell)


def _tell(observer: Observer, progress: Progress, baselines: PendingBaselines) -> None:
    if progress.share > 0:
        baselines.begin()
    baselines.tell_if_ready()
    observer.on_progress(progress)


def _train(
    job: Job,
    history: History,
    rounds: Sequence[Round],
    position: Position | None,
    watch: Watch,
) -> None:
    """Train the rounds that are left, and further ones while a budget without trials lasts."""
    scheduler, folds = scheduler_of(job.asked.settings), job.asked.settings.folds or 1
    for one in rounds:
        if one is not rounds[0] and watch.stop():
            history.interrupt(sorted(one.bracket.specs), 0)
            continue
        _prepare(job, one, position)
        train_bracket(one.bracket, job.engine, history, scheduler, watch, position)
        position = None
    while job.asked.trials is None and watch.clock.budget is not None and not watch.stop():
        past = history.trials()
        count = round_size(watch.clock.left(), watch.clock.seconds() * folds / len(past))
        if count == 0:
            return
        population = len(history.store.events(history.record.id, "propose"))
        one = next_round(job.asked, job.engine, past, count, population)
        job.engine.prepare(one.bracket.specs, one.plan)
        history.propose(one, plan_facts(job.asked, job.engine, one, job.data))
        train_bracket(one.bracket, job.engine, history, scheduler, watch)


def _work(history: History, clock: Clock) -> Work:
    """Return what the study cost so far, from its events."""
    store, study = history.store, history.record.id
    planned: list[Any] = [event.details["plan"] for event in store.events(study, "plan")]
    plans = [from_plain(Plan, plan) for plan in planned]
    programs = {bucket.structure: bucket.programs for plan in plans for bucket in plan.buckets}
    resumes: list[Any] = [event.details for event in store.events(study, "resume")]
    return Work(
        seconds=clock.seconds(),
        programs=sum(programs.values()),
        resumed=len(resumes),
        repeated_seconds=float(sum(details["repeated_seconds"] for details in resumes)),
        extended=len(store.events(study, EXTEND)),
    )
