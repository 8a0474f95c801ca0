"""What a planted fault is, and what registers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .labels import LABELS

MILD, MEDIUM, SEVERE = SEVERITIES = ("mild", "medium", "severe")
SCORE, ESTIMATE = "score", "estimate"
STUDY, PROGRAM = "study", "program"
_TASKS = {STUDY: 2, PROGRAM: 1}


@dataclass(frozen=True)
class Fault:
    """A pure change of a case.

    Attributes:
        name: short, unique over both halves.
        cause: its label, of `labels.LABELS`.
        plant: (healthy case, amount, seed) -> faulty case; draws only by the seed.
        amounts: of mild, medium and severe.
        tasks: names of the tasks on which it is planted.
        remedy: name in the menu that should win.
        harms: `score`, what the network scores on deployed rows, or `estimate`, how far its dev
            score is from that.
        what: in a few words, for the docs.
        of: `study` or `program`, the kind of case that it changes.
    """

    name: str
    cause: str
    plant: Callable[[Any, Any, int], Any]
    amounts: tuple[Any, Any, Any]
    tasks: tuple[str, ...]
    remedy: str
    what: str
    harms: str = SCORE
    of: str = STUDY

    @property
    def family(self) -> str:
        """The family of its cause."""
        return LABELS[self.cause]

    def planted(self, case: Any, severity: str, seed: int) -> Any:
        """Return the case with this fault."""
        return self.plant(case, self.amounts[SEVERITIES.index(severity)], seed)


@dataclass(frozen=True)
class Plant:
    """One faulty program: a fault of a severity on a task; the unit that is counted."""

    fault: Fault
    severity: str
    task: str

    @property
    def key(self) -> str:
        """Its name in the results."""
        return f"{self.fault.name}/{self.severity}/{self.task}"


def plants(faults: Sequence[Fault]) -> list[Plant]:
    """Return every fault at every severity on some of its tasks, in turn from fault to fault.

    Two tasks a fault of studies and one of programs, which have to be compiled, are what 45 minutes
    allow; together the faults are on all tasks.
    """
    found = []
    for number, fault in enumerate(faults):
        count = len(fault.tasks)
        places = (0, count // 2 or 1)[: _TASKS[fault.of]]
        chosen = dict.fromkeys(fault.tasks[(number + n) % count] for n in places)
        found += [Plant(fault, severity, task) for severity in SEVERITIES for task in chosen]
    return found


def checked(faults: Sequence[Fault], tasks: Mapping[str, object]) -> tuple[Fault, ...]:
    """Return the faults, or say what is wrong with their declarations.

    Raises:
        ValueError: when a name comes twice, or a cause or a task is unknown.
    """
    seen: set[str] = set()
    for fault in faults:
        unknown = [task for task in fault.tasks if task not in tasks]
        if fault.name in seen or fault.cause not in LABELS or unknown or not fault.tasks:
            raise ValueError(
                f"fault {fault.name!r} must have a name of its own, a cause of labels.LABELS and "
                f"tasks of its half, got cause {fault.cause!r} and tasks {fault.tasks}"
            )
        seen.add(fault.name)
    return tuple(faults)
