"""The race of a fork's copies: after some epochs the best one goes on, the others end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwell.records import ChunkRecord, Event, Status, Trial
from deepwell.study._history import History

from ._act import Stand

if TYPE_CHECKING:
    from deepwell.study._desk import Desk

RACE, WON = "race", "race_won"
_OUT = (Status.PRUNED, Status.DIVERGED, Status.FAILED)


@dataclass(frozen=True)
class Race:
    """Copies that race.

    Attributes:
        source: the network that they are copies of.
        copies: their numbers.
        epoch: after which they began.
        until: the epoch after which the best of them goes on.
    """

    source: int
    copies: tuple[int, ...]
    epoch: int
    until: int

    def concerns(self, chunk: ChunkRecord) -> bool:
        """Return whether an epoch may have ended the race."""
        told = set(self.copies).intersection(chunk.trials.tolist())
        ended = {n for n, status in chunk.statuses.items() if status.over}
        return bool(told) and (chunk.epoch >= self.until or bool(told & ended))


def races_of(history: History) -> tuple[Race, ...]:
    """Return the races of a study that are not decided."""
    store, study = history.store, history.record.id
    over: list[Any] = [event.details["copies"] for event in store.events(study, WON)]
    begun: list[tuple[int | None, Any]] = [(e.trial, e.details) for e in store.events(study, RACE)]
    return tuple(
        Race(source, tuple(told["copies"]), told["epoch"], told["until"])
        for source, told in begun
        if source is not None and told["copies"] not in over
    )


def end_races(desk: Desk, stand: Stand, races: Sequence[Race]) -> Stand:
    """Decide the races whose copies have all come far enough, or are over."""
    trials = {trial.number: trial for trial in desk.history.trials()}
    for race in races:
        racing = [trials[n] for n in race.copies]
        if all(t.status.over or t.epochs >= race.until for t in racing):
            _decide(desk, stand, race, racing)
    return stand


def _decide(desk: Desk, stand: Stand, race: Race, racing: Sequence[Trial]) -> None:
    able = [trial for trial in racing if trial.status not in _OUT]
    scores = {trial.number: _best_since(desk, trial, race) for trial in racing}
    best = min(able, key=lambda t: (*scores[t.number], t.number)).number if able else None
    losers = [t.number for t in able if t.number != best and not t.status.over]
    details: dict[str, object] = {
        "copies": list(race.copies),
        "best": best,
        "epoch": race.until,
        "scores": [scores[n][0] for n in race.copies],
    }
    desk.record(
        stand,
        None,
        [Event(time.time(), WON, race.source, details)],
        statuses=dict.fromkeys(losers, Status.PRUNED),
        messages=dict.fromkeys(losers, f"lost the race of {len(racing)} copies to {best}"),
    )


def _best_since(desk: Desk, trial: Trial, race: Race) -> tuple[float, float]:
    """Return a copy's best dev score in the race, with the cost of that epoch."""
    curves = desk.history.store.curves_of(desk.history.record.id, trial)
    within = slice(race.epoch, race.until)
    pairs = zip(
        np.asarray(curves["dev_score"][within], float).tolist(),
        np.asarray(curves["dev_cost"][within], float).tolist(),
        strict=True,
    )
    told = [(score, cost) for score, cost in pairs if np.isfinite(score) and np.isfinite(cost)]
    return min(told, default=(float("inf"), float("inf")))
