"""The order of a benchmark: limits, our reference, checks, then interleaved measurements.

What a results file already holds is not measured again. A peer's first measurement is its
agreement gate; one that fails it is not measured further.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from . import workload as work
from .agreement import agreement
from .benchmark import Benchmark, Series
from .checks import CHECKS
from .measure import engine, in_process, measure
from .results import Results
from .tools import TOOLS
from .workload import Workload

REFERENCE_SEEDS = 6
REFERENCE_NETWORKS = 64


def cell_key(series: Series, repeat: int) -> str:
    """Return the name of one measurement in the results.

    >>> cell_key(Series("digits", "optuna", 64, 3), 0)
    'digits/optuna/64/0'
    """
    return f"{series.case}/{series.tool}/{series.networks}/{repeat}"


def order(benchmark: Benchmark) -> Iterator[tuple[Series, int]]:
    """Yield the measurements: round by round over all series, the long ones at the end."""
    for last in (False, True):
        chosen = [s for s in benchmark.series if s.last == last]
        for repeat in range(max((s.repeats for s in chosen), default=0)):
            for series in chosen:
                if repeat < series.repeats:
                    yield series, repeat


def run_benchmark(benchmark: Benchmark, results: Results, folder: Path, deadline: float) -> None:
    """Measure what is missing.

    Args:
        benchmark: what to measure.
        results: what there is, and where the new goes.
        folder: for data and caches.
        deadline: of `time.monotonic()`; no measurement is begun after it.

    Raises:
        OutOfTimeError: when something is left to be measured.
        MissingDataError: when a data set is not on this machine.
    """
    loads = {case.name: work.prepare(case, folder / "data" / case.name) for case in benchmark.cases}
    keep = partial(results.measure, deadline=deadline, shown=_shown)
    for name, load in loads.items():
        keep("limits", name, make=partial(_limits, benchmark.limits, load))
        keep("references", name, make=partial(_reference, load))
    first = loads[benchmark.cases[0].name]
    for name in benchmark.checks:
        keep("checks", name, make=partial(_checked, name, first))
    for series, repeat in order(benchmark):
        key, gate = cell_key(series, repeat), f"{series.case}/{series.tool}"
        if results.gates.get(gate, {}).get("passes") is False and key not in results.cells:
            message = "its first networks failed the agreement gate"
            results.put("cells", key, {"status": "skipped", "message": message})
        work_of = partial(measure, loads[series.case], series, repeat, folder / "caches")
        keep("cells", key, make=work_of)
        if gate not in results.gates:
            _judge(results, series, key)


def _limits(module: str, workload: Workload) -> dict[str, Any]:
    """Return what the machine can do at this case's shapes."""
    specs = list(workload.specs(REFERENCE_NETWORKS).values())
    return in_process(workload, specs, module)


def _checked(name: str, workload: Workload) -> dict[str, Any]:
    """Return the outcome of a check; one that breaks has failed."""
    try:
        return CHECKS[name](workload)
    except RuntimeError as error:
        return {"status": "crashed", "message": str(error)[-2000:], "passes": False}


def _shown(value: Mapping[str, Any]) -> str:
    if "status" in value and value["status"] != "ok":
        return f"{value['status']}: {str(value.get('message', '')).strip()[-200:]}"
    told = []
    if value.get("seconds") is not None:
        told.append(f"{value['seconds']:.1f} s")
    if value.get("steady_rate") is not None:
        told.append(f"{value['steady_rate']:.2f} networks/s steady")
    if "passes" in value:
        told.append("passes" if value["passes"] else "FAILS")
    return ", ".join(told) or "done"


def _reference(workload: Workload) -> dict[str, Any]:
    """Return our dev errors of the first configurations with several seeds, (S, C)."""
    specs = workload.repeated(REFERENCE_NETWORKS, REFERENCE_SEEDS)
    scores = np.array(engine(workload, specs, "native")["scores"])
    return {"scores": scores.reshape(REFERENCE_SEEDS, REFERENCE_NETWORKS).round(6).tolist()}


def _judge(results: Results, series: Series, key: str) -> None:
    """Judge a tool by its first measurement of a case."""
    scores = results.cells[key].get("scores")
    if not scores:
        return
    ours = np.array(results.references[series.case]["scores"])
    count = min(ours.shape[1], len(scores))
    told = asdict(agreement(ours[:, :count], np.array([scores[:count]])))
    results.put("gates", f"{series.case}/{series.tool}", told)
    if not told["passes"]:
        print(f"{TOOLS[series.tool].title} fails the gate on {series.case}: {told}", flush=True)
