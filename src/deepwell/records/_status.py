"""Where a trial stands."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """The states of a trial; each value is the word that is stored and shown."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"  # at a rung: the scheduler has not decided yet
    FINISHED = "finished"
    EARLY_STOPPED = "early stopped"  # no better dev score for `patience` epochs
    PRUNED = "pruned"  # the scheduler stopped it at a rung
    DIVERGED = "diverged"  # its cost became NaN or infinite
    FAILED = "failed"  # it could not be trained, as when it alone does not fit in memory
    INTERRUPTED = "interrupted"  # the clock or a person stopped the study

    @property
    def over(self) -> bool:
        """Whether the trial trains no further by itself."""
        return self not in (Status.WAITING, Status.RUNNING, Status.PAUSED)
