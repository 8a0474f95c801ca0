"""How a study and its networks stand, where a kill left them called running with nobody at work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from deepwell.records import Status, Trial
from deepwell.storage._lease import lease_holder
from deepwell.storage._study_record import StudyRecord

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy


def runner_of(opened: Store, record: StudyRecord) -> str | None:
    """Return who runs a study, in harmless words; None when nobody does."""
    return lease_holder(opened, record)


def as_they_stand(
    opened: Store, record: StudyRecord, read: Callable[[], Sequence[Trial]]
) -> list[Trial]:
    """Return the trials of a study, those that nobody trains any more as interrupted.

    Args:
        opened: the store.
        record: of the study.
        read: reads its trials.
    """
    trials = read()
    if all(trial.status.over for trial in trials) or runner_of(opened, record) is not None:
        return list(trials)
    trials = read()  # once more: whoever ran it may just have come to its end
    return [t if t.status.over else replace(t, status=Status.INTERRUPTED) for t in trials]
