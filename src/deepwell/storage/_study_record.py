"""A study as the store knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

STUDY_STATUSES = ("running", "finished", "stopped", "failed")


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
    """

    id: int
    name: str
    created: float
    config: Mapping[str, object]
    status: str = "running"
    seconds: float = 0.0
