"""The course of a run, first or resumed: plan, baselines, rounds of training, the result."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
    to_plain,
)

from ._ahead import Ahead
from ._arrays import score_scale
from ._asked import Asked
from ._baselines import (
    PendingBaselines,
    SimpleModel,
    fit_baselines,
    fit_baselines_of_folds,
)
from ._bracket import train_bracket
from ._budget import Clock
from ._checkpoint import Checkpoints, Position
from ._conclude import BY_CLOCK, conclude
from ._contenders import Contenders
from ._data_checks import PendingDataChecks, data_findings
from ._desk import Desk
from ._first_steps import check_findings, checked
from ._forks import lineage
from ._history import History, Round
from ._interrupt import BY_USER, interruptible
from ._made_with import record_machine
from ._more import EXTEND
from ._observer import Observer
from ._on_the_way import without_nudged
from ._retention import Retention
from ._round_sizes import budget_share
from ._rounds import dealt, further_sizes, learns, next_round, plan_facts, sizes_ahead
from ._run import Run, Work
from ._settings import probing_of, scheduler_of
from ._settled import ROUND, SETTLED, outlook
from ._train_again import train_again
from ._watch import Deciding, Watch
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
        ahead: the rounds that were planned.
        further: configurations that a person asked for beyond them.
    """

    seconds: float = 0.0
    facts: PlanFacts | None = None
    rounds: tuple[Round, ...] = ()
    position: Position | None = None
    contenders: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    before: int = 0
    begins: bool = False
    population: int = 0
    ahead: Ahead = field(default_factory=Ahead)
    further: int = 0


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
    record_machine(history, job.engine.name)
    rounds, facts = past.rounds, past.facts
    proposed, ahead = None, past.ahead
    if facts is None or past.begins:
        ahead = Ahead(_sizes(job, history, past, clock), past.population)
        proposed = _next(job, history, ahead.sizes[0], past.population)
        rounds = (proposed,)
        facts = plan_facts(job.asked, job.engine, proposed, job.data, ahead.sizes)
    for one in rounds[:1]:  # what has to be compiled is begun at once
        _prepare(job, one, past.position, history.nudged())
    metric = METRICS[job.asked.settings.metric]
    baselines = _pending_baselines(job, metric)
    rows = PendingDataChecks(job.data, job.folds, history)
    checks = _checked(job, history, rounds, rows)
    contenders = _contenders(job, past)
    job.observer.on_plan(facts)
    checkpoints = Checkpoints(history, job.engine, clock.seconds, contenders)
    desk = Desk(history, job.engine, checkpoints, clock, job.asked, ahead, past.further)
    with interruptible() as interrupt:
        watch = Watch(
            progress=lambda progress: _tell(job.observer, progress, baselines),
            stop=lambda: interrupt.asked or desk.stopping or clock.over(),
            clock=clock,
            scale=score_scale(job.data, metric.name),
            percent=metric.percent,
            expected_seconds=facts.seconds or 0.0,
            checkpoints=checkpoints,
            probing=probing_of(job.asked.settings),
            contenders=contenders,
            desk=desk,
            retention=Retention(history, job.engine),
        )
        if proposed is not None:
            history.propose(proposed, facts)
        missing = _train(job, history, rounds, past.position, watch)
        desk.close()
        job = replace(job, asked=desk.asked)
        train_again(job.engine, history, contenders, past.before, watch.stop)
        stopped = BY_USER if interrupt.asked or desk.stopping else ""
        if not stopped and (missing or _cut_short(job.asked, history, past)):
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


def _cut_short(asked: Asked, history: History, past: Past) -> bool:
    """Return whether networks were cut short of which a number had been asked for."""
    return asked.trials is not None and history.interrupted(past.before)


def _sizes(job: Job, history: History, past: Past, clock: Clock) -> tuple[int, ...]:
    """Return the rounds of a study, or those that come after its end."""
    if past.facts is None:
        return sizes_ahead(job.asked, job.engine)
    return further_sizes(job.asked, history.proposed(), clock)


def _next(job: Job, history: History, count: int, population: int) -> Round:
    """Return the next round of proposals."""
    past, copies = without_nudged(history, history.trials()), history.sources()
    return next_round(job.asked, job.engine, past, count, population, copies)


def _contenders(job: Job, past: Past) -> Contenders:
    """Return who remembers what the best networks say, with what earlier runs remembered."""
    contenders = Contenders(job.engine, job.asked.settings.folds)
    if past.contenders:
        contenders.restore(past.contenders)
    return contenders


def _prepare(job: Job, one: Round, position: Position | None, nudged: Collection[int]) -> None:
    """Begin to compile the programs of a round, or those that its trials still need.

    Args:
        job: what is done.
        one: the round.
        position: where it stands.
        nudged: the trials that were changed by hand.
    """
    plan = one.plan
    copies = lineage(one.sources, one.bracket.specs if position is None else position.alive)
    if position is not None:
        needed = {*position.alive, *(source for _, source in copies)}
        plan = replace(plan, buckets=tuple(b for b in plan.buckets if needed & set(b.trials)))
    job.engine.prepare(one.bracket.specs, plan)
    for number, source in copies:
        job.engine.adopt(source, number, one.bracket.specs[number])
    needed = set(one.bracket.specs if position is None else position.alive)
    for number in sorted(needed.intersection(nudged)):  # it may need another program since
        job.engine.change(number, one.bracket.specs[number])


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
) -> bool:
    """Train the rounds that are left, those still to be proposed included.

    Returns:
        Whether rounds that were planned are missing, since the run was stopped before them.
    """
    settings, desk = job.asked.settings, watch.desk
    deciding = Deciding(scheduler_of(settings), settings.seed)
    for one in rounds:
        if one is not rounds[0] and watch.stop():
            history.interrupt(sorted(one.bracket.specs), 0)
            continue
        _prepare(job, one, position, history.nudged())
        heard = replace(watch, part=desk.ahead.part(one.bracket.population))
        train_bracket(one.bracket, job.engine, history, deciding, heard, position)
        position = None
    while True:
        population = len(history.store.events(history.record.id, "propose"))
        job = replace(job, asked=desk.asked)  # which a person may have changed meanwhile
        begins = not desk.ahead.count(population) and desk.further > 0
        if begins:
            sizes = dealt(job.asked, desk.further)
            desk.ahead, desk.further = Ahead(sizes, population), 0
        planned = desk.ahead.count(population)
        if watch.stop():
            return planned > 0
        count = planned or _affordable(job, history, watch.clock)
        if count == 0 or _settled(job, history, watch, count):
            return False
        one = _next(job, history, count, population)
        job.engine.prepare(one.bracket.specs, one.plan)
        facts = plan_facts(
            *(job.asked, job.engine, one, job.data),
            sizes=desk.ahead.sizes if begins else (),
        )
        history.propose(one, facts)
        heard = replace(watch, part=desk.ahead.part(population))
        train_bracket(one.bracket, job.engine, history, deciding, heard)


def _settled(job: Job, history: History, watch: Watch, count: int) -> bool:
    """Return whether a run that is to end then has no more to expect of another round."""
    if not job.asked.until_settled:
        return False
    settings = job.asked.settings
    metric = METRICS[settings.metric]
    ahead = max(count, ROUND)  # a few networks more never bring much
    found = outlook(job.data, metric, settings.space, history, watch.contenders, job.folds, ahead)
    if found.pays is not False:
        return False
    history.note(SETTLED, to_plain(found))
    return True


def _affordable(job: Job, history: History, clock: Clock) -> int:
    """Return the configurations that a budget without a number of networks has time for."""
    settings = job.asked.settings
    if job.asked.trials is not None or clock.budget is None:
        return 0
    done = history.proposed()
    each = clock.seconds() / done
    return round_size(clock.left(), each, budget_share(learns(settings)), done)


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
