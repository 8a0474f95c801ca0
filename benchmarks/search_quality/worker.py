"""Runs of strategies, a process in the peers' environment: one line of JSON a run each way.

    build/peers/venv/bin/python -m benchmarks.search_quality.worker < jobs > outcomes

A job is `{"strategy", "suite", "function", "dimension", "instance", "batch", "budget"}`. The
outcome adds the excess of each point in the order of evaluation, and seconds of processor time
spent on proposing.
"""

from __future__ import annotations

import json
import sys
import time
import zlib
from typing import Any

from .problems import problem
from .strategies import strategy


def outcome(job: dict[str, Any]) -> dict[str, Any]:
    """Return a job with what came of it."""
    at = problem(job["suite"], job["function"], job["dimension"], job["instance"])
    place = f"{job['suite']}/{job['function']}/{job['dimension']}/{job['instance']}"
    run = strategy(job["strategy"])(at, zlib.crc32(f"{place}/{job['batch']}".encode()))
    excess: list[float] = []
    seconds = 0.0
    while len(excess) < job["budget"]:
        began = time.process_time()
        points = run.ask(min(job["batch"], job["budget"] - len(excess)))
        seconds += time.process_time() - began
        scores = [at.score(x) for x in points]
        excess += [at.excess(x) for x in points]
        began = time.process_time()
        run.tell(scores)
        seconds += time.process_time() - began
    return {**job, "excess": [float(f"{e:.4g}") for e in excess], "seconds": round(seconds, 3)}


def main() -> None:
    """Run jobs as they come."""
    for line in sys.stdin:
        print(json.dumps(outcome(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
