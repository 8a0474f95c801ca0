"""B6 on the command line: `python -m benchmarks b6 [--scale reduced] [--fresh]`."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, versions
from benchmarks.results import OtherRunError, Results
from benchmarks.tools import PEERS, ROOT

from .plan import KINDS, PLANS, Job
from .section import section
from .server import PostgresqlServer, binaries, running_server

NAME = "b6"
_WORK = ROOT / "build" / "benchmarks"
_PEER = ROOT / "benchmarks" / "peers" / "optuna_store.py"
_SECONDS = 3600.0  # longest time of one process
_DONE, _CANNOT, _LEFT = 0, 2, 3


def measure(scale: str, fresh: bool, deadline: float, results: Path) -> int:
    """Run what is missing and keep it; return the exit code of `python -m benchmarks`.

    Args:
        scale: of `PLANS`.
        fresh: whether an unfinished run is dropped.
        deadline: of `time.monotonic()`; no measurement is begun after it.
        results: folder of the committed results, for a full run.
    """
    if binaries() is None or not PEERS.exists():
        print(
            "this needs `make peers` and PostgreSQL (apt-get install postgresql)", file=sys.stderr
        )
        return _CANNOT
    jobs = PLANS[scale].jobs()
    header: dict[str, Any] = {
        "benchmark": NAME,
        "scale": scale,
        "machine": machine(),
        "versions": versions(),
        "series": [job.key for job in jobs],
    }
    file = _WORK / scale / f"{NAME}.json"
    try:
        kept = Results(file, header, fresh)
    except OtherRunError as error:
        print(error, file=sys.stderr)
        return _CANNOT
    # As it is set up by itself: what was committed survives a power cut.
    with running_server(quick=False) as server:
        for job in jobs:
            if job.key in kept.cells:
                continue
            if time.monotonic() > deadline:
                print("time is over; the same command goes on")
                return _LEFT
            kept.put("cells", job.key, _measured(job, server))
            print(job.key, kept.cells[job.key]["status"], flush=True)
    print(section(kept.plain()))
    full = scale == "full"
    kept.move(results / f"{NAME}.json" if full else _WORK / scale / f"{NAME}-finished.json")
    return _DONE


def _measured(job: Job, server: PostgresqlServer) -> dict[str, Any]:
    with _place(job, server) as (where, environment):
        if job.task == "open":
            made = _run(job, "fill", where, environment)
            if made["status"] != "ok":
                return made
        return _run(job, job.task, where, environment)


def _run(job: Job, task: str, where: str, environment: dict[str, str]) -> dict[str, Any]:
    words = [where, task, str(job.size), str(job.repeats)]
    ours = [sys.executable, "-m", "benchmarks.store.ours"]
    command = ours if KINDS[job.kind].ours else [str(PEERS), str(_PEER)]
    try:
        done = subprocess.run(
            [*command, *words],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return {"status": "failed", "why": f"took longer than {_SECONDS:.0f} s"}
    if done.returncode:
        return {"status": "failed", "why": (done.stderr.strip().splitlines() or ["?"])[-1]}
    return {"status": "ok", "seconds": json.loads(done.stdout)}


@contextlib.contextmanager
def _place(job: Job, server: PostgresqlServer) -> Iterator[tuple[str, dict[str, str]]]:
    """Give an empty place for a store of the job's kind, gone at the end."""
    _WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-store-", dir=_WORK) as folder:
        if not KINDS[job.kind].server:
            places = {
                "deepwell-sqlite": folder,
                "optuna-sqlite": f"sqlite:///{folder}/optuna.db",
                "optuna-journal": f"journal:{folder}/journal.log",
            }
            yield places[job.kind], {}
            return
        url = server.make_database(NAME)
        if not KINDS[job.kind].ours:
            url = url.replace("postgresql://", "postgresql+psycopg://")
        try:
            yield url, {"DEEPWELL_FOLDER": folder}
        finally:
            server.run(f"DROP DATABASE {NAME} WITH (FORCE)")
