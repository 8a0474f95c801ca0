"""What a person ended ends again, where the records of a study went back to before that."""

from __future__ import annotations

from deepwell.records import ChunkRecord
from deepwell.study._history import History
from deepwell.study._on_the_way import endings_of


class Endings:
    """Who was ended by hand, and has to end there again.

    What ends a network by hand makes a checkpoint. Where that is damaged or gone, as from a backup
    that was restored, all networks are trained again from their starts, these too.

    Args:
        history: the study.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._told = endings_of(history)

    def due(self) -> dict[int, str]:
        """Return the trials that are not over, and were by now -> why."""
        if not self._told:
            return {}
        return {
            t.number: self._told[t.number].why
            for t in self._history.trials(min(self._told))
            if t.number in self._told
            and not t.status.over
            and t.epochs >= self._told[t.number].epoch
        }

    def reached_by(self, chunk: ChunkRecord) -> bool:
        """Return whether one of them has come to its end with an epoch."""
        return bool(self._told) and any(
            number in self._told and chunk.epoch >= self._told[number].epoch
            for number in chunk.trials.tolist()
        )
