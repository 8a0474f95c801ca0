"""The recipe as an experiment, cycle by cycle: measure the remedies, go on from the best, stop."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deepwell._base._constraints import IntegerInterval
from deepwell._base._errors import StudyError, UsageError
from deepwell._base._hyperparameters import Value
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.data._folds import Folds, make_folds
from deepwell.diagnosis._arm_effects import ArmEffect
from deepwell.diagnosis._bias_variance import material_size
from deepwell.diagnosis._improvement_findings import diagnose_improvement
from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._recipe import (
    Verdict,
    recipe,
    remedies_for,
    verdict_from_scores,
    verdict_of,
)
from deepwell.diagnosis._remedies import Patient, Treatment, treatment, treatments
from deepwell.diagnosis._winner import crossfitted_gain, largest_gain, winner
from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.records import (
    Cycle,
    Event,
    Finding,
    Improvement,
    RemedyArm,
    RemedyPlan,
    StudyResult,
    TrialSpec,
    to_plain,
)
from deepwell.search.spaces._distribution import plain
from deepwell.storage._open import open_store

from ._asked import Asked, from_config
from ._budget import Clock, parse_budget
from ._conclude import BY_CLOCK
from ._experiment import Experiment, Race, Tally, Told, mean
from ._experiment_cost import affordable_arms, arm_seconds, experiment_seconds
from ._experiment_rows import ExperimentRows, experiment_rows
from ._finished import FinishedStudy
from ._interrupt import BY_USER, interruptible
from ._observer import Observer
from ._same_data import same_data
from ._save_improved import Improved, save_improved

REPLICATES = IntegerInterval(4, 256)  # two for each half of the dev rows tell a spread
DEFAULT_REPLICATES = 8
_USUAL_SECONDS = 60.0
_MOST_CYCLES = 8
_CALL = 'open_study("{}").improve(data=load(...))'


@dataclass(frozen=True)
class Wanted:
    """What an improvement is asked to do.

    Attributes:
        apply: code of a finding whose remedies are tried; None tries the whole recipe.
        budget: seconds; None takes a minute, or as long as the study took.
        replicates: networks of each arm, at most.
        save: whether the best configuration is trained as a new study.
    """

    apply: str | None = None
    budget: float | None = None
    replicates: int = DEFAULT_REPLICATES
    save: bool = True


def wanted(
    apply: str | None, budget: str | float | None, replicates: int | None, save: bool
) -> Wanted:
    """Return what was asked, checked.

    Raises:
        UsageError: when a value is out of its range, or the code has no remedies.
    """
    number = plain(DEFAULT_REPLICATES if replicates is None else replicates)
    if not REPLICATES.accepts(number):
        shown = safe_text(repr(replicates))
        raise UsageError(f"`replicates` must be {REPLICATES.describe()}, got {shown}")
    if apply is not None:
        remedies_for(str(apply))
    assert isinstance(number, int)
    return Wanted(apply, parse_budget(budget), number, save)


@dataclass(frozen=True, eq=False)
class Subject:
    """The study that is improved.

    Attributes:
        result: its outcome; asked: what it was asked to do; base: its best network.
        data: its rows, with folds those of all.
        store: where it is kept.
    """

    result: StudyResult
    asked: Asked
    base: TrialSpec
    data: Data
    folds: Folds | None
    store: str | Path | None
    wanted: Wanted
    observer: Observer

    @property
    def material(self) -> float:
        """The gap between scores that counts."""
        constant = self.result.baselines[0].estimate.value
        metric = METRICS[self.result.metric]
        return material_size(metric, constant, self.asked.settings.best_possible)

    @property
    def worth(self) -> float:
        """The gain that counts: a tenth of what is left, for shares at least 1 point."""
        left = self.result.dev.value - (self.asked.settings.best_possible or 0.0)
        least = 0.01 if METRICS[self.result.metric].bounded else 0.0
        return min(self.material, max(0.1 * left, least))

    def budget(self) -> float:
        """Return the seconds that all cycles may take: what was said, or about those of a fit."""
        return self.wanted.budget or max(_USUAL_SECONDS, self.result.seconds)


@dataclass(frozen=True)
class _Step:
    """Where a cycle begins: a network, and which of its errors is high."""

    cycle: int
    base: TrialSpec
    verdict: Verdict


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
    subject = _subject(study, store, asked_for, data, observer or Observer())
    began = time.perf_counter()
    clock = Clock(subject.budget())
    cycles: list[Cycle] = []
    step: _Step | None = _Step(1, subject.base, verdict_of(subject.result.findings))
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
    )
    found = replace(found, findings=tuple(diagnose_improvement(found, subject.worth)))
    _note(subject, found)
    return found


def plan_improvement(
    study: FinishedStudy, store: str | Path | None, asked_for: Wanted, data: Data | None = None
) -> RemedyPlan:
    """Return what `improve_study` would do first; trains and writes nothing."""
    subject = _subject(study, store, asked_for, data, Observer())
    step = _Step(1, subject.base, verdict_of(subject.result.findings))
    rows = _rows(subject)
    with contextlib.closing(_engine(subject, rows)) as engine:
        return _planned(subject, step, rows, engine, subject.budget())[0]


def _subject(
    study: FinishedStudy,
    store: str | Path | None,
    asked_for: Wanted,
    data: Data | None,
    observer: Observer,
) -> Subject:
    result = study.result
    if asked_for.apply is not None:
        _finding(result.findings, asked_for.apply, result.name)
    base = study.trials()[result.best_trial].spec
    base = TrialSpec(base.hyperparameters, base.seed, base.order_seed, base.dtype)
    with open_store(store, create=False) as opened:
        record = opened.study(result.name)
        asked = from_config(record)
        rows = same_data(opened, record, data, _CALL)
    folds = make_folds(rows, asked.settings.folds) if asked.settings.folds else None
    whole = rows if folds is None else folds.whole
    return Subject(result, asked, base, whole, folds, store, asked_for, observer)


def _finding(findings: Sequence[Finding], code: str, name: str) -> Finding:
    """Return the study's finding of that code.

    Raises:
        UsageError: when it has none.
    """
    for finding in findings:
        if finding.code == code:
            return finding
    known = sorted({f.code for f in findings if f.level != "ok"})
    others = f"; it has {', '.join(known)}" if known else ""
    raise UsageError(
        f"study {name} has no finding {code}{others}; leave out the code for the whole recipe"
    )


def _rows(subject: Subject) -> ExperimentRows:
    settings = subject.asked.settings
    metric = METRICS[settings.metric]
    return experiment_rows(subject.data, subject.folds, metric, settings.seed, subject.asked.memory)


def _engine(subject: Subject, rows: ExperimentRows) -> LocalEngine:
    backend = choose_backend(subject.asked.program, [subject.base.text("optimizer")])
    return LocalEngine(rows.training_rows(), rows.shape(), backend, subject.asked.memory)


def _cycle(subject: Subject, step: _Step, clock: Clock) -> tuple[Cycle | None, _Step | None]:
    """Return one experiment, and where the next one begins; None where there is no more."""
    rows = _rows(subject)
    began = time.perf_counter()
    with contextlib.closing(_engine(subject, rows)) as engine:
        try:
            plan, experiment = _planned(subject, step, rows, engine, clock.left())
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
    cycle = _told(plan, experiment, race.tallies, effects, stopped)
    cycle = replace(cycle, seconds=time.perf_counter() - began)
    return cycle, _next(subject, step, cycle)


def _left(expected: float, began: float, clock: Clock) -> float:
    return max(0.0, min(expected - (time.perf_counter() - began), clock.left()))


def _next(subject: Subject, step: _Step, cycle: Cycle) -> _Step | None:
    """Return where the next cycle begins: at the winner, unless there is none or it is over."""
    if not cycle.winner or cycle.stopped or step.cycle == _MOST_CYCLES:
        return None
    arm = next(a for a in cycle.arms if a.name == cycle.winner)
    values = {**step.base.hyperparameters, **arm.change}
    best = subject.asked.settings.best_possible or 0.0
    verdict = verdict_from_scores(arm.train, arm.dev, best, subject.material)
    base = TrialSpec(values, step.base.seed, step.base.order_seed, step.base.dtype)
    return _Step(step.cycle + 1, base, verdict)


def _treatments(subject: Subject, step: _Step, program: str) -> list[Treatment]:
    """Return the remedies to try, in the order of the recipe."""
    values = step.base.hyperparameters
    image, task = subject.data.image, subject.data.task.kind
    patient = Patient(values, task, image, convolves=program == "jax")
    code = subject.wanted.apply
    if code is None:
        return treatments(patient, recipe(step.verdict))
    found = treatments(patient, remedies_for(code))
    finding = _finding(subject.result.findings, code, subject.result.name)
    change = finding.evidence.get("values")
    if step.cycle == 1 and isinstance(change, Mapping):
        first = treatment(f"as-{code}-says", "finding", patient, change)  # type: ignore[arg-type]
        if first.change:
            found = [first, *(one for one in found if one.change != first.change)]
    return found


def _planned(
    subject: Subject, step: _Step, rows: ExperimentRows, engine: LocalEngine, seconds: float
) -> tuple[RemedyPlan, Experiment]:
    """Return the experiment that a time has room for.

    Raises:
        UsageError: when no remedy applies, or there is room for none.
    """
    every = _treatments(subject, step, engine.name)
    if not every:
        raise UsageError(
            f"no remedy for {subject.wanted.apply} applies to this network; leave out the code for "
            "the whole recipe"
        )
    settings, replicates = subject.asked.settings, subject.wanted.replicates
    whole = Experiment(step.base, tuple(every), rows, replicates, step.cycle, settings.seed)
    folds, shape, machine = len(rows.sides[0]), engine.shape, engine.machine
    each = [
        arm_seconds(whole.spec(arm, 0, 0), shape, machine, folds)
        + (machine.compile_seconds if engine.name == "jax" else 0.0) / replicates
        for arm in range(whole.arms)
    ]
    chosen = affordable_arms(each[0], each[1:], whole.rungs, seconds)
    if not chosen:
        least = experiment_seconds(each[0], [min(each[1:])], whole.rungs)
        raise UsageError(
            f"the budget has no room for one remedy: {replicates} networks with it and as many "
            f"without take about {math.ceil(least)} s, and there are {max(0, int(seconds))} s; "
            "give more `budget`"
        )
    experiment = replace(whole, treatments=tuple(every[place] for place in chosen))
    left = [one for place, one in enumerate(every) if place not in chosen]
    epochs = step.base.number("epochs")
    plan = RemedyPlan(
        cycle=step.cycle,
        verdict=_verdict_words(subject, step),
        base=dict(step.base.hyperparameters),
        arms={one.name: one.words for one in experiment.treatments},
        left_out={one.name: one.words for one in left},
        rungs=experiment.rungs,
        networks=len(experiment.specs()),
        program=engine.name,
        programs=engine.plan(experiment.specs(), epochs).programs,
        seconds=experiment_seconds(each[0], [each[1 + p] for p in chosen], experiment.rungs),
        budget=subject.budget(),
        dev_rows=rows.measured_rows,
        halved=rows.halved,
    )
    return plan, experiment


def _verdict_words(subject: Subject, step: _Step) -> str:
    code = subject.wanted.apply
    return f"for {code}" if code else step.verdict.words()


def _told(
    plan: RemedyPlan,
    experiment: Experiment,
    tallies: Sequence[Tally],
    effects: Sequence[ArmEffect | None],
    stopped: str,
) -> Cycle:
    """Return what an experiment showed."""
    arms = [
        _arm(one, tally, effect)
        for one, tally, effect in zip(experiment.treatments, tallies[1:], effects, strict=True)
    ]
    ended = [
        place
        for place, effect in enumerate(effects)
        if effect is not None and not tallies[1 + place].stopped_at
    ]
    racing = [one for place in ended if (one := effects[place]) is not None]
    place = winner(racing)
    best = "" if place is None else arms[ended[place]].name
    known = [one for one in effects if one is not None and math.isfinite(one.error)]
    unchanged = Treatment("unchanged", "", {}, "the network as it is")
    return Cycle(
        plan=plan,
        base=_arm(unchanged, tallies[0], None),
        arms=tuple(sorted(arms, key=_rank)),
        winner=best,
        gain=crossfitted_gain(racing) if best else None,
        largest=largest_gain(known) if known else math.nan,
        networks=sum(tally.networks for tally in tallies),
        seconds=0.0,
        stopped=stopped,
    )


def _arm(one: Treatment, tally: Tally, effect: ArmEffect | None) -> RemedyArm:
    return RemedyArm(
        name=one.name,
        kind=one.kind,
        words=one.words,
        change=dict(one.change),
        effect=None if effect is None else effect.effect,
        p_best=0.0 if effect is None else effect.p_best,
        seconds=tally.core_seconds / tally.networks if tally.networks else 0.0,
        parameters=tally.parameters,
        train=mean(tally.train),
        dev=mean(tally.dev),
        replicates=len(tally.sums),
        stopped_at=tally.stopped_at,
        verdict=_verdict(tally, effect) if one.kind else "",
    )


def _verdict(tally: Tally, effect: ArmEffect | None) -> str:
    if effect is None:
        return tally.failure or "not measured"
    if effect.effect.low > 0:
        return "hurts"
    if effect.effect.high < 0 and not tally.stopped_at:
        return "helps"
    return "no clear change"


def _rank(arm: RemedyArm) -> tuple[bool, bool, float]:
    value = math.inf if arm.effect is None else arm.effect.value
    return arm.effect is None, bool(arm.stopped_at), value


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
