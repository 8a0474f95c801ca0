"""The sealed half: faults, tasks and regimes by somebody who has not seen the rules.

Whoever writes it fills the three names below, in files of this folder, and reads for it this
package's `fault.py`, `case.py`, `task.py`, `program_case.py`, `labels.LABELS`, `remedies.MENU` and
`docs/benchmarks.md`; not `src/deepwell/diagnosis`, and not `docs/findings.md`. The tasks are other
ones than those of `tasks.TASKS`, and the faults other ones than those of `faults.FAULTS`; causes
come from `labels.LABELS`. `python -m benchmarks b7 --open-sealed` opens it, once, after the
thresholds are fixed; see `seal.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.diagnosis.fault import Fault
from benchmarks.diagnosis.program_case import ProgramTask
from benchmarks.diagnosis.task import Task

TASKS: Mapping[str, Task | ProgramTask] = {}
"""Tasks by their name."""

FAULTS: tuple[Fault, ...] = ()
"""Faults, planted on these tasks."""
