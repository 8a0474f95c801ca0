"""Remedies as an experiment (G4): each trained beside the unchanged network, seed by seed.

Arms of one replicate share initial weights wherever their shapes agree, dropout masks and the order
of the batches; replicates differ in all three. A network that diverged counts as the constant
guess, so that a remedy against that has the credit for it. After some replicates the less promising
arms are given up. Only sums over rows are kept of each network, so that memory follows one
replicate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from deepwell._base._hash import Purpose, fold, key, word
from deepwell.diagnosis._arm_effects import ArmEffect, arm_effects
from deepwell.diagnosis._racing import going_on
from deepwell.diagnosis._remedies import Treatment
from deepwell.execution._local import LocalEngine
from deepwell.execution._planner import Plan
from deepwell.networks._forward import predictions
from deepwell.records import Progress, TrialSpec
from deepwell.training._program import State
from deepwell.training._state import best_parameters

from ._cross_validate import architecture_for, normalized
from ._evaluate import targets
from ._experiment_cost import epoch_work
from ._experiment_rows import ExperimentRows, View

_SEEDS_FROM = 1 << 31  # numbers of trials that no study has
_ORDERS_FROM = _SEEDS_FROM + (1 << 30)
_CYCLE = 1_000  # replicates that a cycle may have
FIRST_RUNG = 2  # replicates: one for each half of the dev rows


@dataclass(frozen=True)
class Experiment:
    """What is tried.

    Attributes:
        base: the unchanged network.
        treatments: the arms beside it.
        rows: that train and measure.
        replicates: how many at most.
        cycle: counted from 1; each has its own seeds.
        seed: of the study.
        first_rung: replicates after which arms are first given up; `replicates` gives up none.
    """

    base: TrialSpec
    treatments: tuple[Treatment, ...]
    rows: ExperimentRows
    replicates: int
    cycle: int
    seed: int
    first_rung: int = FIRST_RUNG

    @property
    def arms(self) -> int:
        """Networks of a replicate, a fold counted once: the unchanged one is the first."""
        return 1 + len(self.treatments)

    @property
    def rungs(self) -> tuple[int, ...]:
        """Replicates after which unpromising arms are given up, the last one the end.

        A replicate count that doubles, as in successive halving.
        """
        rungs = [self.replicates]
        while rungs[0] >= 2 * self.first_rung:
            rungs.insert(0, rungs[0] // 2)
        return tuple(rungs)

    def values(self, arm: int) -> Mapping[str, object]:
        """Return all hyperparameters of an arm, 0 for the unchanged one."""
        before = self.base.hyperparameters
        return before if arm == 0 else {**before, **self.treatments[arm - 1].change}

    def spec(self, arm: int, replicate: int, view: int) -> TrialSpec:
        """Return a network: its seeds are those of its replicate."""
        place = self.cycle * _CYCLE + replicate
        several = len(self.rows.views) > 1
        return TrialSpec(
            self.values(arm),  # type: ignore[arg-type]
            _seed(self.seed, _SEEDS_FROM + place),
            _seed(self.seed, _ORDERS_FROM + place),
            self.base.dtype,
            fold=view + 1 if several else 0,
            folds=len(self.rows.views) if several else 0,
        )

    def numbers(self, arm: int, replicate: int) -> list[int]:
        """Return the trial numbers of an arm in a replicate, one for each fold."""
        folds = len(self.rows.sides[0])
        first = (replicate * self.arms + arm) * folds
        return list(range(first, first + folds))

    def specs(self) -> dict[int, TrialSpec]:
        """Return all networks by their numbers."""
        found: dict[int, TrialSpec] = {}
        folds = len(self.rows.sides[0])
        for replicate in range(self.replicates):
            first = self.rows.side(replicate) * folds
            for arm in range(self.arms):
                for view, number in enumerate(self.numbers(arm, replicate), start=first):
                    found[number] = self.spec(arm, replicate, view)
        return found


def _seed(seed: int, number: int) -> int:
    of_trials = fold(fold(key(seed), Purpose.TRIALS), np.array([number], np.uint32))
    return int(word(fold(of_trials, 0), 0)[0])


@dataclass
class Tally:
    """What is known of an arm so far.

    Attributes:
        sums: replicate -> sums of the metric over the rows that measured it.
        train, dev: scores of each network.
        core_seconds: that all its networks took; networks: how many.
        parameters: of one.
        stopped_at: replicates after which it was given up; 0 while it goes on.
        failure: why it could not be trained, or an empty string.
        diverged: replicates in which it did, which count as the constant guess.
    """

    sums: dict[int, np.ndarray] = field(default_factory=dict[int, np.ndarray])
    train: list[float] = field(default_factory=list[float])
    dev: list[float] = field(default_factory=list[float])
    core_seconds: float = 0.0
    networks: int = 0
    parameters: int = 0
    stopped_at: int = 0
    failure: str = ""
    diverged: int = 0

    @property
    def failed(self) -> str:
        """Why it has no effect, or an empty string; one that always diverged has none."""
        always = 0 < self.diverged == len(self.sums)
        return self.failure or ("diverged" if always else "")


@dataclass(frozen=True)
class Told:
    """Who hears of an experiment, and what may stop it."""

    progress: Callable[[Progress], None]
    stop: Callable[[], bool]
    seconds_left: Callable[[], float]
    percent: bool = False


class Race:
    """The experiment as it runs: trains replicate by replicate, keeps sums, gives arms up."""

    def __init__(self, experiment: Experiment, engine: LocalEngine, told: Told) -> None:
        self._experiment = experiment
        self._engine = engine
        self._told = told
        self._specs = experiment.specs()
        self.tallies = [Tally() for _ in range(experiment.arms)]
        self._alive = list(range(1, experiment.arms))

    def plan(self) -> Plan:
        """Return the programs of all networks."""
        return self._engine.plan(self._specs, self._experiment.base.number("epochs"))

    def run(self) -> list[ArmEffect | None]:
        """Train until the end or until told to stop, and return the arms' effects."""
        self._engine.prepare(self._specs, self.plan())
        done = 0
        rungs = self._experiment.rungs
        for place, rung in enumerate(rungs):
            for replicate in range(done, rung):
                if self._told.stop() or not self._replicate(replicate, place):
                    return self.effects()
            done = rung
            self._tell(place, 1.0, ended=True)
            if place < len(rungs) - 1:
                self._give_up(rung)
            if not self._alive:
                break
        return self.effects()

    def effects(self) -> list[ArmEffect | None]:
        """Return the effect of each arm on what was measured so far; None without any."""
        base, arms = self.tallies[0].sums, self.tallies[1:]
        shared = [{r: s for r, s in arm.sums.items() if r in base} for arm in arms]
        able = [place for place, arm in enumerate(arms) if shared[place] and not arm.failed]
        blocks = {r: self._experiment.rows.side(r) for r in base}
        metric, seed = self._experiment.rows.metric, self._experiment.seed
        found = arm_effects(metric, base, [shared[place] for place in able], blocks, seed)
        by_place = dict(zip(able, found, strict=True))
        return [by_place.get(place) for place in range(len(arms))]

    def _give_up(self, rung: int) -> None:
        effects = self.effects()
        alive = [(arm, effects[arm - 1]) for arm in self._alive]
        racing = [(arm, one) for arm, one in alive if one is not None]
        kept = {racing[place][0] for place in going_on([one for _, one in racing])}
        for arm in self._alive:
            if arm not in kept and not self.tallies[arm].failed:
                self.tallies[arm].stopped_at = rung
        self._alive = [arm for arm in self._alive if arm in kept]

    def _replicate(self, replicate: int, rung: int) -> bool:
        """Train all arms of a replicate; return whether it was ended, and keep it only then."""
        arms = [0, *self._alive]
        numbers = {n: arm for arm in arms for n in self._experiment.numbers(arm, replicate)}
        lengths = sorted({self._specs[n].whole("epochs") for n in numbers})
        epochs = dict.fromkeys(numbers, 0)
        before = self._engine.meter.seconds
        whole = sum(self._specs[n].whole("epochs") for n in numbers)
        for until in lengths:  # those that train longer do so together with the others at first
            for chunk in self._engine.train(list(numbers), until, self._told.stop):
                for n in chunk.trials.tolist():
                    epochs[n] = chunk.epoch
                share = sum(epochs.values()) / whole
                self._tell(rung, (replicate % self._per_rung(rung) + share) / self._per_rung(rung))
        if self._told.stop():
            return False
        self._charge(numbers, epochs, self._engine.meter.seconds - before)
        self._measure(arms, replicate)
        self._engine.forget([])
        return True

    def _per_rung(self, rung: int) -> int:
        rungs = self._experiment.rungs
        return rungs[rung] - (rungs[rung - 1] if rung else 0)

    def _charge(
        self, numbers: Mapping[int, int], epochs: Mapping[int, int], seconds: float
    ) -> None:
        """Share out the time of a replicate by the work of its networks."""
        shape = self._engine.shape
        work = {n: epoch_work(self._specs[n], shape) * epochs[n] for n in numbers}
        total = sum(work.values())
        for number, arm in numbers.items():
            share = work[number] / total if total else 0.0
            self.tallies[arm].core_seconds += share * seconds * self._engine.cores
            self.tallies[arm].networks += 1

    def _measure(self, arms: Sequence[int], replicate: int) -> None:
        rows = self._experiment.rows
        side = rows.side(replicate)
        for arm in arms:
            tally = self.tallies[arm]
            numbers = self._experiment.numbers(arm, replicate)
            held = self._engine.states(numbers)
            if not all(number in held for number in numbers):
                tally.failure = "does not fit in memory"
                continue
            said = self._predicted(held, numbers, side, tally)
            if said is None:
                tally.diverged += 1
                said = rows.constant_guess(side)
            tally.sums[replicate] = rows.sums(side, said[0])
            tally.dev.append(float(rows.metric.combine(tally.sums[replicate].sum(axis=0))))
            sample = rows.train_sample
            truth = targets(rows.whole, sample)
            tally.train.append(rows.metric.loss(truth, said[1], sample.weight))

    def _predicted(
        self, held: Mapping[int, State], numbers: Sequence[int], side: int, tally: Tally
    ) -> tuple[list[np.ndarray], np.ndarray] | None:
        """Return what an arm's networks say of the rows that measure them, and of train rows.

        None where one of them diverged.
        """
        rows = self._experiment.rows
        views = rows.sides[side]
        measured: list[np.ndarray] = []
        train = np.zeros(0)
        for number, view in zip(numbers, views, strict=True):
            state = held[number]
            if not np.isfinite(state["best_score"]):
                return None
            spec = self._specs[number].during(int(state["best_epoch"]))
            parameters = normalized(best_parameters(state), spec, view.data)
            tally.parameters = architecture_for(
                spec, view.data, view.data.train.x.shape[1]
            ).parameters
            measured.append(_said(spec, parameters, view, view.measured.x))
            if view is views[0]:
                train = _said(spec, parameters, view, rows.train_sample.x)
        finite = all(np.isfinite(one).all() for one in measured)
        return (measured, train) if finite else None

    def _tell(self, rung: int, share: float, *, ended: bool = False) -> None:
        rungs = self._experiment.rungs
        self._told.progress(
            Progress(
                phase="training",
                rung=rung + 1,
                rungs=len(rungs),
                alive=len(self._alive),
                networks=len(self._experiment.treatments),
                share=min(1.0, share),
                best=None,
                seconds_left=self._told.seconds_left(),
                rung_ended=ended,
                percent=self._told.percent,
            )
        )


def _said(
    spec: TrialSpec, parameters: Mapping[str, np.ndarray], view: View, x: np.ndarray
) -> np.ndarray:
    """Return predictions in the target's own terms."""
    data = view.data
    raw = predictions(architecture_for(spec, data, x.shape[1]), parameters, x)
    return raw if data.task.kind == "classification" else data.target_encoder.original(raw)


def mean(values: Sequence[float]) -> float:
    """Return the mean of scores, NaN of none."""
    return float(np.mean(values)) if values else math.nan
