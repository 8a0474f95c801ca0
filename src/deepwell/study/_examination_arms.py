"""The arms of an examination: the network itself, healthy twins, and the changes that are tried."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepwell.checking._arms import JAX, Arm, Bench, native_way
from deepwell.data._data import Data
from deepwell.diagnosis._baselines import constant_guess
from deepwell.diagnosis._changes import Change, change_for, healthy, in_words
from deepwell.diagnosis._curve_findings import TrainedOn
from deepwell.diagnosis._curves import matters
from deepwell.diagnosis._layer_findings import Moment, Twins
from deepwell.diagnosis._layer_symptoms import EXPLODING, VANISHING, Symptom
from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._paired_runs import Effect, Tried, effect, learning
from deepwell.diagnosis._rate_findings import Rates, further_factor

from ._arrays import training_rows
from ._evaluate import targets
from ._examination_plan import FINALISTS, RUNS, SIZES, Plan, Size, Suspicion
from ._examination_seen import Examination
from ._examination_twins import differing, probes_of, rank_of, starts_as_twins
from ._subject import Subject

_LEAST_EPOCHS = 3
_FURTHER = 3  # rates beyond those that the curves asked for
_Values = Mapping[str, object]


@dataclass(frozen=True)
class _Group:
    """Healthy twins of one kind: what they show, and what it is to be one of them."""

    moments: tuple[Moment, ...]
    harm: Effect
    change: Change


class Arms:
    """All arms of one examination.

    Args:
        subject: the network.
        bench: where they train.
        why: what there is a reason to look into.
    """

    def __init__(self, subject: Subject, bench: Bench, why: Suspicion) -> None:
        self._subject, self._bench, self._why = subject, bench, why
        self._values = subject.spec.hyperparameters
        self._room = subject.allowance  # multiply-adds that are left
        wanted = [s in (VANISHING, EXPLODING) for s in why.symptoms] + [True] * why.stuck
        groups = tuple(dict.fromkeys(wanted))
        same = healthy(self._values, 1e-3, True) == healthy(self._values, 1e-3, False)
        self._groups = groups[:1] if same else groups
        self._cures = {s.code: change_for(s.code, self._values) for s in why.symptoms}

    def seen(self, seen: Examination) -> Examination:
        """Train the arms and return what they show; the same where there is no room for them."""
        longer = self._longer()
        planned, lacking = self._planned()
        if planned is None:
            return replace(seen, longer=longer, lacking=lacking)
        epochs, runs = planned.epochs, range(planned.size.runs)
        self._room -= epochs * self._demand(planned)[1]
        rate = self._subject.spec.number("learning_rate")
        wanted: dict[object, _Values] = {"own": {}, **planned.cures}
        wanted |= {f: at_rate(rate * f) for f in planned.factors}
        wanted |= dict(planned.changes)
        arms = self._train(wanted, epochs, runs)
        own = arms["own"]
        twins = {g: self._twins(own, g, planned) for g in planned.groups}
        best = max(twins.values(), key=lambda t: t.harm.gain, default=None)
        told = {s.code: self._told(s, arms, twins, epochs) for s in self._why.symptoms}
        return replace(
            seen,
            twins={code: found for code, found in told.items() if found is not None},
            harm=None if best is None else best.harm,
            twin=("", {}) if best is None else best.change,
            rates=self._rates(rate, arms, planned) if planned.factors else None,
            inputs=self._normalized(own, epochs) if self._normalizes() else None,
            larger=self._with_larger_batches(own, epochs) if self._rebatches(planned) else None,
            tried=self._tried(arms, self._why.odd, planned.odd),
            regularized=self._tried(arms, self._why.against, planned.against),
            longer=longer,
            lacking=lacking,
        )

    def _tried(
        self,
        arms: Mapping[object, list[Arm]],
        wanted: tuple[Change, ...],
        changes: tuple[Change, ...],
    ) -> Tried:
        if not changes:
            return Tried(wanted)
        return Tried(changes, tuple(self._effect(arms["own"], arms[words]) for words, _ in changes))

    def _planned(self) -> tuple[Plan | None, bool]:
        """Return what the allowance lets be made, None for nothing, and whether programs lack.

        Programs that are missing are compiled where there is room for that beside the arms.
        """
        whole = self._within(SIZES[0])
        missing = self._missing(whole)
        programs, room = self._subject.programs, self._room
        if missing and programs is not None:
            room -= JAX.compiling * len(missing)
            if self._epochs(whole, room):
                for values in missing:
                    member, spec = self._subject.member(values, 0), self._subject.changed(values, 0)
                    self._bench.add(programs.compiled(member, spec))
                self._room = room
                return replace(whole, epochs=self._epochs(whole, room)), False
        for size in SIZES:
            tried = self._with_programs(self._within(size))
            epochs = self._epochs(tried, self._room)
            some = tried.groups or tried.factors or tried.changes or self._normalizes()
            if epochs and (some or self._rebatches(tried)):
                return replace(tried, epochs=epochs), bool(missing)
        return None, bool(missing)

    def _within(self, size: Size) -> Plan:
        cures = {code: values for code, (_, values) in self._cures.items()} if size.cures else {}
        factors = self._why.factors if size.factors else ()
        odd, against = (self._why.odd, self._why.against) if size.cures else ((), ())
        return Plan(size, 0, self._groups, cures, factors, odd, against)

    def _with_programs(self, planned: Plan) -> Plan:
        """Return what is left of a plan without what no program here can train."""
        groups = tuple(g for g in planned.groups if self._has(healthy(self._values, 1e-3, g)))
        cures = {code: values for code, values in planned.cures.items() if self._has(values)}
        odd, against = (
            tuple((words, values) for words, values in changes if self._has(values))
            for changes in (planned.odd, planned.against)
        )
        return replace(planned, groups=groups, cures=cures, odd=odd, against=against)

    def _has(self, values: _Values) -> bool:
        return self._bench.has(self._subject.member(values, 0))

    def _missing(self, planned: Plan) -> list[_Values]:
        """Return one network of each kind that a plan asks for and no program here can train."""
        twins = [healthy(self._values, 1e-3, g) for g in planned.groups]
        kinds: dict[object, _Values] = {}
        for values in (*twins, *planned.cures.values(), *(v for _, v in planned.changes)):
            if not self._has(values):
                a = self._subject.member(values, 0)
                b, dropped = a.architecture, "dropout" in values
                kind = a.optimizer, b.activation, b.batch_norm, dropped, "hidden_units" in values
                kinds.setdefault(kind, values)
        return list(kinds.values())

    def _epochs(self, planned: Plan, room: float) -> int:
        """Return for how many epochs so many multiply-adds let a plan train, 0 for too few."""
        runs, work = self._demand(planned)
        if runs > self._subject.room():
            return 0
        wanted = self._subject.epochs
        epochs = min(wanted, int(max(room, 0.0) / work))
        return epochs if epochs >= min(_LEAST_EPOCHS, wanted) else 0

    def _demand(self, planned: Plan) -> tuple[int, float]:
        """Return how many networks a plan trains, and their multiply-adds in an epoch.

        Where rates are tried, there is work for one beyond them.
        """
        size = planned.size
        rate = self._subject.spec.number("learning_rate")
        tried = [*planned.cures.values(), *(at_rate(rate * f) for f in planned.factors)]
        tried += [values for _, values in planned.changes]
        changes = {_key(values): values for values in tried if values}
        each = [self._work(values) for values in ({}, *changes.values())]
        others = self._normalizes() + self._rebatches(planned)
        runs = size.runs * (1 + len(changes) + others)
        work = size.runs * (
            sum(each) + each[0] * (others + bool(planned.factors))
        )  # a further rate
        for group in planned.groups:
            runs += size.twins
            work += size.twins * self._work(healthy(self._values, 1e-3, group))
        return runs, work

    def _work(self, values: _Values) -> float:
        return self._bench.work(self._subject.member(values, 0))

    def _rates(self, rate: float, arms: Mapping[object, list[Arm]], planned: Plan) -> Rates:
        """Return the network at other rates, and beyond them as long as the last one is best."""
        own, epochs, factors = arms["own"], planned.epochs, planned.factors
        tried: dict[float, list[Arm]] = {f: arms[f] for f in factors}
        effects = {f: self._effect(own, courses) for f, courses in tried.items()}
        size, each = matters(self._subject.curves), epochs * len(own) * self._work({})
        room = max(self._room, 0.0) + each  # of which the plan has the work of one
        for _ in range(_FURTHER):
            factor = further_factor(rate, effects, size, len(factors))
            if factor is None or each > room:
                break
            room -= each
            further: dict[object, _Values] = {factor: at_rate(rate * factor)}
            tried[factor] = self._train(further, epochs, range(len(own)))[factor]
            effects[factor] = self._effect(own, tried[factor])
        full = epochs >= self._subject.epochs
        beats = frozenset(f for f, courses in tried.items() if self._beats_all(courses))
        return Rates(rate, effects, epochs, full, beats, len(factors))

    def _train(
        self, wanted: Mapping[object, _Values], epochs: int, runs: range
    ) -> dict[object, list[Arm]]:
        """Return the runs of each arm; arms of the same values are the same runs.

        In fewer epochs than the network had their schedules are over as far as its own was: cut off
        in the middle, a rate that anneals would be at its highest where they are scored.
        """
        alike = {_key(values): values for values in wanted.values()}
        members = [self._subject.member(v, run, epochs) for v in alike.values() for run in runs]
        courses = self._bench.train(members, epochs)
        size, places = len(runs), {key: place for place, key in enumerate(alike)}
        starts = {name: places[_key(values)] * size for name, values in wanted.items()}
        return {name: courses[first : first + size] for name, first in starts.items()}

    def _twins(self, own: list[Arm], passes_gradients: bool, planned: Plan) -> _Group:
        """Return healthy twins at the rate that pilots found best, and what they show."""
        values, size = self._values, planned.size
        each: dict[object, _Values] = {
            rate: healthy(values, rate, passes_gradients) for rate in size.rates
        }
        rate = self._best_rate(each, planned)
        twins = self._train({rate: each[rate]}, planned.epochs, range(size.runs))[rate]
        differs = differing(each[rate], values)
        change = in_words(differs) or "a healthy twin", differs
        moments = self._moments([own[0], *twins]) if self._why.symptoms else ()
        return _Group(moments, self._effect(own, twins), change)

    def _best_rate(self, each: Mapping[object, _Values], planned: Plan) -> object:
        """Return the rate that one run of each finds best, and further ones of the two best.

        None of these runs is compared with the network: those that chose a rate are good by luck.
        """
        size, epochs = planned.size, planned.epochs
        pilots = self._train(each, epochs, range(size.runs, size.runs + 1))
        finalists = sorted(each, key=lambda r: rank_of(pilots[r]))[:FINALISTS]
        if size.pilots == 1:
            return finalists[0]
        further = range(size.runs + 1, size.runs + size.pilots)
        more = self._train({rate: each[rate] for rate in finalists}, epochs, further)
        return min(finalists, key=lambda r: rank_of(pilots[r] + more[r]))

    def _moments(self, looked: Sequence[Arm]) -> tuple[Moment, ...]:
        """Return what is inside a network, the first, and its twins."""
        members = [course.member for course in looked]
        best = probes_of(self._bench, members, [course.best for course in looked])
        moments = [Moment("at best", False, best[0], tuple(best[1:]))]
        if not starts_as_twins(self._values):
            start = probes_of(self._bench, members, self._bench.start(members))
            moments.append(Moment("at the start", True, start[0], tuple(start[1:])))
        return tuple(moments)

    def _told(
        self,
        symptom: Symptom,
        arms: Mapping[object, list[Arm]],
        twins: Mapping[bool, _Group],
        epochs: int,
    ) -> Twins | None:
        wanted = symptom in (VANISHING, EXPLODING)
        group = twins.get(wanted if wanted in self._groups else self._groups[0])
        if group is None:
            return None
        change, values = self._cures[symptom.code]
        cure = self._effect(arms["own"], arms[symptom.code]) if symptom.code in arms else None
        units = self._subject.units()
        return Twins(group.moments, units, group.harm, epochs, cure, change, values, group.change)

    def _effect(self, own: Sequence[Arm], other: Sequence[Arm]) -> Effect:
        scale, worst = self._subject.scale, self._subject.curves.constant
        score = effect([c.score * scale for c in own], [c.score * scale for c in other], worst)
        cost = effect([c.cost for c in own], [c.cost for c in other], self._subject.constant_cost)
        return self._told_by(score, cost)

    @functools.cached_property
    def _constant(self) -> float:
        """The score of the guess that is best for the dev rows."""
        data, metric = self._subject.data, METRICS[self._subject.metric]
        y, weight = targets(data, data.dev), data.dev.weight
        guess = constant_guess(metric, y, len(y), data.task.classes, weight)
        return metric.loss(y, guess.prediction_dev, weight)

    def _told_by(self, score: Effect, cost: Effect) -> Effect:
        return learning(score, cost, self._subject.curves, self._constant)

    def _beats_all(self, arm: Sequence[Arm]) -> bool:
        scores = [c.score * self._subject.scale for c in arm]
        return max(scores) < self._subject.score

    def _longer(self) -> TrainedOn | None:
        """Return what training on does, of runs that share all they were trained before.

        The best of as many epochs as the network had, which would be kept, is compared with the
        mean of the last quarter of all: the best of more epochs is better by luck alone. At most
        half of what may be paid goes into it.
        """
        had, each = self._subject.curves.epochs, RUNS * self._work({})
        fits = (n for n in self._why.longer if 2 * n * each <= self._room)
        most = next(fits, 0)
        if not most or self._subject.room() < RUNS:
            return None
        self._room -= most * each
        runs = self._bench.train([self._subject.member({}, run) for run in range(RUNS)], most)
        scale, worst = self._subject.scale, self._subject.curves.constant
        scores = [_first_and_last(scale * r.dev_score, had) for r in runs]
        costs = [_first_and_last(r.dev_cost, had) for r in runs]
        score = effect(*zip(*scores, strict=True), worst=worst)
        cost = effect(*zip(*costs, strict=True), worst=self._subject.constant_cost)
        return TrainedOn(most, self._told_by(score, cost))

    def _normalizes(self) -> bool:
        """Return whether the network is tried with normalized inputs: by the native program."""
        return self._why.raw_inputs and self._native

    def _rebatches(self, planned: Plan) -> bool:
        """Return whether it is tried with larger batches: by the native program."""
        return planned.size.factors and self._why.batch > 0 and self._native

    @property
    def _native(self) -> bool:
        return self._subject.ways[0].program.compile_seconds == 0

    def _normalized(self, own: Sequence[Arm], epochs: int) -> Effect:
        """Return what it does to normalize the inputs by the train rows."""
        data = self._subject.data
        mean = data.train.x.mean(axis=0, dtype=np.float64)
        spread = data.train.x.std(axis=0, dtype=np.float64)
        spread = np.where(spread > 0, spread, 1.0)
        parts = [
            replace(part, x=((part.x - mean) / spread).astype(np.float32))
            for part in (data.train, data.dev)
        ]
        changed = replace(data, train=parts[0], dev=parts[1])
        return self._elsewhere(own, epochs, changed, self._subject.spec.whole("batch_size"))

    def _with_larger_batches(self, own: Sequence[Arm], epochs: int) -> Effect:
        """Return what larger batches do at the same rate."""
        return self._elsewhere(own, epochs, self._subject.data, self._why.batch)

    def _elsewhere(self, own: Sequence[Arm], epochs: int, data: Data, batch: int) -> Effect:
        """Return what other rows, or batches of another size, do to the network."""
        subject, task = self._subject, data.task
        rows = replace(training_rows(data), streamed=False)
        way = native_way(
            *(rows, task.loss, task.outputs, subject.metric, batch, subject.spec.order_seed)
        )
        members = [subject.member({}, run, epochs) for run in range(len(own))]
        return self._effect(own, Bench([way]).train(members, epochs))


def at_rate(rate: float) -> dict[str, object]:
    """Return what is changed to train at a rate, in the digits that are told."""
    return {"learning_rate": float(f"{rate:.3g}")}


def _key(values: _Values) -> str:
    return repr(sorted(values.items()))


def _first_and_last(curve: np.ndarray, epochs: int) -> tuple[float, float]:
    """Return the lowest of the first epochs, and the mean of the last quarter of all."""
    first = curve[:epochs][np.isfinite(curve[:epochs])]
    lowest = float(first.min()) if len(first) else math.nan
    return lowest, float(curve[-max(1, len(curve) // 4) :].mean())
