"""B5 on the command line: `python -m benchmarks b5 [--scale reduced] [--fresh]`."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, versions
from benchmarks.results import OtherRunError, Results
from benchmarks.tools import PEERS, ROOT

from .areas import area
from .plan import PLANS, key
from .section import section

NAME = "b5"
_WORK = ROOT / "build" / "benchmarks"
_DONE, _CANNOT, _LEFT = 0, 2, 3


def measure(scale: str, fresh: bool, deadline: float, results: Path) -> int:
    """Run what is missing and keep it; return the exit code of `python -m benchmarks`.

    Args:
        scale: of `PLANS`.
        fresh: whether an unfinished run is dropped.
        deadline: of `time.monotonic()`; no run is begun after it.
        results: folder of the committed results; a reduced run goes there until there is a full
            one.
    """
    if not PEERS.exists():
        print("the peers' environment is missing; make it by `make peers`", file=sys.stderr)
        return _CANNOT
    parts = [dataclasses.asdict(part) for part in PLANS[scale]]
    plain = json.loads(json.dumps(parts))
    header = {"benchmark": NAME, "scale": scale, "series": plain,
              "machine": machine(), "versions": versions(),
              "resumes_across_commits": True}  # fmt: skip
    file = _WORK / scale / f"{NAME}.json"
    try:
        kept = Results(file, header, fresh)
    except OtherRunError as error:
        print(error, file=sys.stderr)
        return _CANNOT
    kept.header = header  # the same plan and machine; peers' runs do not depend on our commit
    if not _run(scale, kept, deadline):
        print("time is over; the same command goes on")
        return _LEFT
    print(section(kept.plain()))
    kept.move(_place(scale, file, results))
    return _DONE


def _run(scale: str, kept: Results, deadline: float) -> bool:
    """Run what is missing; return whether all is there."""
    commit = kept.header["versions"]["deepwell"]["commit"]
    every = [job for part in PLANS[scale] for job in part.jobs()]
    jobs = [job for job in every if _missing(kept.cells.get(key(job)), job, commit)]
    jobs.sort(key=lambda job: job["strategy"].startswith("deepwell"))  # peers first: they stay
    if not jobs:
        return True
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT / "src"),
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    }  # fmt: skip
    command = [str(PEERS), "-m", "benchmarks.search_quality.worker"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as worker:  # fmt: skip
        try:
            return all(_one(worker, job, kept, deadline) for job in jobs)
        finally:
            if worker.stdin:
                worker.stdin.close()


def _missing(cell: dict[str, Any] | None, job: dict[str, Any], commit: str) -> bool:
    """Return whether a run is still to be made: ours are made again at each commit."""
    if cell is None:
        return True
    return job["strategy"].startswith("deepwell") and cell["commit"] != commit


def _one(
    worker: subprocess.Popen[str], job: dict[str, Any], kept: Results, deadline: float
) -> bool:
    if time.monotonic() > deadline:
        return False
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(json.dumps(job) + "\n")
    worker.stdin.flush()
    line = worker.stdout.readline()
    if not line:
        raise RuntimeError(f"the worker ended during {key(job)}")
    told = json.loads(line)
    kept.put("cells", key(job), {
        "area": round(area(told["excess"]), 6), "best": min(told["excess"]),
        "evaluations": len(told["excess"]), "seconds": told["seconds"],
        "commit": kept.header["versions"]["deepwell"]["commit"],
    })  # fmt: skip
    return True


def _place(scale: str, file: Path, results: Path) -> Path:
    """Return where a finished run goes."""
    published = results / f"{NAME}.json"
    there = json.loads(published.read_text(encoding="utf-8")) if published.exists() else None
    fuller = there is not None and there["header"]["scale"] == "full"
    if scale == "full" or (scale == "reduced" and not fuller):
        return published
    return file.with_name(f"{NAME}-finished.json")
