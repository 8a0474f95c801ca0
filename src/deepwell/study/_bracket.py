"""One bracket: a round of proposals trained rung by rung, the scheduler deciding in between."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepwell.execution._local import LocalEngine
from deepwell.records import Progress, Status, Trial
from deepwell.search.schedulers._scheduler import Scheduler

from ._budget import Clock
from ._history import Bracket, History


@dataclass(frozen=True)
class Watch:
    """What a bracket reports to, and what may stop it.

    Attributes:
        progress: called after every chunk.
        stop: asked between chunks.
        clock: of the whole run.
        scale: from a program's score to the metric's unit.
        percent: whether scores are shares that people read as per cent.
        expected_seconds: the plan's estimate for this bracket, until measured speed replaces it.
    """

    progress: Callable[[Progress], None]
    stop: Callable[[], bool]
    clock: Clock
    scale: float
    percent: bool
    expected_seconds: float


def train_bracket(
    bracket: Bracket, engine: LocalEngine, history: History, scheduler: Scheduler, watch: Watch
) -> None:
    """Train all trials of a bracket, or as many as `watch.stop` allows.

    Every decision depends on recorded scores alone, so the same data, seed and machine give the
    same study whatever the order in which programs finish.
    """
    alive = tuple(bracket.specs)
    meter = _Meter(bracket, watch, best_trial(history.trials()))
    for index, rung in enumerate(bracket.rungs):
        meter.enter(index, len(alive))
        for chunk in engine.train(alive, rung.epochs, watch.stop):
            history.chunk(bracket.population, chunk)
            meter.add(len(chunk.trials), chunk.metrics["dev_score"])
        members = set(alive)
        reached = [t for t in history.trials() if t.number in members]
        done = [t for t in reached if not t.status.over and t.epochs >= t.spec.whole("epochs")]
        history.decide("finish", [t.number for t in done], Status.FINISHED, rung.epochs)
        over = {t.number for t in done}
        reached = [replace(t, status=Status.FINISHED) if t.number in over else t for t in reached]
        unfinished = [t.number for t in reached if not t.status.over]
        if unfinished and watch.stop():
            history.decide("interrupt", unfinished, Status.INTERRUPTED, rung.epochs)
            return
        if index < len(bracket.rungs) - 1:
            decision = scheduler.decide(reached, bracket.rungs[index + 1].networks)
            history.decide("prune", decision.prune, Status.PRUNED, rung.epochs)
            history.decide("promote", decision.promote, Status.PAUSED, rung.epochs)
            alive = decision.promote
        best = best_trial(history.trials())
        engine.forget(alive if best is None else [*alive, best.number])
        meter.close_rung()
        if not alive:
            return


def best_trial(trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with the best dev score, or None when no trial has a finite one."""
    scored = [t for t in trials if math.isfinite(t.score)]
    return min(scored, key=Trial.rank_key) if scored else None


class _Meter:
    """Counts member-epochs and estimates the time that is left."""

    def __init__(self, bracket: Bracket, watch: Watch, best: Trial | None) -> None:
        self._bracket, self._watch = bracket, watch
        self._total = bracket.member_epochs()
        self._began = watch.clock.seconds()
        self._done = 0
        self._rung = self._alive = 0
        self._best = math.inf if best is None else best.score * watch.scale

    def enter(self, rung: int, alive: int) -> None:
        self._rung, self._alive = rung, alive
        self._tell("compiling" if self._done == 0 else "training", ended=False)

    def add(self, members: int, scores: np.ndarray) -> None:
        self._done += members
        finite = scores[np.isfinite(scores)]
        if finite.size:
            self._best = min(self._best, float(finite.min()) * self._watch.scale)
        self._tell("training", ended=False)

    def close_rung(self) -> None:
        """Count what early stops and divergence spared as done."""
        rungs = self._bracket.rungs[: self._rung + 1]
        before = (0, *(r.epochs for r in rungs[:-1]))
        self._done = sum(r.networks * (r.epochs - b) for r, b in zip(rungs, before, strict=True))
        self._tell("training", ended=True)

    def _tell(self, phase: str, *, ended: bool) -> None:
        share = min(1.0, self._done / self._total)
        spent = self._watch.clock.seconds() - self._began
        if share > 0.05:
            left = spent / share - spent
        else:
            left = max(0.0, self._watch.expected_seconds - spent)
        self._watch.progress(
            Progress(
                phase=phase,
                rung=self._rung + 1,
                rungs=len(self._bracket.rungs),
                alive=self._alive,
                networks=len(self._bracket.specs),
                share=share,
                best=self._best if math.isfinite(self._best) else None,
                seconds_left=min(left, max(0.0, self._watch.clock.left())),
                rung_ended=ended,
                percent=self._watch.percent,
            )
        )
