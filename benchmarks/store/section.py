"""B6's section of `docs/benchmarks.md`, from its results."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from .plan import KINDS, PLANS, TARGETS, Job

TITLE = "B6: the store"
_TEXT = """\
What it costs to record a study and to open it again, each in a process of its own, on an idle
disk of this machine; PostgreSQL is a local server as it is set up by itself. *Epoch*: all that is
recorded of one epoch of so many networks: ours one transaction with three curves, best epochs and
the working time, Optuna's one reported value a network. *Propose*: trials a second, each with five
parameters; ours 256 at a time, as its rounds come, Optuna's one at a time, as its interface has
it. *Open*: from the closed store to the best trials. Medians, largest in brackets; where a dash
stands nothing was measured.
"""


def section(results: Mapping[str, Any]) -> str:
    """Return the section."""
    cells: Mapping[str, Any] = results["cells"]
    header = results["header"]
    plan, machine = PLANS[header["scale"]], header["machine"]
    columns = [(f"epoch, {size:,} networks", "epoch", size) for size, *_ in plan.epochs]
    columns.append(("propose", "propose", plan.proposals))
    sizes = dict.fromkeys([*plan.opened, *plan.peers_open])
    columns += [(f"open, {size:,} trials", "open", size) for size in sorted(sizes)]
    lines = [
        f"## {TITLE}",
        "",
        _TEXT,
        f"{machine['cpu']}, {machine['cores']} cores, {machine['date']}.",
        "",
        *([header["remark"], ""] if header.get("remark") else []),
        "| store | " + " | ".join(title for title, *_ in columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    for name, kind in KINDS.items():
        told = [
            _cell(cells.get(Job(name, task, size, 0).key), task, size) for _, task, size in columns
        ]
        lines.append(f"| {kind.title} | " + " | ".join(told) + " |")
    lines += ["", *_targets(cells), ""]
    return "\n".join(lines)


def _cell(cell: Mapping[str, Any] | None, task: str, size: int) -> str:
    if cell is None:
        return "-"
    if cell["status"] != "ok":
        return f"failed: {cell['why'][:60]}"
    middle, most = statistics.median(cell["seconds"]), max(cell["seconds"])
    if task == "propose":
        return f"{size / middle:,.0f} trials/s"
    return f"{_time(middle)} ({_time(most)})"


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _targets(cells: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for kind, task, size, limit, words in TARGETS:
        cell = cells.get(Job(kind, task, size, 0).key)
        if cell is not None and cell["status"] == "ok":
            middle = statistics.median(cell["seconds"])
            verdict = "reached" if middle < limit else "missed"
            lines.append(f"- {words}: {verdict} ({_time(middle)}).")
    return lines
