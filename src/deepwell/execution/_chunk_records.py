"""What an engine tells of an epoch of a session, as records."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepwell.records import ChunkRecord, Status
from deepwell.training._program import Info, Outcome

_METRICS = ("train_cost", "dev_cost", "dev_score")
_STATUS = {Outcome.EARLY_STOPPED: Status.EARLY_STOPPED, Outcome.DIVERGED: Status.DIVERGED}


def chunk_record(epoch: int, group: Sequence[int], info: Info, moved: np.ndarray) -> ChunkRecord:
    """Return the record of the members that trained in this epoch.

    Args:
        epoch: counted from 1.
        group: trial numbers of the members.
        info: what the last call of the epoch told.
        moved: (P,) whether a member trained in this epoch.
    """
    where = np.flatnonzero(moved)
    numbers = np.asarray(group, np.int64)[where]
    statuses = {
        int(n): _STATUS.get(int(code), Status.RUNNING)
        for n, code in zip(numbers, info.outcome[where], strict=True)
        if epoch == 1 or int(code) != Outcome.RUNNING
    }
    metrics = {name: np.asarray(getattr(info, name)[where], np.float32) for name in _METRICS}
    return ChunkRecord(epoch, numbers, metrics, statuses, np.asarray(info.step[where], np.int64))


def part_of(record: ChunkRecord, kept: np.ndarray) -> ChunkRecord | None:
    """Return a record of some of its trials, itself for all of them, None for none.

    Args:
        record: of an epoch.
        kept: (P,) bool, which trials.
    """
    if kept.all():
        return record
    if not kept.any():
        return None
    numbers = record.trials[kept]
    chosen = set(numbers.tolist())
    return ChunkRecord(
        record.epoch,
        numbers,
        {name: values[kept] for name, values in record.metrics.items()},
        {n: status for n, status in record.statuses.items() if n in chosen},
        record.steps[kept],
        tuple(probe for probe in record.probes if probe.trial in chosen),
    )


def failure_record(number: int, epoch: int, step: int) -> ChunkRecord:
    """Return the record of a trial that could not be trained: it has no scores.

    Args:
        number: of the trial.
        epoch: the one that it could not train.
        step: update steps that it had done.
    """
    nothing = np.full(1, np.nan, np.float32)
    return ChunkRecord(
        epoch,
        np.array([number], np.int64),
        dict.fromkeys(_METRICS, nothing),
        {number: Status.FAILED},
        np.array([step], np.int64),
    )
