"""The recipe as an experiment, cycle by cycle: measure the remedies, go on from the best, stop."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from deepwell._base._errors import StudyError, UsageError
from deepwell._base._hyperparameters import Value
from deepwell.data._data import Data
from deepwell.diagnosis._improvement_findings import diagnose_improvement
from deepwell.diagnosis._recipe import verdict_from_scores, verdict_of
from deepwell.records import Cycle, Event, Improvement, RemedyPlan, TrialSpec, to_plain
from deepwell.storage._open import open_store

from ._beside import beside
from ._budget import Clock
from ._conclude import BY_CLOCK
from ._cycle_told import cycle_told
from ._experiment import Race, Told
from ._finished import FinishedStudy
from ._improve_plan import Step, engine_for, planned, rows_of
from ._improve_subject import Subject, Wanted, subject_of
from ._in_store import in_store
from ._interrupt import BY_USER, interruptible
from ._observer import Observer
from ._save_improved import Improved, save_improved

_MOST_CYCLES = 8


def improve_study(
    study: FinishedStudy,
    store: str | Path | None,
    asked_for: Wanted,
    data: Data | None = None,
    observer: Observer | None = None,
) -> Improvement:
    """Return what the remedies do to a study's best network, the best of them saved as a study.

    Args:
        study: that has a result; it stays as it is.
        store: where it is kept.
        asked_for: what to do.
        data: its rows; None reads them again from where they came.
        observer: hears what happens.

    Raises:
        UsageError: when the rows are not to be had or not those of the study, it has no such
            finding, no remedy applies, or the budget has no room for one.
        StudyError: when the unchanged network cannot be trained again.
    """
    subject = subject_of(study, store, asked_for, data, observer or Observer())
    began = time.perf_counter()
    clock = Clock(subject.budget())
    cycles: list[Cycle] = []
    step: Step | None = Step(1, subject.base, verdict_of(subject.result.findings))
    while step is not None:
        cycle, step = _cycle(subject, step, clock)
        if cycle is not None:
            cycles.append(cycle)
            subject.observer.on_cycle(cycle, subject.result)
    stopped = cycles[-1].stopped if cycles else ""
    values = _ended_with(subject.base, cycles)
    saved = Improved()
    if asked_for.save and stopped != BY_USER and any(cycle.winner for cycle in cycles):
        saved = _save(subject, values, cycles)
    found = Improvement(
        study=subject.result.name,
        metric=subject.result.metric,
        metric_label=subject.result.metric_label,
        percent=subject.result.percent,
        cycles=tuple(cycles),
        hyperparameters=values,
        improved=saved.name,
        new=saved.new,
        old=subject.result.dev,
        versus=saved.versus,
        seconds=time.perf_counter() - began,
        stopped=stopped,
        beside=beside(study, store),
    )
    found = replace(found, findings=tuple(diagnose_improvement(found, subject.worth)))
    _note(subject, found)
    return replace(found, findings=tuple(in_store(found.findings, store)))


def plan_improvement(
    study: FinishedStudy, store: str | Path | None, asked_for: Wanted, data: Data | None = None
) -> RemedyPlan:
    """Return what `improve_study` would do first; trains and writes nothing."""
    subject = subject_of(study, store, asked_for, data, Observer())
    step = Step(1, subject.base, verdict_of(subject.result.findings))
    rows = rows_of(subject)
    with contextlib.closing(engine_for(subject, rows)) as engine:
        return planned(subject, step, rows, engine, subject.budget())[0]


def _cycle(subject: Subject, step: Step, clock: Clock) -> tuple[Cycle | None, Step | None]:
    """Return one experiment, and where the next one begins; None where there is no more."""
    rows = rows_of(subject)
    began = time.perf_counter()
    with contextlib.closing(engine_for(subject, rows)) as engine:
        try:
            plan, experiment = planned(subject, step, rows, engine, clock.left())
        except UsageError:
            if step.cycle == 1:
                raise
            return None, None  # no time, or no remedy, for one more
        subject.observer.on_remedies(plan)
        with interruptible() as interrupt:
            told = Told(
                progress=subject.observer.on_progress,
                stop=lambda: interrupt.asked or clock.over(),
                seconds_left=lambda: _left(plan.seconds, began, clock),
                percent=subject.result.percent,
            )
            race = Race(experiment, engine, told)
            effects = race.run()
            stopped = BY_USER if interrupt.asked else BY_CLOCK if clock.over() else ""
    if not race.tallies[0].sums and not stopped:
        raise StudyError(
            f"the best network of study {subject.result.name} {race.tallies[0].failure} when it "
            "was trained again, so no remedy can be compared with it"
        )
    cycle = cycle_told(plan, experiment, race.tallies, effects, stopped)
    cycle = replace(cycle, seconds=time.perf_counter() - began)
    return cycle, _next(subject, step, cycle)


def _left(expected: float, began: float, clock: Clock) -> float:
    return max(0.0, min(expected - (time.perf_counter() - began), clock.left()))


def _next(subject: Subject, step: Step, cycle: Cycle) -> Step | None:
    """Return where the next cycle begins: at the winner, unless there is none or it is over."""
    if not cycle.winner or cycle.stopped or step.cycle == _MOST_CYCLES:
        return None
    arm = next(a for a in cycle.arms if a.name == cycle.winner)
    values = {**step.base.hyperparameters, **arm.change}
    best = subject.asked.settings.best_possible or 0.0
    verdict = verdict_from_scores(arm.train, arm.dev, best, subject.material)
    base = TrialSpec(values, step.base.seed, step.base.order_seed, step.base.dtype)
    return Step(step.cycle + 1, base, verdict)


def _ended_with(base: TrialSpec, cycles: Sequence[Cycle]) -> dict[str, Value]:
    values = dict(base.hyperparameters)
    for cycle in cycles:
        for arm in cycle.arms:
            if arm.name == cycle.winner:
                values.update(arm.change)
    return values


def _save(subject: Subject, values: Mapping[str, Value], cycles: Sequence[Cycle]) -> Improved:
    names = ", ".join(cycle.winner for cycle in cycles if cycle.winner)
    parent = f"{subject.result.name} by {names}"
    return save_improved(
        subject.data, subject.folds, subject.asked, values, parent, subject.result, subject.store
    )


def _note(subject: Subject, found: Improvement) -> None:
    """Keep what was measured with the study that it is about."""
    with open_store(subject.store, create=False) as opened:
        record = opened.study(subject.result.name)
        event = Event(time.time(), "improve", details=to_plain(found))
        opened.append_event(record.id, event)
