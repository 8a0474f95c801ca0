"""The best dev score while networks train: a network's, or a configuration's mean over folds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepwell.records import ChunkRecord, Status, Trial

from ._history import Bracket


class BestSoFar:
    """Follows the scores of a bracket, beside those of the trials before it.

    Args:
        bracket: the trials that train; with folds their numbers are in a row.
        trials: all of the study, as they stand when the bracket begins or goes on.

    Attributes:
        best: the lowest score so far in the program's unit, infinite before there is one. A
            configuration counts when all of its folds have a score, each its own best.
    """

    def __init__(self, bracket: Bracket, trials: Sequence[Trial]) -> None:
        self._folds = bracket.folds or 1
        self._first = min(bracket.specs)
        self._scores = np.full(max(bracket.specs) + 1 - self._first, np.inf)
        before = np.full(self._first, np.inf)
        for trial in trials:
            if trial.status is Status.FAILED:
                continue
            if trial.number in bracket.specs:
                self._scores[trial.number - self._first] = trial.score
            elif trial.number < self._first:
                before[trial.number] = trial.score
        self.best = min(self._lowest(before), self._lowest(self._scores))

    def add(self, chunk: ChunkRecord) -> None:
        """Take up the scores of an epoch."""
        places = chunk.trials - self._first
        more = int(places.max(initial=0)) + 1 - len(self._scores)
        if more > 0:  # copies that came on the way
            self._scores = np.append(self._scores, np.full(more, np.inf))
        scores = chunk.metrics["dev_score"]
        finite = np.isfinite(scores)
        np.minimum.at(self._scores, places[finite], scores[finite])
        self.best = min(self.best, self._lowest(self._scores))

    def _lowest(self, scores: np.ndarray) -> float:
        return float(scores.reshape(-1, self._folds).mean(axis=1).min(initial=np.inf))
