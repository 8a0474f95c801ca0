"""Which networks of a study are looked into while they train, and the best one afterwards.

Probing is to be free for all that anybody notices, so it may cost 1 % of the work, counted in
multiply-adds that are known ahead, never in measured time: a resumed study chooses the same.

Rung by rung the best networks so far are probed while they train, as many as that share pays
for. Nobody knows at the start which network will be the best one, so what it lacks is measured
afterwards: trained again from its start, alone, a network comes out the same to the bit. Where
the share does not pay for all of it, what is missing stays missing, and its end is always there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from deepwell.checking._probes import MOST_ROWS
from deepwell.execution._local import LocalEngine
from deepwell.execution._members import architecture_of
from deepwell.execution._planner import Machine, Plan, Shape
from deepwell.execution._probe_plan import ProbePlan
from deepwell.execution._recovery import out_of_memory
from deepwell.records import Probe, Rung, Trial, TrialSpec, from_plain
from deepwell.search.schedulers._across_folds import configurations

from ._forks import lineage, root
from ._history import History
from ._probe_choice import ALL, NONE, Probing
from ._work import multiply_adds, trained_multiply_adds

SHARE = 0.01
"""Of a rung's work, for probes on the way; of the study's, for training the best one again."""

_FREE = 1.5e9
"""Multiply-adds that nobody notices, about 0.1 s."""

_IDLE = 16  # cores at most that are counted as waiting

_SECONDS, _SECONDS_COMPILED = 0.002, 0.03
"""Of a probe beside its products, in the native program and in a compiled one."""


def chosen(
    probing: Probing, reached: Sequence[Trial], rung: Rung, engine: LocalEngine
) -> tuple[int, ...]:
    """Return the trials to be probed on their way through a rung.

    Args:
        probing: what the study asks for.
        reached: the trials that begin the rung, with what they scored before.
        rung: its epochs and networks.
        engine: that will train them.
    """
    numbers, choice = [trial.number for trial in reached], probing.choice
    if choice == NONE:
        return ()
    if choice == ALL:
        return tuple(numbers)
    named = [] if isinstance(choice, str) else [n for n in numbers if n in choice]
    return tuple(dict.fromkeys([*named, *_best(probing.every, reached, rung, engine)]))


def _best(every: int, reached: Sequence[Trial], rung: Rung, engine: LocalEngine) -> list[int]:
    """Return as many of the best so far as the rung's share pays for."""
    folds = max((trial.spec.folds for trial in reached), default=0)
    ranked = configurations(reached, folds) if folds else reached
    ranked = sorted((t for t in ranked if not t.status.over), key=Trial.rank_key)
    if len(ranked) < 2:  # it will be the best
        return [trial.number for trial in ranked]
    plan = ProbePlan(frozenset(), every)
    work = cost = 0.0
    for trial in reached:
        last = trial.spec.whole("epochs")
        ahead = range(trial.epochs + 1, min(rung.epochs, last) + 1)
        work += multiply_adds(trial.spec, engine.shape) * len(ahead)
        times = sum(plan.due(epoch, last) for epoch in ahead) + (trial.epochs == 0)
        cost = max(cost, times * probe_work(trial.spec, engine.shape, engine.machine))
    affordable = math.floor(SHARE * work / cost) if cost else 0
    if affordable < len(ranked) and not math.isfinite(ranked[0].score):
        return []  # none is known to be better than another
    return [trial.number for trial in ranked[: max(1, affordable)]]


def probe_work(spec: TrialSpec, shape: Shape, machine: Machine) -> float:
    """Return the multiply-adds that all cores could do in the time of one probe, on one core."""
    network = architecture_of(spec, shape.inputs, shape.outputs, shape.loss, shape.image)
    batch = min(spec.whole("batch_size"), shape.train_rows)
    rows = min(shape.dev_rows, MOST_ROWS)
    work = rows * network.forward_multiply_adds() + 2 * batch * network.multiply_adds()
    overhead = _SECONDS_COMPILED if machine.compile_seconds else _SECONDS
    return work * machine.devices + overhead * machine.multiply_adds


def late_probes(
    engine: LocalEngine, history: History, probing: Probing, best: Trial, replays: bool
) -> list[Probe]:
    """Return the probes that the best network lacks, as far as their share pays for them.

    Args:
        engine: that trained it, and holds its last state.
        history: of the study.
        probing: what the study asks for; where it says how often, there is no bound.
        best: the trial.
        replays: whether it may be trained again; a person who stopped a run waits no longer.
    """
    if probing.choice == NONE:
        return []
    spec, last = best.spec, best.epochs
    if not engine.prepared(best.number):  # it was over before this run of the study began
        prepare_again(engine, history, best)
    had = history.store.probes(history.record.id, [best.number])
    there = {probe.epoch for probe in had}
    wanted = ProbePlan(frozenset(), probing.every).epochs(spec.whole("epochs"))
    missing = [epoch for epoch in wanted if epoch < last and epoch not in there]
    if not probing.every:
        work = trained_multiply_adds(history.trained(), engine.shape)
        machine = engine.machine
        waiting = max(min(machine.devices, _IDLE), machine.width)  # cores, or lanes of a wide step
        affordable = max(SHARE * work, _FREE) / (multiply_adds(spec, engine.shape) * waiting)
        missing = [epoch for epoch in missing if epoch <= affordable]
    try:
        found = engine.replay(best.number, missing) if missing and replays else []
        return found + ([] if last in there else engine.probe(best.number, last))
    except Exception as error:  # what a lack of memory raises depends on the program
        if not out_of_memory(error):
            raise
        return []  # a result is worth more than its probes


def prepare_again(engine: LocalEngine, history: History, trial: Trial) -> None:
    """Prepare a trial as it was trained: in its own program, or that of the one it is a copy of.

    One that was nudged on its way may need another program since.
    """
    sources = history.sources()
    first = root(sources, trial.number)
    specs = {t.number: t.spec for t in history.trials()}
    if first in specs:  # a scheduler's copy may be gone that a person had copied
        engine.prepare({first: specs[first]}, plan_of(history, first))
    for number, source in lineage(sources, [trial.number]):
        engine.adopt(source, number, specs[number])
    if trial.number in history.nudged():
        engine.change(trial.number, specs[trial.number])


def plan_of(history: History, number: int) -> Plan:
    """Return the program of a trial, for it alone, as it was planned when it was proposed."""
    told: list[Any] = [e.details["plan"] for e in history.store.events(history.record.id, "plan")]
    for plan in (from_plain(Plan, one) for one in told):
        for bucket in plan.buckets:
            if number in bucket.trials:
                return replace(plan, buckets=(replace(bucket, trials=(number,)),))
    raise KeyError(number)
