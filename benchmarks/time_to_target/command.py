"""B4 on the command line: `python -m benchmarks b4 [--scale reduced] [--only NAME] [--seeds N]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import workload
from benchmarks.machine import machine, versions
from benchmarks.results import OtherRunError, OutOfTimeError, Results
from benchmarks.tools import ROOT
from benchmarks.workload import Workload

from . import section
from .attempt import attempt
from .contenders import DEFAULT, FIT, Contender, chosen, peers
from .gate import judge, reference
from .goal import DIGITS, Goal

NAME = "b4"
_WORK = ROOT / "build" / "benchmarks"
_REDUCED = (DEFAULT, f"{FIT}random none", "optuna-tpe-hyperband", "ray-asha")


def scaled(scale: str) -> Goal:
    """Return the race at a scale: `quick` says that everything runs, not how fast it is."""
    if scale == "quick":
        case = replace(DIGITS.case, epochs=4)
        return replace(DIGITS, case=case, thresholds=(0.5, 0.7), cap=60.0, seeds=1, networks=16)
    if scale == "reduced":
        return replace(DIGITS, cap=90.0, seeds=2)
    return DIGITS


def measure(
    scale: str,
    fresh: bool,
    deadline: float,
    names: Sequence[str],
    limits: tuple[int | None, float | None],
    results: Path,
) -> int:
    """Race and keep what it shows; return the exit code of `python -m benchmarks`.

    Args:
        scale: `full`, `reduced` or `quick`.
        fresh: whether an unfinished run is dropped.
        deadline: of `time.monotonic()`; no search is begun after it.
        names: of contenders; none for those of the scale.
        limits: seeds and cap in place of the scale's; None leaves them.
        results: folder of the committed results.
    """
    goal = scaled(scale)
    seeds, cap = limits
    goal = replace(goal, seeds=seeds or goal.seeds, cap=cap or goal.cap)
    try:
        racing = chosen(names or (_REDUCED if scale == "reduced" else ()))
        file = _WORK / scale / f"{NAME}.json"
        kept = Results(file, header(goal, racing), fresh)
    except (OtherRunError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        race(goal, racing, kept, deadline)
    except OutOfTimeError as error:
        print(error)
        return 3
    print(section.section(kept.plain()))
    whole = scale == "full" and goal == DIGITS and against_peers(racing)
    kept.move(results / f"{NAME}.json" if whole else file.with_name(f"{NAME}-finished.json"))
    crashed = [key for key, cell in kept.cells.items() if cell["status"] == "crashed"]
    return 1 if scale == "quick" and (crashed or _disagrees(kept)) else 0


def against_peers(racing: Sequence[Contender]) -> bool:
    """Whether `deepwell fit` as it comes races against all peers; other strategies may, too."""
    return {DEFAULT, *(one.name for one in peers())} <= {one.name for one in racing}


def header(goal: Goal, racing: Sequence[Contender]) -> dict[str, Any]:
    """Return what a results file says of its run."""
    return {
        "benchmark": NAME,
        "machine": machine(),
        "versions": versions(),
        "case": goal.case.title,
        "thresholds": list(goal.thresholds),
        "cap": goal.cap,
        "seeds": goal.seeds,
        "series": [[one.name, one.ours, goal.cap, goal.seeds] for one in racing],
    }


def race(goal: Goal, racing: Sequence[Contender], results: Results, deadline: float) -> None:
    """Measure what is missing: gates first, then seed by seed, all contenders in turn.

    Raises:
        OutOfTimeError: when something is left to be measured.
    """
    keep = partial(results.measure, deadline=deadline, shown=_shown)
    loads = _loads(goal, racing)
    for name, load in loads.items():
        keep("references", name, make=partial(reference, load, goal.networks))
    judged: dict[str, bool] = {}
    for one in racing:
        load = loads[_case_of(one, goal)]
        gate = DEFAULT if one.ours else one.name  # all of ours train by the same engine
        known = results.references[load.case.name]
        keep("gates", gate, make=partial(judge, one, load, goal.networks, known))
        judged[one.name] = bool(results.gates[gate]["passes"])
    for seed in range(goal.seeds):
        for one in racing:
            load, key = loads[_case_of(one, goal)], f"{one.name}/{seed}"
            if judged[one.name]:
                keep("cells", key, make=partial(attempt, one, goal, load, seed))
            elif key not in results.cells:
                message = "it failed the agreement gate"
                results.put("cells", key, {"status": "skipped", "message": message})


def _case_of(one: Contender, goal: Goal) -> str:
    return (one.case or goal.case).name


def _loads(goal: Goal, racing: Sequence[Contender]) -> dict[str, Workload]:
    cases = {_case_of(one, goal): one.case or goal.case for one in racing}
    return {
        name: workload.prepare(
            replace(case, epochs=goal.case.epochs), _WORK / "data" / goal.case.name
        )
        for name, case in cases.items()
    }


def _shown(value: dict[str, Any]) -> str:
    if "cold" not in value:
        if "passes" in value:
            return "passes" if value["passes"] else f"FAILS: {value}"
        return str(value.get("message", "done"))
    times = " ".join("-" if t is None else f"{t:.1f}" for t in value["cold"])
    told = f"{times} s, {value['finished']} networks, start-up {value['start_up']:.1f} s"
    failed = value["status"] != "ok"
    return f"{value['status']}: {value['message'].strip()[-300:]}; {told}" if failed else told


def _disagrees(kept: Results) -> bool:
    return any(not gate["passes"] for gate in kept.gates.values())
