"""One measurement: a job folder, a tool's process on it, and a record of what came."""

from __future__ import annotations

import contextlib
import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepwell.records import TrialSpec

from . import workload as work
from .benchmark import Series
from .process import run
from .tools import PEERS, ROOT, TOOLS, Tool, module_command, read_outcome
from .workload import Workload

_SECONDS = 900.0  # longest time of one of our own modules
_KEPT_SCORES = 256  # scores of larger runs are the same networks and some more


def measure(workload: Workload, series: Series, repeat: int, caches: Path) -> dict[str, Any]:
    """Return the record of one measurement.

    Args:
        workload: the case.
        series: tool and size.
        repeat: counted from 0; the seed of peers, whose draws are then others.
        caches: folder of the caches that warm runs keep.
    """
    tool = TOOLS[series.tool]
    if not tool.ours and not PEERS.exists():
        return _nothing("skipped", "the peers' environment is not installed; run: make peers")
    if tool.keeps_cache:
        kept = caches / f"{series.case}-{series.tool}-{series.networks}"
        if not kept.exists():
            _once(workload, series, tool, repeat, kept)  # fills the cache, not counted
        return _once(workload, series, tool, repeat, kept)
    with tempfile.TemporaryDirectory(prefix="bench-cache-") as empty:
        return _once(workload, series, tool, repeat, Path(empty))


def engine(workload: Workload, specs: Mapping[int, TrialSpec], program: str) -> dict[str, Any]:
    """Return what our engine alone reports of these networks, in a process of its own.

    Raises:
        RuntimeError: when it fails.
    """
    return in_process(workload, list(specs.values()), "benchmarks.ours.engine", program)


def in_process(
    workload: Workload, specs: Sequence[TrialSpec], module: str, *arguments: str
) -> dict[str, Any]:
    """Return the outcome of one of our modules on a job, in a process of its own.

    Raises:
        RuntimeError: when it fails.
    """
    with job_folder() as job:
        work.write_job(job, workload, specs, 0)
        ran = run(module_command(module, job, *arguments), job, _SECONDS, environment(None))
        if ran.status != "ok":
            raise RuntimeError(f"{module} {ran.status}: {ran.tail}")
        return read_outcome(job)


def environment(cache: Path | None) -> dict[str, str]:
    """Return the variables of a measured process: where it caches, one BLAS thread a process."""
    told = {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    return told if cache is None else {**told, "DEEPWELL_CACHE": str(cache)}


def _once(
    workload: Workload, series: Series, tool: Tool, repeat: int, cache: Path
) -> dict[str, Any]:
    specs = list(workload.specs(series.networks).values())
    variables = environment(cache) if tool.ours else {}
    with job_folder() as job:
        work.write_job(job, workload, specs, repeat)
        command = tool.command(workload, job, series.networks)
        try:
            ran = run(command, job, 60 * series.minutes, variables)
        except OSError as error:
            return _nothing("crashed", f"it could not be started: {error}")
        record = {
            "status": ran.status,
            "message": "" if ran.status == "ok" else ran.tail,
            "seconds": ran.seconds if tool.counts_start else None,
            "peak_bytes": ran.peak_bytes,
        }
        if ran.status != "ok":
            return record
        try:
            outcome = tool.outcome(job)
        except Exception as error:  # a peer's file may hold anything
            return {**record, "status": "crashed", "message": f"no outcome: {error!r}"}
    scores = [float(s) if math.isfinite(s) else 1.0 for s in outcome["scores"]]
    return {
        **record,
        "steady_rate": outcome.get("steady_rate"),
        "scores": [round(s, 6) for s in scores[:_KEPT_SCORES]] if repeat == 0 else None,
        "facts": outcome.get("facts", {}),
    }


def _nothing(status: str, message: str) -> dict[str, Any]:
    return {"status": status, "message": message, "seconds": None, "peak_bytes": None}


@contextlib.contextmanager
def job_folder() -> Iterator[Path]:
    """Give a folder that does not exist yet, on the disk that holds the project."""
    base = ROOT / "build" / "benchmarks" / "jobs"
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=base, prefix="job-") as folder:
        yield Path(folder) / "job"
