"""How a study and its networks stand, where a kill left them called running with nobody at work."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from deepwell._base._errors import StudyError, UsageError
from deepwell._base._safe_text import safe_text
from deepwell.records import Status, Trial
from deepwell.storage._lease import lease_holder, leased
from deepwell.storage._study_record import StudyRecord

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy


def runner_of(opened: Store, record: StudyRecord) -> str | None:
    """Return who runs a study, in harmless words; None when nobody does."""
    return lease_holder(opened, record)


def require_idle(opened: Store, record: StudyRecord) -> None:
    """Refuse to touch a study that a process is running.

    Raises:
        StudyError: when one is.
    """
    holder = runner_of(opened, record)
    if holder is not None:
        raise StudyError(
            f"study {safe_text(record.name)} is being run by {holder}; wait for it, or stop it "
            "first"
        )


@contextmanager
def held(opened: Store, name: str) -> Generator[StudyRecord, None, None]:
    """Give a study that nobody runs, and that nobody begins to run while the block does.

    Raises:
        UsageError: when there is no such study, or it was renamed or deleted just now.
        StudyError: when it is being run.
    """
    with leased(opened, opened.study(name)):
        yield opened.study(name)  # again: only now can nobody else change it


def folder_now(opened: Store, record: StudyRecord) -> Path:
    """Return where a study's files lie by the name that it has by now.

    For whoever read the study a while ago and is about to write beside its files.

    Raises:
        UsageError: when it was deleted meanwhile.
    """
    for study in opened.studies():
        if study.id == record.id:
            return opened.folder / study.name
    raise UsageError(
        f"study {safe_text(record.name)} was deleted meanwhile, so nothing was written; bring it "
        "back, and run this again"
    )


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
