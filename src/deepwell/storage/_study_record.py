"""A study as the store knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

STUDY_STATUSES = ("running", "finished", "stopped", "failed")

REMOVED = "removed"
"""What a study is of which only the hashes of its rows are left."""


@dataclass(frozen=True)
class StudyRecord:
    """One study's row.

    Attributes:
        id: key of the study in its store; never given to a second study.
        name: its name, also of its folder beside the store.
        created: seconds since 1970, UTC.
        config: what the study was asked to do, plain values.
        status: `running`, `finished`, `stopped` (by the clock or a person) or `failed`; one that
            was killed stays `running`, and whether it runs the lease tells.
        seconds: working time of all its runs so far.
        deleted: when it was deleted, seconds since 1970; None for a study that is there.
    """

    id: int
    name: str
    created: float
    config: Mapping[str, object]
    status: str = "running"
    seconds: float = 0.0
    deleted: float | None = None
