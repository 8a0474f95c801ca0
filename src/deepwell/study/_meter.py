"""The progress of a bracket: member-epochs done, and the time that is left."""

from __future__ import annotations

import math

from deepwell.records import ChunkRecord, Progress, Status

from ._best_so_far import BestSoFar
from ._checkpoint import Position
from ._history import Bracket, History
from ._watch import Watch

_LOST = (Status.DIVERGED, Status.FAILED)


class Meter:
    """Counts member-epochs and estimates the time that is left.

    Args:
        bracket: that is trained.
        watch: that is told.
        history: of the study.
        position: where the bracket stands.
    """

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

    def enter(self, bracket: Bracket, rung: int, alive: int) -> None:
        """Tell that so many networks begin a rung of the bracket as it is by now."""
        self._bracket, self._total = bracket, bracket.member_epochs()
        self._rung, self._alive = rung, alive
        if self._entered:
            self._lost.clear()  # they are not among those alive any more
        self._entered = True
        self._tell("compiling" if self._done == self._before else "training", ended=False)

    def add(self, chunk: ChunkRecord) -> None:
        """Count an epoch and tell it."""
        self._done += len(chunk.trials)
        self._lost |= {n for n, status in chunk.statuses.items() if status in _LOST}
        self._scores.add(chunk)
        self._tell("training", ended=False)

    def pause(self) -> None:
        """Tell that the networks wait for a person."""
        self._tell("paused", ended=False)

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
