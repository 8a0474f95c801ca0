"""The two halves of the benchmark: what may be looked at, and what is opened once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .clean import Setup, hard_setups, program_setups, setups
from .fault import Fault, checked
from .program_case import PROGRAM_TASKS, ProgramTask
from .regimes import Regime, regimes
from .task import Task
from .tasks import PLANTED_ON, TASKS

DEVELOPMENT, SEALED = "development", "sealed"


@dataclass(frozen=True)
class Half:
    """One half.

    Attributes:
        name: `development` or `sealed`.
        faults: that are planted.
        tasks: on which they are, by name.
        clean: setups of its clean runs, studies before programs.
        regimes: its runs whose kind of error is known.
    """

    name: str
    faults: tuple[Fault, ...]
    tasks: Mapping[str, Task | ProgramTask]
    clean: tuple[Setup, ...] = ()
    regimes: tuple[Regime, ...] = ()


def development() -> Half:
    """Return the half that thresholds may be set by."""
    from .faults import FAULTS

    tasks = list(TASKS.values())
    return Half(
        DEVELOPMENT,
        FAULTS,
        {**PLANTED_ON, **PROGRAM_TASKS},
        (*setups(tasks), *hard_setups(), *program_setups(PROGRAM_TASKS.values())),
        regimes(tasks),
    )


def sealed() -> Half:
    """Return the other half; only `seal.opened` calls this.

    Raises:
        ValueError: when a fault or a task of it is one of the development half.
    """
    from .sealed import FAULTS
    from .sealed import TASKS as HIDDEN

    first = development()
    shared = {f.name for f in FAULTS} & {f.name for f in first.faults}
    shared |= set(HIDDEN) & {*first.tasks, *TASKS}
    if shared:
        raise ValueError(f"the sealed half must have faults and tasks of its own, not {shared}")
    tasks = [task for task in HIDDEN.values() if isinstance(task, Task)]
    programs = [task for task in HIDDEN.values() if isinstance(task, ProgramTask)]
    clean = (*setups(tasks), *program_setups(programs))
    return Half(SEALED, checked(FAULTS, HIDDEN), HIDDEN, clean, regimes(tasks))
