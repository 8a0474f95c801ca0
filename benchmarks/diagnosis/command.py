"""B7 on the command line: `python -m benchmarks b7 [--open-sealed] [--scale quick] [--fresh]`."""

from __future__ import annotations

import functools
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, versions
from benchmarks.page import DIAGNOSIS
from benchmarks.results import OtherRunError, Results
from benchmarks.tools import ROOT

from . import section
from .halves import DEVELOPMENT, Half, development
from .judge import figures
from .run import Effort, Known, run
from .seal import NothingSealedError, opened

NAME = "b7"
EFFORTS = {
    "full": Effort(),
    "reduced": Effort(part=3, programs=6, seeds=10),
    "quick": Effort(part=9, programs=60, seeds=3, menu=False, deep=0),
}
_WORK = ROOT / "build" / "benchmarks"


class _OverError(Exception):
    """Time is over."""


def measure(scale: str, fresh: bool, deadline: float, open_sealed: bool, results: Path) -> int:
    """Run a half and keep what it shows; return the exit code of `python -m benchmarks`.

    Args:
        scale: of `EFFORTS`.
        fresh: whether an unfinished run is dropped.
        deadline: of `time.monotonic()`; nothing is begun after it.
        open_sealed: whether the sealed half is opened and run in place of the other.
        results: folder of the committed results.
    """
    try:
        half, opening = _half(open_sealed)
    except NothingSealedError as error:
        print(error, file=sys.stderr)
        return 2
    name = NAME if half.name == DEVELOPMENT else f"{NAME}-{half.name}"
    file = _WORK / scale / f"{name}.json"
    header = {"benchmark": name, "half": half.name, "opening": opening, "series": [],
              "machine": machine(), "versions": {"deepwell": versions()["deepwell"]}}  # fmt: skip
    try:
        kept = Results(file, header, fresh)
    except OtherRunError as error:
        print(error, file=sys.stderr)
        return 2
    keep = functools.partial(_keep, kept, deadline)
    try:
        run(half, keep, EFFORTS[scale])
    except _OverError as error:
        print(error)
        return 3
    crashed = [key for key, cell in kept.cells.items() if cell.get("status") == "crashed"]
    kept.put("checks", "figures", figures(kept.cells))
    print(section.section(kept.plain(), DIAGNOSIS[name]))
    target = (
        results / f"{name}.json" if scale == "full" else file.with_name(f"{name}-finished.json")
    )
    kept.move(target)
    return 1 if crashed else 0


def _half(open_sealed: bool) -> tuple[Half, dict[str, Any] | None]:
    if not open_sealed:
        return development(), None
    half, opening = opened()
    if opening["number"] > 1:
        print(
            f"the sealed half was opened before; this is opening {opening['number']}, and its "
            "figures are no longer those of unseen faults"
        )
    return half, opening


def _keep(
    kept: Results, deadline: float, key: str, known: Known, make: Callable[[], dict[str, Any]]
) -> None:
    if kept.cells.get(key, {"status": "crashed"}).get("status") != "crashed":
        return
    if time.monotonic() > deadline:
        raise _OverError(f"time is over before {key}; the same command goes on")
    began = time.monotonic()
    try:
        value = make()
    except Exception as error:  # one broken case must not take the others with it; it counts
        value = {"status": "crashed", "message": f"{type(error).__name__}: {error}"}
        traceback.print_exc()
    kept.put("cells", key, {**known, **value})
    print(f"{key}: {_shown(value)} ({time.monotonic() - began:.1f} s)", flush=True)


def _shown(value: dict[str, Any]) -> str:
    if value.get("status") == "crashed":
        return value["message"]
    told = [s["code"] for s in value["said"] if s["level"] == "problem" and not s["deep"]]
    harm = ""
    if "validation" in value:
        harm = "hurts, " if value["validation"]["hurts"] else "inert, "
    return f"{harm}{', '.join(told) or 'silent'}"
