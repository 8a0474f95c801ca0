"""The race of a fork's copies: after some epochs the best one goes on, the others end."""

from __future__ import annotations

import time
from collections.abc import Mapping
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

    def on_the_way(self, trials: Mapping[int, Trial]) -> set[int]:
        """Return the copies that have not come far enough yet, and are not over.

        Args:
            trials: by their numbers.
        """
        racing = (trials[number] for number in self.copies)
        return {t.number for t in racing if not t.status.over and t.epochs < self.until}


class Races:
    """The races of a study that are not decided, and who is still on the way in each.

    Copies that train in different programs come to the end of a race at different times, so most
    epochs beyond it decide nothing: only that of the last one on its way does.

    Args:
        history: the study.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._open = races_of(history)
        self._left: dict[Race, set[int]] = {}

    def over(self) -> list[Race]:
        """Return the races that can be decided as the study stands now."""
        self._left = {}
        if self._open:
            first = min(number for race in self._open for number in race.copies)
            trials = {trial.number: trial for trial in self._history.trials(first)}
            self._left = {race: race.on_the_way(trials) for race in self._open}
        return [race for race, left in self._left.items() if not left]

    def ended_by(self, chunk: ChunkRecord) -> bool:
        """Return whether a race can be decided after an epoch; each epoch is told once."""
        ended = {n for n, status in chunk.statuses.items() if status.over}
        for race, left in self._left.items():
            left -= set(chunk.trials.tolist()) if chunk.epoch >= race.until else ended
        return any(not left for left in self._left.values())


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


def decide(desk: Desk, stand: Stand, race: Race) -> None:
    """Let the best copy of a race go on, and the others end."""
    known = {trial.number: trial for trial in desk.history.trials(min(race.copies))}
    racing = [known[number] for number in race.copies]
    able = [trial for trial in racing if trial.status not in _OUT]
    told = desk.history.with_curves(racing)
    scores = {trial.number: _best_since(trial, race) for trial in told}
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
        ended=dict.fromkeys(losers, f"lost the race of {len(racing)} copies to {best}"),
    )


def _best_since(trial: Trial, race: Race) -> tuple[float, float]:
    """Return a copy's best dev score in the race, with the cost of that epoch."""
    curves, within = trial.curves, slice(race.epoch, race.until)
    pairs = zip(
        np.asarray(curves["dev_score"][within], float).tolist(),
        np.asarray(curves["dev_cost"][within], float).tolist(),
        strict=True,
    )
    told = [(score, cost) for score, cost in pairs if np.isfinite(score) and np.isfinite(cost)]
    return min(told, default=(float("inf"), float("inf")))
