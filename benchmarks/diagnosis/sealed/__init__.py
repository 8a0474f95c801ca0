"""The sealed half: faults, tasks and regimes by somebody who has not seen the rules.

It was written from this package's `fault.py`, `case.py`, `task.py`, `program_case.py`,
`labels.LABELS`, `remedies.MENU` and the faults of the other half; not from
`src/deepwell/diagnosis` and not from `docs/findings.md`. The tasks are other ones than those of
`tasks.TASKS`, and the faults other ones than those of `faults.FAULTS`: where a cause is of both
halves, it comes about in another way here. Each amount was chosen by what it does to the score of
the trained network, never by what is said of it. `python -m benchmarks b7 --open-sealed` opens it,
once, after the thresholds are fixed; see `seal.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.diagnosis.fault import Fault, checked
from benchmarks.diagnosis.program_case import ProgramTask
from benchmarks.diagnosis.task import Task

from . import inputs, parts, programs, settings, targets, tasks

TASKS: Mapping[str, Task | ProgramTask] = tasks.TASKS
"""Tasks by their name."""

FAULTS: tuple[Fault, ...] = checked(
    (
        *inputs.FAULTS,
        *targets.FAULTS,
        *parts.FAULTS,
        *settings.FAULTS,
        *programs.FAULTS,
    ),
    TASKS,
)
"""Faults, planted on these tasks."""
