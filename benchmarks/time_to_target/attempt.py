"""One search by one contender: its process, and when it reached what."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import job_folder
from benchmarks.process import run
from benchmarks.tools import PEERS
from benchmarks.workload import Workload

from .contenders import Contender
from .goal import Goal
from .job import write_search
from .trace import Trace, first_time, reaches

_LOOK_SECONDS = 0.5


def attempt(contender: Contender, goal: Goal, load: Workload, seed: int) -> dict[str, Any]:
    """Return what came of a search, which is ended as soon as the hardest threshold is reached.

    `cold` counts from the start of the process, `warm` from the end of its start-up; a threshold
    that was not reached in time is None.
    """
    if not contender.ours and not PEERS.exists():
        message = "the peers' environment is not installed; run: make peers"
        return {"status": "skipped", "message": message}
    case = contender.case or goal.case
    variables: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="bench-cache-") as cache, job_folder() as job:
        if contender.ours:
            variables = {"DEEPWELL_CACHE": cache}  # an empty one; else as it is typed
        write_search(job, load, case, [], seed, goal.cap)
        command = contender.command(case, load.file, job, seed, goal.cap)
        done = _done(contender, job, goal.thresholds[-1])
        began = time.time()
        ran = run(command, job, goal.cap, variables, done, watch=False)
        trace = contender.trace(job)
    how = _how(ran.status, ran.tail, trace, goal, began)
    return {**told(trace, goal, began), **how, "seconds": ran.seconds}


def told(trace: Trace, goal: Goal, began: float) -> dict[str, Any]:
    """Return the times of a search.

    Args:
        trace: what it did.
        goal: its thresholds and its cap.
        began: seconds since 1970 when its process was started.
    """
    ready = began if trace.ready is None else trace.ready
    cold = [first_time(trace.ended, t, began, goal.cap) for t in goal.thresholds]
    start = ready - began
    errors = sorted(one.error for one in trace.ended)
    return {
        "cold": cold,
        "warm": [None if seconds is None else seconds - start for seconds in cold],
        "start_up": start,
        "finished": len(errors),
        "best": 1.0 - errors[0] if errors else None,
    }


def _how(status: str, tail: str, trace: Trace, goal: Goal, began: float) -> dict[str, Any]:
    """Return how a search ended; one that gave up before its time has not kept to the rules."""
    reached = first_time(trace.ended, goal.thresholds[-1], began, goal.cap) is not None
    if reached or status == "timeout":
        return {"status": "ok", "message": ""}
    last = max((one.at for one in trace.ended), default=began) - began
    if status == "ok" and last >= 0.5 * goal.cap:  # its own clock ran out before ours
        return {"status": "ok", "message": ""}
    return {"status": "crashed", "message": tail or "it ended before its time"}


def _done(contender: Contender, job: Path, threshold: float) -> Callable[[], bool]:
    """Return what asks whether the hardest threshold is reached, as cheaply as that can be."""
    seen, next_look = 0, 0.0

    def done() -> bool:
        nonlocal seen, next_look
        if time.monotonic() < next_look:
            return False
        next_look = time.monotonic() + _LOOK_SECONDS
        hint = contender.hint(job, threshold)
        if hint == seen:
            return False
        seen = hint
        return any(reaches(one.error, threshold) for one in contender.trace(job).ended)

    return done
