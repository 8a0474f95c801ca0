"""A network beside healthy twins and with one thing changed: trained where there is a suspicion.

A healthy network costs a probe and some arithmetic. Only what passes a gate is paid for, and no
more than a hundredth of the study's work, or what takes less than half a second: all arms train
for fewer epochs where there is no room for all of them. The limit is counted in multiply-adds, so
that the same study gives the same findings on a slow machine and a fast one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepwell._base._hyperparameters import default_initializer
from deepwell.checking._arms import Arm, Bench
from deepwell.data._data import Data
from deepwell.diagnosis._changes import SQUASHING, TWIN_RATES, Change, change_for, healthy
from deepwell.diagnosis._curve_findings import Curves
from deepwell.diagnosis._layer_findings import (
    EXPLODING,
    SATURATED,
    VANISHING,
    Moment,
    Symptom,
    Twins,
    suspected,
)
from deepwell.diagnosis._noise_findings import larger_batch
from deepwell.diagnosis._paired_runs import Effect, agreeing, effect
from deepwell.diagnosis._plateau_findings import stands_still
from deepwell.diagnosis._rate_findings import HIGHER, LOWER, Rates, factors_to_try
from deepwell.execution._members import member_of
from deepwell.execution._memory_plan import native_member_bytes
from deepwell.records import QUANTILES, Probe, TrialSpec
from deepwell.training._program import Member, State
from deepwell.training._state import at_best

from ._arrays import training_rows

RUNS = 8  # pairs of runs: 256 sign patterns, so p-values go down to 0.004
SHARE = 0.01
FLOOR = 2e10  # multiply-adds: about 0.4 s of two cores
_LEAST_EPOCHS = 3
_LANES = 1024
_FEW_ROWS = 64  # that tell what a network is like before its first step
_PILOTS = 2  # runs of each rate that a twin may have


@dataclass(frozen=True, eq=False)
class Subject:
    """The network that is examined.

    Attributes:
        spec: its configuration.
        state: its state; best weights under `best/`.
        data: its train and dev rows.
        metric: that it was chosen by.
        scale: from a program's score to the metric's unit.
        score: its best dev score, in the metric's unit.
        curves: of its training.
        constant_cost: train cost of the constant guess.
        allowance: multiply-adds that twins and changes may take.
        memory: bytes that they may take; None for no bound.
        searched: 0.1 and 10 where the search has tried lower and higher rates.
        constant_output: whether it says the same of every dev row.
        searched_batches: whether the search has tried larger batches.
    """

    spec: TrialSpec
    state: State
    data: Data
    metric: str
    scale: float
    score: float
    curves: Curves
    constant_cost: float
    allowance: float
    memory: int | None = None
    searched: frozenset[float] = frozenset()
    constant_output: bool = False
    searched_batches: bool = False

    def room(self) -> int:
        """Return how many such networks, each with a copy that is probed, the memory holds."""
        if self.memory is None:
            return _LANES
        return min(_LANES, int(self.memory / (2 * native_member_bytes(self.member({}, 0)))))

    def member(self, values: Mapping[str, object], run: int) -> Member:
        """Return the network with other values; run 0 has its own seed."""
        changed: dict[str, Any] = {**self.spec.hyperparameters, **values, "patience": 0}
        spec = TrialSpec(changed, self.spec.seed + run, self.spec.order_seed, self.spec.dtype)
        task = self.data.task
        return member_of(spec, self.data.train.x.shape[1], task.outputs, task.loss)


@dataclass(frozen=True)
class Examination:
    """What was seen.

    Attributes:
        probe: of the network at its best weights.
        symptoms: that were suspected.
        settled: that were as well, but the search has tried the change, a lower rate.
        factors: of the learning rate that there was a reason to try.
        twins: symptom's code -> network and twins side by side; empty where none were trained.
        harm: gain of healthy twins over the network, None where none were trained.
        twin: change that makes the network its twin.
        rates: the network at other rates, None where none were tried.
        inputs: what normalizing the inputs did, None where they are or it was not tried.
        batch: the larger batch size that there was a reason to try, 0 for none.
        larger: what it did, None where it was not tried.
    """

    probe: Probe
    symptoms: tuple[Symptom, ...] = ()
    settled: tuple[Symptom, ...] = ()
    factors: tuple[float, ...] = ()
    twins: Mapping[str, Twins] | None = None
    harm: Effect | None = None
    twin: Change = ("", {})
    rates: Rates | None = None
    inputs: Effect | None = None
    batch: int = 0
    larger: Effect | None = None


def examine(subject: Subject, raw_inputs: bool = False) -> Examination | None:
    """Return what is inside a network, and what twins and changes show of what looks odd.

    None comes back where the memory does not hold the network a few times over.

    Args:
        subject: a dense network that the native program can train.
        raw_inputs: whether its inputs are not normalized.
    """
    if subject.room() < 2 + _PILOTS:
        return None
    bench = _bench(subject)
    own = subject.member({}, 0)
    values = subject.spec.hyperparameters
    [probe] = _probes(bench, [own], [at_best(subject.state)])
    start: list[Probe] = []  # of the network and of twins, where it does not start as they do
    if len(probe.layers) > 1 and not _starts_as_twins(values):
        twins = [subject.member(healthy(values, 1e-3, True), run) for run in range(1, 1 + _PILOTS)]
        start = _probes(bench, [own, *twins], bench.start([own, *twins]), _FEW_ROWS)
    suspects = suspected(probe, start) if len(probe.layers) > 1 else []
    # A ReLU unit that only a few rows make active is sparse, not stuck: dead is another matter.
    squashing = values["activation"] in SQUASHING
    suspects = [s for s in suspects if s is not SATURATED or squashing]
    settled = tuple(s for s in suspects if LOWER in subject.searched and _by_rate(s, values))
    symptoms = tuple(s for s in suspects if s not in settled)
    stuck = stands_still(subject.curves, subject.constant_cost) or subject.constant_output
    factors = _factors(subject)
    seen = Examination(probe, symptoms, settled, factors, batch=_larger_batch(subject))
    if not (symptoms or factors or stuck or raw_inputs or seen.batch):
        return seen
    arms = _Arms(subject, bench, seen, stuck, raw_inputs)
    return arms.seen()


def _starts_as_twins(values: Mapping[str, object]) -> bool:
    """Return whether the initial weights have the distribution that those of healthy twins have."""
    twin = healthy(values, 1e-3, True)
    usual = values["initializer"] == default_initializer(str(values["activation"]))
    alike = twin["activation"] == values["activation"]
    return alike and usual and values["initializer_scale"] == 1.0


def _by_rate(symptom: Symptom, values: Mapping[str, object]) -> bool:
    """Return whether the change that should mend a symptom is a lower learning rate."""
    return list(change_for(symptom.code, values)[1]) == ["learning_rate"]


def _probes(
    bench: Bench,
    members: Sequence[Member],
    states: Sequence[State],
    dev_rows: int | None = None,
) -> list[Probe]:
    """Return what is inside networks as records, numbered from 0."""
    found = bench.look(members, states, QUANTILES, dev_rows)
    return [
        Probe(n, int(state["epoch"]), int(state["step"]), **vars(inside))
        for n, (state, inside) in enumerate(zip(states, found, strict=True))
    ]


def _factors(subject: Subject) -> tuple[float, ...]:
    wanted = factors_to_try(subject.curves, subject.constant_cost)
    tried = [LOWER if factor < 1 else HIGHER for factor in wanted]
    return tuple(f for f, side in zip(wanted, tried, strict=True) if side not in subject.searched)


def _larger_batch(subject: Subject) -> int:
    if subject.searched_batches:
        return 0
    batch, rows = subject.spec.whole("batch_size"), len(subject.data.train)
    return larger_batch(subject.curves, subject.constant_cost, batch, rows)


def _bench(subject: Subject, data: Data | None = None, batch: int = 0) -> Bench:
    data = subject.data if data is None else data
    return Bench(
        rows=replace(training_rows(data), streamed=False),
        loss=data.task.loss,
        outputs=data.task.outputs,
        score=subject.metric,
        batch=batch or subject.spec.whole("batch_size"),
        order_seed=subject.spec.order_seed,
    )


@dataclass(frozen=True)
class _Group:
    """Healthy twins of one kind: what they show, and what it is to be one of them."""

    moments: tuple[Moment, ...]
    harm: Effect
    change: Change


class _Arms:
    """All arms of one examination, trained together."""

    def __init__(
        self,
        subject: Subject,
        bench: Bench,
        suspected: Examination,
        stuck: bool,
        raw_inputs: bool,
    ) -> None:
        self._subject = subject
        self._bench = bench
        self._suspected = suspected
        self._symptoms = symptoms = suspected.symptoms
        self._factors = suspected.factors
        self._raw_inputs = raw_inputs
        values = subject.spec.hyperparameters
        groups = [s in (VANISHING, EXPLODING) for s in symptoms] + [True] * stuck
        kinds = dict.fromkeys(groups)
        same = healthy(values, 1e-3, True) == healthy(values, 1e-3, False)
        self._groups = list(kinds)[:1] if same else list(kinds)
        self._cures = {s.code: change_for(s.code, values) for s in symptoms}

    def seen(self) -> Examination:
        """Train the arms and return what they show; no more where there is no room for them."""
        epochs, seen = self._epochs(), self._suspected
        if epochs == 0:
            return seen
        rate = self._subject.spec.number("learning_rate")
        wanted: dict[object, Mapping[str, object]] = {"own": {}}
        wanted |= {code: values for code, (_, values) in self._cures.items()}
        wanted |= {f: {"learning_rate": rate * f} for f in self._factors}
        arms = self._train(wanted, epochs)
        own = arms["own"]
        twins = {group: self._twins(own, group, epochs) for group in self._groups}
        best = max(twins.values(), key=lambda t: t.harm.gain, default=None)
        return replace(
            seen,
            twins={s.code: self._told(s, arms, twins, epochs) for s in self._symptoms},
            harm=None if best is None else best.harm,
            twin=("", {}) if best is None else best.change,
            rates=self._rates(rate, arms, epochs) if self._factors else None,
            inputs=self._normalized(own, epochs) if self._raw_inputs else None,
            larger=self._with_larger_batches(own, epochs) if seen.batch else None,
        )

    def _rates(self, rate: float, arms: Mapping[object, list[Arm]], epochs: int) -> Rates:
        effects = {f: self._effect(arms["own"], arms[f]) for f in self._factors}
        full = epochs >= self._subject.curves.epochs
        beats = frozenset(f for f in self._factors if self._beats_all(arms[f]))
        return Rates(rate, effects, epochs, full, beats)

    def _epochs(self) -> int:
        """Return for how many epochs the allowance lets all arms train, 0 for too few."""
        runs = RUNS * (1 + len(self._cures) + len(self._factors) + self._raw_inputs)
        runs += RUNS * bool(self._suspected.batch)
        runs += len(self._groups) * (RUNS + _PILOTS * (len(TWIN_RATES) - 1))
        if runs > self._subject.room():
            return 0
        each = self._bench.work(self._subject.member({}, 0))
        wanted = self._subject.curves.epochs
        epochs = min(wanted, int(self._subject.allowance / (runs * each)))
        return epochs if epochs >= min(_LEAST_EPOCHS, wanted) else 0

    def _train(
        self, wanted: Mapping[object, Mapping[str, object]], epochs: int, runs: range = range(RUNS)
    ) -> dict[object, list[Arm]]:
        members = [self._subject.member(v, run) for v in wanted.values() for run in runs]
        courses = self._bench.train(members, epochs)
        size = len(runs)
        return {
            name: courses[place * size : (place + 1) * size] for place, name in enumerate(wanted)
        }

    def _twins(self, own: list[Arm], passes_gradients: bool, epochs: int) -> _Group:
        """Return healthy twins at the rate that the first runs found best, and what they show."""
        values = self._subject.spec.hyperparameters
        each: dict[object, Mapping[str, object]] = {
            rate: healthy(values, rate, passes_gradients) for rate in TWIN_RATES
        }
        pilots = self._train(each, epochs, range(_PILOTS))
        rate = min(TWIN_RATES, key=lambda r: (_mean_score(pilots[r]), _mean_cost(pilots[r])))
        rest = self._train({rate: each[rate]}, epochs, range(_PILOTS, RUNS))
        twins = pilots[rate] + rest[rate]
        differs = {k: v for k, v in each[rate].items() if _differs(k, v, values)}
        words = [f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in differs.items()]
        change = ", ".join(words) or "a healthy twin", differs
        moments = self._moments([own[0], *twins]) if self._symptoms else ()
        return _Group(moments, self._effect(own, twins), change)

    def _moments(self, looked: Sequence[Arm]) -> tuple[Moment, ...]:
        """Return what is inside a network, the first, and its twins."""
        members = [course.member for course in looked]
        best = _probes(self._bench, members, [course.best for course in looked])
        moments = [Moment("at best", False, best[0], tuple(best[1:]))]
        if not _starts_as_twins(self._subject.spec.hyperparameters):
            start = _probes(self._bench, members, self._bench.start(members))
            moments.append(Moment("at the start", True, start[0], tuple(start[1:])))
        return tuple(moments)

    def _told(
        self,
        symptom: Symptom,
        arms: Mapping[object, list[Arm]],
        twins: Mapping[bool, _Group],
        epochs: int,
    ) -> Twins:
        wanted = symptom in (VANISHING, EXPLODING)
        group = twins[wanted] if wanted in twins else next(iter(twins.values()))
        change, values = self._cures[symptom.code]
        cure = self._effect(arms["own"], arms[symptom.code])
        units = self._subject.spec.hidden_units
        return Twins(group.moments, units, group.harm, epochs, cure, change, values)

    def _effect(self, own: Sequence[Arm], other: Sequence[Arm]) -> Effect:
        scale, worst = self._subject.scale, self._subject.curves.constant
        score = effect([c.score * scale for c in own], [c.score * scale for c in other], worst)
        cost = effect([c.cost for c in own], [c.cost for c in other], math.inf)
        return agreeing(score, cost)

    def _beats_all(self, arm: Sequence[Arm]) -> bool:
        scores = [c.score * self._subject.scale for c in arm]
        return max(scores) < self._subject.score

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
        bench = _bench(self._subject, replace(data, train=parts[0], dev=parts[1]))
        return self._effect(own, self._again(bench, epochs))

    def _with_larger_batches(self, own: Sequence[Arm], epochs: int) -> Effect:
        """Return what larger batches do at the same rate."""
        bench = _bench(self._subject, batch=self._suspected.batch)
        return self._effect(own, self._again(bench, epochs))

    def _again(self, bench: Bench, epochs: int) -> list[Arm]:
        members = [self._subject.member({}, run) for run in range(RUNS)]
        return bench.train(members, epochs)


def _mean_score(courses: Sequence[Arm]) -> float:
    return float(np.mean([c.score for c in courses]))


def _mean_cost(courses: Sequence[Arm]) -> float:
    costs = [np.nanmin(c.dev_cost) if np.isfinite(c.dev_cost).any() else math.inf for c in courses]
    return float(np.mean(costs))


def _differs(name: str, value: object, values: Mapping[str, object]) -> bool:
    return value not in ("auto", values.get(name)) or (
        value == "auto" and values.get(name) in ("zeros", "large", "small", "identity")
    )
