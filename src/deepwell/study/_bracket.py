"""One bracket: a round of proposals trained rung by rung, the scheduler deciding in between."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, replace

import numpy as np

from deepwell.execution._local import LocalEngine
from deepwell.records import ChunkRecord, Status, Trial
from deepwell.search.schedulers._scheduler import Moment

from ._checkpoint import Position
from ._forks import copied
from ._history import Bracket, Decided, History
from ._meter import Meter
from ._probing import chosen
from ._watch import Deciding, Watch


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
    meter = Meter(bracket, watch, history, here)
    while here.alive and here.rung < len(bracket.rungs):
        meter.enter(here.rung, len(here.alive))
        bracket, here = _train_rung(bracket, here, engine, history, watch, meter)
        rung = bracket.rungs[here.rung]
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
            decided = _decide(bracket, here.rung, deciding, history, reached, watch)
            history.decide(decided, rung.epochs)
            bracket, copies = _fork(bracket, decided, rung.epochs, engine, history, watch)
            alive = (*decided.promote, *copies)
            here = _enter(bracket, here.rung + 1, alive, engine, history, watch)
        watch.retention.settled(set(bracket.specs).difference(here.alive))
        _forget(engine, history, here.alive)
        watch.checkpoints.rung_ended(bracket, here)
        meter.close_rung(here)


def _train_rung(
    bracket: Bracket,
    here: Position,
    engine: LocalEngine,
    history: History,
    watch: Watch,
    meter: Meter,
) -> tuple[Bracket, Position]:
    """Train who is at work up to the rung, or until a stop, with the changes by hand on the way.

    Returns:
        Where the bracket stands then; other processes may have changed it.
    """
    while watch.desk.overdue() or _train_to(here, bracket, engine, history, watch, meter):
        stand = watch.desk.attend(bracket, here, watch.stop, meter.pause)
        bracket, here = stand.bracket, stand.here
        going = history.going(here.at_work)
        watch.retention.settled(set(here.at_work).difference(going))
        _forget(engine, history, going.union(here.alive).difference(here.at_work) | going)
    return bracket, here


def _train_to(
    here: Position,
    bracket: Bracket,
    engine: LocalEngine,
    history: History,
    watch: Watch,
    meter: Meter,
) -> bool:
    """Train who is at work up to the rung, or until a stop, or until the desk is to be attended.

    Returns:
        Whether it is; all states stand at the end of the epochs that were recorded.
    """
    epoch, going = bracket.rungs[here.rung].epochs, history.going(here.at_work)
    waiting = set(here.alive).difference(here.at_work)
    plan = watch.probing.plan(here.probed)
    with closing(engine.train(sorted(going), epoch, watch.stop, plan)) as chunks:
        for chunk in chunks:
            asked = history.chunk(bracket.population, chunk, watch.clock.seconds())
            watch.contenders.see(chunk)
            meter.add(chunk)
            ended = {n for n in chunk.trials.tolist() if _ends(chunk, n, bracket)}
            if ended:  # of them only the best is needed any more
                watch.contenders.keep(sorted(ended))
                watch.retention.settled(ended)
                going -= ended
                _forget(engine, history, going | waiting)
            watch.checkpoints.chunk_recorded(bracket, here)
            _tell_shortages(engine, history)
            if watch.desk.due(chunk, asked):
                return True
    _tell_shortages(engine, history)
    return False


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
        domain=watch.desk.asked.settings.space,
        arrivals=arrivals,
        roots=history.roots(),
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
    watch: Watch,
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
        domain=watch.desk.asked.settings.space,
        key=np.random.SeedSequence([deciding.seed, bracket.population, rung + 1]),
        roots=history.roots(),
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
    # From the bracket's own numbers on: trained again after a kill, they get the same ones.
    numbers = history.free_numbers(max(bracket.specs) + 1, len(decided.forks))
    rows = engine.shape.train_rows
    copies = [
        copied(number, one.source, bracket.specs[one.source], epoch, one.changes, rows)
        for number, one in zip(numbers, decided.forks, strict=True)
    ]
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
