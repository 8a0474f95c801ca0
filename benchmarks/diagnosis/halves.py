"""The two halves of the benchmark: what may be looked at, and what is opened once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .fault import Fault, checked
from .program_case import PROGRAM_TASKS, ProgramTask
from .task import Task
from .tasks import PLANTED_ON

DEVELOPMENT, SEALED = "development", "sealed"


@dataclass(frozen=True)
class Half:
    """Faults and the tasks that they are planted on."""

    name: str
    faults: tuple[Fault, ...]
    tasks: Mapping[str, Task | ProgramTask]


def development() -> Half:
    """Return the half that thresholds may be set by."""
    from .faults import FAULTS

    return Half(DEVELOPMENT, FAULTS, {**PLANTED_ON, **PROGRAM_TASKS})


def sealed() -> Half:
    """Return the other half; only `seal.opened` calls this.

    Raises:
        ValueError: when a fault or a task of it is one of the development half.
    """
    from .sealed import FAULTS, TASKS

    first = development()
    shared = {f.name for f in FAULTS} & {f.name for f in first.faults} | set(TASKS) & set(
        first.tasks
    )
    if shared:
        raise ValueError(f"the sealed half must have faults and tasks of its own, not {shared}")
    return Half(SEALED, checked(FAULTS, TASKS), TASKS)
