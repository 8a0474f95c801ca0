"""Snapshots: states of networks in files that their hashes name, verified when they are read."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepwell._base._errors import UsageError
from deepwell.storage._blobs import load_arrays, save_arrays
from deepwell.storage._deed import KeptState
from deepwell.storage._files import write_error
from deepwell.storage._study_record import StudyRecord

from ._history import History

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy
    from deepwell.training._program import State

SNAPSHOT = "snapshot"


def keep_snapshot(history: History, number: int, state: State) -> KeptState:
    """Write a network's state to a file, and return what the store is to know of it.

    Raises:
        UsageError: when the folder cannot be written; StudyError: when the disk fails.
    """
    folder = snapshot_folder(history.store, history.record)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{secrets.token_hex(8)}.part"
        hash_ = save_arrays(draft, {name: np.asarray(array) for name, array in state.items()})
        file = draft.replace(folder / f"{hash_}.safetensors")
        size = file.stat().st_size
    except OSError as error:
        raise write_error(error, folder) from error
    return KeptState(number, int(state["epoch"]), SNAPSHOT, hash_, size)


def read_snapshot(store: Store, record: StudyRecord, number: int, epoch: int) -> State | None:
    """Return the state that a network had after an epoch, or None where no good one is kept."""
    for state in store.requests.kept_states(record.id, SNAPSHOT):
        if (state.trial, state.epoch) == (number, epoch):
            try:
                read = load_arrays(snapshot_folder(store, record) / f"{state.hash}.safetensors")
            except UsageError:
                return None
            return dict(read.arrays) if read.sha256 == state.hash else None
    return None


def snapshot_folder(store: Store, record: StudyRecord) -> Path:
    """Return where a study's snapshots lie."""
    return store.folder / record.name / "snapshots"
