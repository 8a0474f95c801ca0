"""Whether a person has told the run of a study to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepwell.storage._study_record import StudyRecord

from ._standing import runner_of
from .acts._registry import ACTS

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy


def is_paused(opened: Store, record: StudyRecord) -> bool:
    """Whether a study's run is there and was paused by hand."""
    pause, go_on = ACTS["pause"].event, ACTS["resume"].event
    told = opened.requests.events(record.id, (pause, go_on, "resume", "continue"))
    return bool(told) and told[-1].kind == pause and runner_of(opened, record) is not None
