"""Snapshots: states of networks that a person asked for, kept as all states are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepwell._base._errors import StudyError
from deepwell.storage._kept_state import SNAPSHOT, KeptState
from deepwell.storage._study_record import StudyRecord

from ._history import History

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy
    from deepwell.training._program import State


def keep_snapshot(history: History, number: int, state: State) -> KeptState:
    """Write a network's state to a file, and return what the store is to know of it.

    Raises:
        UsageError: when the folder cannot be written; StudyError: when the disk fails.
    """
    return history.store.states.write(number, int(state["epoch"]), SNAPSHOT, state)


def read_snapshot(store: Store, record: StudyRecord, number: int, epoch: int) -> State | None:
    """Return the state that a network had after an epoch, or None where no good one is kept."""
    for state in store.states.of(record.id, SNAPSHOT):
        if (state.trial, state.epoch) == (number, epoch):
            try:
                return dict(store.states.read(state))
            except StudyError:
                return None
    return None


def snapshots_of(store: Store, record: StudyRecord, number: int) -> list[int]:
    """Return the epochs after which a network's state is kept, rising."""
    return sorted(s.epoch for s in store.states.of(record.id, SNAPSHOT) if s.trial == number)
