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

from ._arrivals import Arrivals
from ._checkpoint import Position
from ._forks import copied
from ._history import Bracket, Decided, History
from ._meter import Meter
from ._probing import chosen
from ._watch import Deciding, Watch

_BY_THEMSELVES = (Status.EARLY_STOPPED, Status.FINISHED)


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
    meter, arrivals = Meter(bracket, watch, history, here), Arrivals(history)
    while here.alive and here.rung < len(bracket.rungs):
        meter.enter(bracket, here.rung, len(here.alive))
        bracket, here = _train_rung(bracket, here, engine, history, watch, meter)
        if watch.stop() and _cut_short(bracket, here, history, watch):
            return
        if deciding.scheduler.wave:
            here = _next_wave(bracket, here, engine, arrivals, deciding, watch)
        else:
            epochs = bracket.rungs[here.rung].epochs
            decided = _decide(bracket, here, deciding, history, watch)
            history.decide(decided, epochs)
            bracket, copies = _fork(bracket, decided, epochs, engine, history, watch)
            alive = (*decided.promote, *copies)
            here = _enter(bracket, here.rung + 1, alive, engine, history, watch)
        watch.retention.settled(set(bracket.specs).difference(here.alive))
        _forget(engine, history, here.alive)
        watch.checkpoints.rung_ended(bracket, here)
        meter.close_rung(here)


def _cut_short(bracket: Bracket, here: Position, history: History, watch: Watch) -> bool:
    """Record where a run stops; return whether it does: not where all have come to their ends."""
    reached = history.trials_of(bracket.together(here.alive))
    finished = [t.number for t in reached if _at_its_end(t)]
    left = [t.number for t in reached if not t.status.over and not _at_its_end(t)]
    if not left:
        return False
    epochs = bracket.rungs[here.rung].epochs
    watch.checkpoints.stopped(bracket, here)
    history.decide(Decided(finish=finished), epochs)
    history.interrupt(left, epochs)
    return True


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
    reached = history.trials_of(wave or alive)
    probed = chosen(watch.probing, reached, bracket.rungs[index], engine)
    return Position(bracket.population, index, alive, probed, wave)


def _next_wave(
    bracket: Bracket,
    here: Position,
    engine: LocalEngine,
    arrivals: Arrivals,
    deciding: Deciding,
    watch: Watch,
) -> Position:
    """Record what becomes of the trials that came to a rung, and return who trains next.

    Of those that wait nothing but whether they are over is read again.
    """
    history, population, rungs = arrivals.history, bracket.population, bracket.rungs
    came = history.trials_of(here.at_work)
    arrivals.record(population, here.rung, came)
    over = {t.number for t in came if _at_its_end(t)}
    moment = Moment(
        trials=[replace(t, status=Status.FINISHED) if t.number in over else t for t in came],
        rungs=rungs,
        rung=min(here.rung, len(rungs) - 2),
        first=min(bracket.specs),
        domain=watch.desk.asked.settings.space,
        arrivals=arrivals.so_far(population, rungs),
        open=tuple(n for n in history.open() if n in bracket.specs and n not in over),
        roots=history.roots(),
    )
    decision = deciding.scheduler.decide(moment)
    gone = set(decision.prune)
    alive = tuple(n for n in moment.open if n not in gone)
    waits = set(here.at_work).intersection(alive).difference(decision.promote)
    decided = Decided(sorted(over), decision.prune, decision.promote, pause=sorted(waits))
    history.decide(decided, rungs[here.rung].epochs)
    if not decision.promote:
        return Position(population, len(rungs), ())
    rung = sum(decision.promote[0] in there for there in moment.arrivals)
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
    bracket: Bracket, here: Position, deciding: Deciding, history: History, watch: Watch
) -> Decided:
    """Return what becomes of the trials that reached a rung."""
    rung, members = here.rung, bracket.together(here.alive)
    last = rung == len(bracket.rungs) - 1
    told = history.trials_of(members if last else bracket.specs)
    if not last:
        members |= _ended_before(bracket, told)
        told = [t for t in told if t.number in members]
    ended = [t.number for t in told if _at_its_end(t)]
    if last:
        return Decided(finish=ended)
    over = set(ended)
    if deciding.scheduler.curves:
        told = history.with_curves(told)
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


def _ended_before(bracket: Bracket, trials: Sequence[Trial]) -> set[int]:
    """Return the trials that came to their ends by themselves: they are ranked with the others.

    Of folds only those of a configuration whose others did so as well.

    Args:
        bracket: the trials and their rungs.
        trials: all of them.
    """
    going = {t.number for t in trials if t.status not in _BY_THEMSELVES}
    return set(bracket.specs) - bracket.together(going)


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
