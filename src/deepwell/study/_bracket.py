"""One bracket: a round of proposals trained rung by rung, the scheduler deciding in between."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from deepwell.execution._local import LocalEngine
from deepwell.records import ChunkRecord, Progress, Status, Trial
from deepwell.search.schedulers._scheduler import Scheduler

from ._best_so_far import BestSoFar
from ._budget import Clock
from ._checkpoint import Checkpoints, Position
from ._contenders import Contenders
from ._history import Bracket, Decided, History
from ._probe_choice import Probing
from ._probing import chosen


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
        checkpoints: are told where the bracket stands.
        probing: which networks are looked into.
        contenders: remember what the best networks said of the dev rows.
    """

    progress: Callable[[Progress], None]
    stop: Callable[[], bool]
    clock: Clock
    scale: float
    percent: bool
    expected_seconds: float
    checkpoints: Checkpoints
    probing: Probing
    contenders: Contenders


def train_bracket(
    bracket: Bracket,
    engine: LocalEngine,
    history: History,
    scheduler: Scheduler,
    watch: Watch,
    position: Position | None = None,
) -> None:
    """Train all trials of a bracket, or as many as `watch.stop` allows.

    Every decision depends on recorded scores alone, so the same data, seed and machine give the
    same study whatever the order in which programs finish, and wherever it was killed and resumed.

    Args:
        bracket: the trials and their rungs.
        engine: trains them.
        history: keeps what happens.
        scheduler: decides at each rung.
        watch: hears where the bracket stands, and may stop it.
        position: where an earlier run left it; None begins at the first rung.
    """
    here = position or _enter(bracket, 0, tuple(bracket.specs), engine, history, watch)
    meter = _Meter(bracket, watch, history, here)
    for index in range(here.rung, len(bracket.rungs)):
        rung = bracket.rungs[index]
        meter.enter(index, len(here.alive))
        going = history.going(here.alive)
        plan = watch.probing.plan(here.probed)
        for chunk in engine.train(sorted(going), rung.epochs, watch.stop, plan):
            history.chunk(bracket.population, chunk, watch.clock.seconds())
            watch.contenders.see(chunk)
            meter.add(chunk)
            ended = {n for n in chunk.trials.tolist() if _ends(chunk, n, bracket)}
            if ended:  # of them only the best is needed any more
                watch.contenders.keep(sorted(ended))
                going -= ended
                _forget(engine, history, going)
            watch.checkpoints.chunk_recorded(bracket, here)
            _tell_shortages(engine, history)
        _tell_shortages(engine, history)
        members = bracket.together(here.alive)
        reached = [t for t in history.trials() if t.number in members]
        finished = [t.number for t in reached if _at_its_end(t)]
        left = [t.number for t in reached if not t.status.over and not _at_its_end(t)]
        if left and watch.stop():
            watch.checkpoints.stopped(bracket, here)
            history.decide(Decided(finish=finished), rung.epochs)
            history.interrupt(left, rung.epochs)
            return
        decided = _decide(bracket, index, scheduler, reached)
        history.decide(decided, rung.epochs)
        here = _enter(bracket, index + 1, tuple(decided.promote), engine, history, watch)
        _forget(engine, history, here.alive)
        watch.checkpoints.rung_ended(bracket, here)
        meter.close_rung()
        if not here.alive:
            return


def _enter(
    bracket: Bracket,
    index: int,
    alive: tuple[int, ...],
    engine: LocalEngine,
    history: History,
    watch: Watch,
) -> Position:
    """Return where a bracket stands when these trials are about to begin a rung."""
    if index == len(bracket.rungs) or not alive:
        return Position(bracket.population, index, alive)
    members = set(alive)
    reached = [trial for trial in history.trials() if trial.number in members]
    probed = chosen(watch.probing, reached, bracket.rungs[index], engine)
    return Position(bracket.population, index, alive, probed)


def _ends(chunk: ChunkRecord, number: int, bracket: Bracket) -> bool:
    """Return whether a trial trains no further after this epoch, whatever is decided."""
    status = chunk.statuses.get(number, Status.RUNNING)
    return status.over or chunk.epoch >= bracket.specs[number].whole("epochs")


def _forget(engine: LocalEngine, history: History, going: Iterable[int]) -> None:
    """Drop what is needed neither to train on nor as the best network so far."""
    engine.forget(history.to_keep(set(going)))


def _tell_shortages(engine: LocalEngine, history: History) -> None:
    """Record where memory ran out since this was asked last."""
    for shortage in engine.take_shortages():
        history.note("out_of_memory", asdict(shortage))


def _decide(bracket: Bracket, rung: int, scheduler: Scheduler, reached: Sequence[Trial]) -> Decided:
    """Return what becomes of the trials that reached a rung."""
    ended = [t.number for t in reached if _at_its_end(t)]
    if rung == len(bracket.rungs) - 1:
        return Decided(finish=ended)
    over = set(ended)
    told = [replace(t, status=Status.FINISHED) if t.number in over else t for t in reached]
    decision = scheduler.decide(told, bracket.rungs[rung + 1].networks)
    return Decided(ended, decision.prune, decision.promote)


def _at_its_end(trial: Trial) -> bool:
    return not trial.status.over and trial.epochs >= trial.spec.whole("epochs")


def best_trial(trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with the best dev score, or None when no trial has a finite one.

    Those that failed are left out: their weights may be lost.
    """
    scored = [t for t in trials if math.isfinite(t.score) and t.status is not Status.FAILED]
    return min(scored, key=Trial.rank_key) if scored else None


_LOST = (Status.DIVERGED, Status.FAILED)


class _Meter:
    """Counts member-epochs and estimates the time that is left."""

    def __init__(
        self, bracket: Bracket, watch: Watch, history: History, position: Position
    ) -> None:
        self._bracket, self._watch = bracket, watch
        self._total, self._begun_at = bracket.member_epochs(), position.rung
        self._began = watch.clock.seconds()
        self._done = bracket.epochs_below(position.rung)
        below = bracket.rungs[position.rung - 1].epochs if position.rung else 0
        trials, members = history.trials(), set(position.alive)
        self._done += sum(max(0, t.epochs - below) for t in trials if t.number in members)
        self._before = self._done
        self._rung = self._alive = 0
        self._lost = {t.number for t in trials if t.status in _LOST and t.number in members}
        self._scores = BestSoFar(bracket, trials)

    def enter(self, rung: int, alive: int) -> None:
        self._rung, self._alive = rung, alive
        if rung != self._begun_at:
            self._lost.clear()  # they are not among those alive any more
        self._tell("compiling" if self._done == self._before else "training", ended=False)

    def add(self, chunk: ChunkRecord) -> None:
        self._done += len(chunk.trials)
        self._lost |= {n for n, status in chunk.statuses.items() if status in _LOST}
        self._scores.add(chunk)
        self._tell("training", ended=False)

    def close_rung(self) -> None:
        """Count what early stops and divergence spared as done."""
        self._done = self._bracket.epochs_below(self._rung + 1)
        self._tell("training", ended=True)

    def _tell(self, phase: str, *, ended: bool) -> None:
        share, best = min(1.0, self._done / self._total), self._scores.best
        spent = self._watch.clock.seconds() - self._began
        gained = share - self._before / self._total
        if gained > 0.05:
            left = spent * (1.0 - share) / gained
        else:
            left = max(0.0, self._watch.expected_seconds - spent)
        self._watch.progress(
            Progress(
                phase=phase,
                rung=self._rung + 1,
                rungs=len(self._bracket.rungs),
                alive=self._alive - len(self._lost),
                networks=len(self._bracket.specs),
                share=share,
                best=best * self._watch.scale if math.isfinite(best) else None,
                seconds_left=min(left, max(0.0, self._watch.clock.left())),
                rung_ended=ended,
                percent=self._watch.percent,
            )
        )
