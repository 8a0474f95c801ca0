"""Who has come to which rung of a bracket that does not wait for all of one, and how good it was.

Networks come a few at a time, and every time something is decided. What is decided depends on the
scores at the rungs, which do not change any more: so they are recorded with the arrival, and no
curve is read again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from deepwell.records import Rung, Status, Trial
from deepwell.search.schedulers._curves import curve_of

from ._history import ARRIVE, History

_LOST = (Status.DIVERGED, Status.FAILED)


class Arrivals:
    """The arrivals of one study, in its events.

    Attributes:
        history: of the study.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self._read: dict[tuple[int, int], float] = {}  # trial, epochs -> its score then

    def record(self, population: int, rung: int, trials: Sequence[Trial]) -> None:
        """Record that trials came to a rung of a bracket just now, with their scores."""
        scores = [t.score if t.status not in _LOST else math.inf for t in trials]
        details = {
            "population": population,
            "rung": rung,
            "trials": [trial.number for trial in trials],
            "scores": [score if math.isfinite(score) else None for score in scores],
        }
        self.history.note(ARRIVE, details)

    def so_far(self, population: int, rungs: Sequence[Rung]) -> tuple[dict[int, float], ...]:
        """Return for each rung of a bracket the trials that have come to it, with their scores.

        An infinite score says that there is none to go by.
        """
        came: list[dict[int, float]] = [{} for _ in rungs]
        store, study = self.history.store, self.history.record.id
        told: list[Any] = [event.details for event in store.events(study, ARRIVE)]
        for details in told:
            if details["population"] == population:
                rung: int = details["rung"]
                numbers: list[int] = details["trials"]
                scores: list[float | None] | None = details.get("scores")
                if scores is None:  # of copies by hand, and in studies of an older Deepwell
                    scores = self._scores_at(rungs[rung].epochs, numbers)
                pairs = zip(numbers, scores, strict=True)
                came[rung] |= {n: math.inf if score is None else score for n, score in pairs}
        return tuple(came)

    def _scores_at(self, epochs: int, numbers: Sequence[int]) -> list[float | None]:
        """Return the best scores that trials had after so many epochs, from their curves.

        They have trained beyond by now, so that what was read once stays as it is.
        """
        missing = [n for n in numbers if (n, epochs) not in self._read]
        trials = self.history.trials_of(missing) if missing else []
        for trial in self.history.with_curves(trials) if trials else ():
            curve = curve_of(trial)[:epochs]
            self._read[trial.number, epochs] = float(curve.min()) if len(curve) else math.inf
        return [self._read[n, epochs] for n in numbers]
