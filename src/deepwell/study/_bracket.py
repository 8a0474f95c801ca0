"""One bracket: a round of proposals trained rung by rung, the scheduler deciding in between."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from deepwell.data._batches import steps_per_epoch
from deepwell.execution._local import LocalEngine
from deepwell.records import ChunkRecord, Progress, Status, Trial
from deepwell.search.schedulers._scheduler import Moment, Scheduler
from deepwell.search.spaces._domain import Domain

from ._best_so_far import BestSoFar
from ._budget import Clock
from ._checkpoint import Checkpoints, Position
from ._contenders import Contenders
from ._forks import Copied, forked
from ._history import Bracket, Decided, History
from ._probe_choice import Probing
from ._probing import chosen


@dataclass(frozen=True)
class Deciding:
    """Who decides at rungs, and what decisions depend on beside the trials.

    Attributes:
        scheduler: decides.
        domain: what is searched.
        seed: of the study.
    """

    scheduler: Scheduler
    domain: Domain
    seed: int


@dataclass(frozen=True)
class Part:
    """Which part of the whole work a bracket is.

    Attributes:
        round: counted from 1; rounds: how many there are, as far as they are known.
        before: share of the work that lies before it.
        share: of the work that it is.
    """

    round: int = 1
    rounds: int = 1
    before: float = 0.0
    share: float = 1.0


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
        part: which part of the whole work the bracket is.
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
    part: Part = field(default_factory=Part)


def train_bracket(
    bracket: Bracket,
    engine: LocalEngine,
    history: History,
    deciding: Deciding,
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
        deciding: decides at each rung.
        watch: hears where the bracket stands, and may stop it.
        position: where an earlier run left it; None begins at the first rung.
    """
    here = position or _begin(bracket, engine, history, deciding, watch)
    meter = _Meter(bracket, watch, history, here)
    while here.alive and here.rung < len(bracket.rungs):
        rung = bracket.rungs[here.rung]
        meter.enter(here.rung, len(here.alive))
        _train_to(rung.epochs, here, bracket, engine, history, watch, meter)
        members = bracket.together(here.alive)
        reached = [t for t in history.trials(min(members)) if t.number in members]
        finished = [t.number for t in reached if _at_its_end(t)]
        left = [t.number for t in reached if not t.status.over and not _at_its_end(t)]
        if left and watch.stop():
            watch.checkpoints.stopped(bracket, here)
            history.decide(Decided(finish=finished), rung.epochs)
            history.interrupt(left, rung.epochs)
            return
        if deciding.scheduler.wave:
            history.arrive(bracket.population, here.rung, sorted(here.at_work))
            here = _next_wave(bracket, here, engine, history, deciding, watch)
        else:
            decided = _decide(bracket, here.rung, deciding, history, reached)
            history.decide(decided, rung.epochs)
            bracket, copies = _fork(bracket, decided, rung.epochs, engine, history, watch)
            alive = (*decided.promote, *copies)
            here = _enter(bracket, here.rung + 1, alive, engine, history, watch)
        _forget(engine, history, here.alive)
        watch.checkpoints.rung_ended(bracket, here)
        meter.close_rung(here)


def _train_to(
    epoch: int,
    here: Position,
    bracket: Bracket,
    engine: LocalEngine,
    history: History,
    watch: Watch,
    meter: _Meter,
) -> None:
    """Train who is at work up to an epoch, or until a stop."""
    going = history.going(here.at_work)
    waiting = set(here.alive).difference(here.at_work)
    for chunk in engine.train(sorted(going), epoch, watch.stop, watch.probing.plan(here.probed)):
        history.chunk(bracket.population, chunk, watch.clock.seconds())
        watch.contenders.see(chunk)
        meter.add(chunk)
        ended = {n for n in chunk.trials.tolist() if _ends(chunk, n, bracket)}
        if ended:  # of them only the best is needed any more
            watch.contenders.keep(sorted(ended))
            going -= ended
            _forget(engine, history, going | waiting)
        watch.checkpoints.chunk_recorded(bracket, here)
        _tell_shortages(engine, history)
    _tell_shortages(engine, history)


def _begin(
    bracket: Bracket, engine: LocalEngine, history: History, deciding: Deciding, watch: Watch
) -> Position:
    """Return where a bracket stands before anything is trained."""
    alive = tuple(bracket.specs)
    return _enter(bracket, 0, alive, engine, history, watch, alive[: deciding.scheduler.wave])


def _enter(
    bracket: Bracket,
    index: int,
    alive: tuple[int, ...],
    engine: LocalEngine,
    history: History,
    watch: Watch,
    wave: tuple[int, ...] = (),
) -> Position:
    """Return where a bracket stands when these trials are about to begin a rung."""
    if index == len(bracket.rungs) or not alive:
        return Position(bracket.population, index, alive)
    members = set(wave or alive)
    reached = [t for t in history.trials(min(members)) if t.number in members]
    probed = chosen(watch.probing, reached, bracket.rungs[index], engine)
    return Position(bracket.population, index, alive, probed, wave)


def _next_wave(
    bracket: Bracket,
    here: Position,
    engine: LocalEngine,
    history: History,
    deciding: Deciding,
    watch: Watch,
) -> Position:
    """Record what becomes of the trials that came to a rung, and return who trains next."""
    trials = [t for t in history.trials(min(bracket.specs)) if t.number in bracket.specs]
    ended = [t.number for t in trials if _at_its_end(t)]
    over, arrivals = set(ended), history.arrivals(bracket.population, len(bracket.rungs))
    told = history.with_curves(trials)
    moment = Moment(
        trials=[replace(t, status=Status.FINISHED) if t.number in over else t for t in told],
        rungs=bracket.rungs,
        rung=min(here.rung, len(bracket.rungs) - 2),
        first=min(bracket.specs),
        domain=deciding.domain,
        arrivals=arrivals,
    )
    decision = deciding.scheduler.decide(moment)
    gone = over | set(decision.prune)
    alive = tuple(t.number for t in trials if not t.status.over and t.number not in gone)
    waits = set(here.at_work).intersection(alive).difference(decision.promote)
    epochs = bracket.rungs[here.rung].epochs
    decided = Decided(ended, decision.prune, decision.promote, pause=sorted(waits))
    history.decide(decided, epochs)
    if not decision.promote:
        return Position(bracket.population, len(bracket.rungs), ())
    rung = sum(decision.promote[0] in came for came in arrivals)
    return _enter(bracket, rung, alive, engine, history, watch, decision.promote)


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


def _decide(
    bracket: Bracket,
    rung: int,
    deciding: Deciding,
    history: History,
    reached: Sequence[Trial],
) -> Decided:
    """Return what becomes of the trials that reached a rung."""
    ended = [t.number for t in reached if _at_its_end(t)]
    if rung == len(bracket.rungs) - 1:
        return Decided(finish=ended)
    over, told = set(ended), reached
    if deciding.scheduler.curves:
        told = history.with_curves(reached)
    moment = Moment(
        trials=[replace(t, status=Status.FINISHED) if t.number in over else t for t in told],
        rungs=bracket.rungs,
        rung=rung,
        first=min(bracket.specs),
        domain=deciding.domain,
        key=np.random.SeedSequence([deciding.seed, bracket.population, rung + 1]),
    )
    decision = deciding.scheduler.decide(moment)
    return Decided(ended, decision.prune, decision.promote, decision.forks)


def _fork(
    bracket: Bracket,
    decided: Decided,
    epoch: int,
    engine: LocalEngine,
    history: History,
    watch: Watch,
) -> tuple[Bracket, tuple[int, ...]]:
    """Return the bracket with the copies that were decided on, and their numbers."""
    if not decided.forks:
        return bracket, ()
    first, copies = max(bracket.specs) + 1, list[Copied]()
    for number, fork in enumerate(decided.forks, start=first):
        spec = forked(bracket.specs[fork.source], epoch, fork.changes)
        steps = steps_per_epoch(engine.shape.train_rows, spec.whole("batch_size"))
        copies.append(Copied(number, fork.source, spec, steps))
    for copy in copies:
        engine.fork(copy.source, copy.number, copy.spec)
    history.fork(copies, epoch, watch.clock.seconds())
    return bracket.joined(copies), tuple(copy.number for copy in copies)


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
        self._total, self._entered = bracket.member_epochs(), False
        self._began = watch.clock.seconds()
        trials, members = history.trials(), set(position.alive)
        if position.wave:
            self._done = sum(t.epochs for t in trials if t.number in bracket.specs)
        else:
            self._done = bracket.epochs_below(position.rung)
            below = bracket.rungs[position.rung - 1].epochs if position.rung else 0
            self._done += sum(max(0, t.epochs - below) for t in trials if t.number in members)
        self._before = self._done
        self._rung = self._alive = 0
        self._lost = {t.number for t in trials if t.status in _LOST and t.number in members}
        self._scores = BestSoFar(bracket, trials)

    def enter(self, rung: int, alive: int) -> None:
        self._rung, self._alive = rung, alive
        if self._entered:
            self._lost.clear()  # they are not among those alive any more
        self._entered = True
        self._tell("compiling" if self._done == self._before else "training", ended=False)

    def add(self, chunk: ChunkRecord) -> None:
        self._done += len(chunk.trials)
        self._lost |= {n for n, status in chunk.statuses.items() if status in _LOST}
        self._scores.add(chunk)
        self._tell("training", ended=False)

    def close_rung(self, here: Position) -> None:
        """Count what early stops and divergence spared as done."""
        if not here.wave:
            self._done = self._bracket.epochs_below(here.rung)
        self._tell("training", ended=True)

    def _tell(self, phase: str, *, ended: bool) -> None:
        part, best = self._watch.part, self._scores.best
        inside = min(1.0, self._done / self._total)
        share = part.before + part.share * inside
        spent = self._watch.clock.seconds() - self._began
        gained = inside - self._before / self._total
        if gained > 0.05:
            left = spent * (1.0 - share) / (gained * part.share)
        else:
            left = max(0.0, self._watch.expected_seconds * (1.0 - part.before) - spent)
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
                round=part.round,
                rounds=part.rounds,
            )
        )
