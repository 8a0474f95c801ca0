"""Which remedies an improvement tries next, within the time that is left."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from deepwell._base._errors import UsageError
from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._recipe import Verdict, recipe, remedies_for
from deepwell.diagnosis._remedies import Patient, Treatment, treatment, treatments
from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.records import RemedyPlan, TrialSpec

from ._experiment import Experiment
from ._experiment_cost import affordable_arms, arm_seconds, experiment_seconds
from ._experiment_rows import ExperimentRows, experiment_rows
from ._improve_subject import Subject, finding_of


@dataclass(frozen=True)
class Step:
    """Where a cycle begins: a network, and which of its errors is high."""

    cycle: int
    base: TrialSpec
    verdict: Verdict


def rows_of(subject: Subject) -> ExperimentRows:
    """Return the rows that train and measure."""
    settings = subject.asked.settings
    metric = METRICS[settings.metric]
    return experiment_rows(subject.data, subject.folds, metric, settings.seed, subject.asked.memory)


def engine_for(subject: Subject, rows: ExperimentRows) -> LocalEngine:
    """Return what trains the arms: the program that trained the study."""
    backend = choose_backend(subject.asked.program, [subject.base.text("optimizer")])
    return LocalEngine(rows.training_rows(), rows.shape(), backend, subject.asked.memory)


def _treatments(subject: Subject, step: Step, program: str) -> list[Treatment]:
    """Return the remedies to try, in the order of the recipe."""
    values = step.base.hyperparameters
    image, task = subject.data.image, subject.data.task.kind
    patient = Patient(values, task, image, convolves=program == "jax")
    code = subject.wanted.apply
    if code is None:
        return treatments(patient, recipe(step.verdict))
    found = treatments(patient, remedies_for(code))
    finding = finding_of(subject.result.findings, code, subject.result.name)
    change = None if finding is None else finding.evidence.get("values")
    if step.cycle == 1 and isinstance(change, Mapping):
        first = treatment(f"as-{code}-says", "finding", patient, cast(Mapping[str, object], change))
        if first.change:
            found = [first, *(one for one in found if one.change != first.change)]
    return found


def planned(
    subject: Subject, step: Step, rows: ExperimentRows, engine: LocalEngine, seconds: float
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
        high=step.verdict.high,
    )
    return plan, experiment


def _verdict_words(subject: Subject, step: Step) -> str:
    code = subject.wanted.apply
    if code:
        return f"for {code}"
    by = ", by mean scores" if step.cycle > 1 else ""  # of few networks, without an interval
    return step.verdict.words() + by
