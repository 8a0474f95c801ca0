"""With what a study is trained: machine and versions, on which the last bits of numbers depend."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell._native._core_module import available, simd

if TYPE_CHECKING:
    from ._history import History

MACHINE = "machine"
"""Kind of the event that says it."""

_LIBRARIES = {"native": ("deepwell", "numpy"), "jax": ("deepwell", "numpy", "jax", "jaxlib")}


def made_with(program: str) -> dict[str, str]:
    """Return what networks are trained with in this process, by name.

    Args:
        program: `native` or `jax`.
    """
    libraries = _LIBRARIES.get(program, ("deepwell", "numpy"))
    told = {name: importlib.metadata.version(name) for name in libraries}
    told |= {"program": program, "machine": platform.machine(), "processor": _processor()}
    if program == "native" and available():
        told["vector code"] = simd()
    return told


def record_machine(history: History, program: str) -> None:
    """Record with what this run trains, unless the runs before it did so with the same."""
    now = made_with(program)
    if now not in machines(history):
        history.note(MACHINE, now)


def machines(history: History) -> list[Mapping[str, Any]]:
    """Return with what the runs of a study trained, each once; none of an older Deepwell's."""
    return [event.details for event in history.store.events(history.record.id, MACHINE)]


def differences(then: Mapping[str, Any], now: Mapping[str, str]) -> list[str]:
    """Return in words what is another one now.

    >>> differences({"numpy": "2.1.0", "machine": "x86_64"}, {"numpy": "2.2.0"})
    ['numpy 2.1.0 then, 2.2.0 now', 'machine x86_64 then, none now']
    """
    names = dict.fromkeys((*then, *now))
    return [
        f"{name} {then.get(name, 'none')} then, {now.get(name, 'none')} now"
        for name in names
        if then.get(name) != now.get(name)
    ]


def _processor() -> str:
    """Return the processor's name, as far as the system tells it."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as told:
            for line in told:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()
