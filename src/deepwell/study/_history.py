"""The study's memory while it runs: writes every act to the store, reads trials back."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deepwell.records import ChunkRecord, Event, Rung, Status, Trial, TrialSpec
from deepwell.storage._study_record import StudyRecord

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy


@dataclass(frozen=True)
class Bracket:
    """A round of proposals and the rungs they climb.

    Attributes:
        population: counted from 0 in the order of rounds.
        specs: trial number -> configuration.
        rungs: epochs and networks of each rung.
    """

    population: int
    specs: Mapping[int, TrialSpec]
    rungs: tuple[Rung, ...]

    def member_epochs(self) -> int:
        """Return the epochs of all members together, if none stops early."""
        before = (0, *(r.epochs for r in self.rungs[:-1]))
        return sum(r.networks * (r.epochs - b) for r, b in zip(self.rungs, before, strict=True))


class History:
    """One study's rows in the store.

    Args:
        store: an open store.
        record: the study's row.
    """

    def __init__(self, store: Store, record: StudyRecord) -> None:
        self.store = store
        self.record = record

    def propose(self, bracket: Bracket) -> None:
        """Record a round of proposals with the rungs that they are to climb."""
        details = {
            "population": bracket.population,
            "networks": len(bracket.specs),
            "rungs": [[rung.epochs, rung.networks] for rung in bracket.rungs],
        }
        event = Event(time.time(), "propose", details=details)
        self.store.propose(self.record.id, sorted(bracket.specs.items()), event)

    def note(self, kind: str, details: Mapping[str, object]) -> None:
        """Record an event of the study."""
        self.store.append_event(self.record.id, Event(time.time(), kind, details=details))

    def chunk(self, population: int, chunk: ChunkRecord) -> None:
        """Record an epoch of a population, in one transaction; say where a trial diverged."""
        self.store.record_chunk(self.record.id, population, chunk)
        diverged = {n for n, s in chunk.statuses.items() if s is Status.DIVERGED}
        if diverged:
            steps = dict(zip(chunk.trials.tolist(), chunk.steps.tolist(), strict=True))
            self.store.record_statuses(
                self.record.id,
                dict.fromkeys(diverged, Status.DIVERGED),
                {n: f"its cost became NaN or infinite at step {steps[n]}" for n in diverged},
                None,
            )
        failed = {n for n, s in chunk.statuses.items() if s is Status.FAILED}
        if failed:
            self.store.record_statuses(
                self.record.id,
                dict.fromkeys(failed, Status.FAILED),
                dict.fromkeys(failed, "it alone does not fit in memory"),
                None,
            )

    def decide(self, kind: str, trials: Sequence[int], status: Status, epoch: int) -> None:
        """Record that trials took a status at an epoch, as an event with their numbers."""
        if not trials:
            return
        event = Event(time.time(), kind, details={"trials": list(trials), "epoch": epoch})
        self.store.record_statuses(self.record.id, dict.fromkeys(trials, status), {}, event)

    def finish(self, status: str, why: str) -> None:
        """Record how the study ended."""
        self.note("stop" if why else "finish", {"why": why} if why else {})
        self.store.set_status(self.record.id, status)

    def interrupted(self) -> bool:
        """Return whether a trial was cut short by the clock or a person."""
        return any(t.status is Status.INTERRUPTED for t in self.trials())

    def trials(self) -> list[Trial]:
        """Return all trials so far, without their curves."""
        return self.store.trials(self.record.id)
