"""The agreement gate: the same configurations get the same dev errors in every tool."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.agreement import agreement
from benchmarks.benchmark import Series
from benchmarks.measure import engine, job_folder, measure
from benchmarks.process import run
from benchmarks.tools import ROOT, read_outcome
from benchmarks.workload import Workload

from .contenders import Contender
from .job import write_search

SEEDS = 6
_SECONDS = 600.0
_FIT = "fit-native"


def reference(load: Workload, networks: int) -> dict[str, Any]:
    """Return our dev errors of the first configurations with several seeds, (S, C)."""
    scores = np.array(engine(load, load.repeated(networks, SEEDS), "native")["scores"])
    return {"scores": scores.reshape(SEEDS, networks).round(6).tolist()}


def judge(
    contender: Contender, load: Workload, networks: int, known: dict[str, Any]
) -> dict[str, Any]:
    """Return whether a contender trains the networks that our engine trains.

    A peer gets the list in place of a search. `deepwell fit` draws the same networks by itself
    when it is asked for random search without a scheduler.

    Args:
        contender: who is judged.
        load: what is trained; of a peer without dropout the case without.
        networks: how many.
        known: what `reference` returned for them.
    """
    if contender.ours:
        caches = ROOT / "build" / "benchmarks" / "caches"
        told = measure(load, Series(load.case.name, _FIT, networks, 1), 0, caches)
        scores, failure = told.get("scores"), told.get("message", "")
    else:
        scores, failure = _listed(contender, load, networks)
    if not scores:
        return {"passes": False, "message": failure[-500:]}
    ours = np.array(known["scores"])
    return {**asdict(agreement(ours, np.array([scores[:networks]]))), "case": load.case.name}


def _listed(contender: Contender, load: Workload, networks: int) -> tuple[list[float] | None, str]:
    """Return the dev errors of the listed networks, or None and why there are none."""
    case = load.case
    with job_folder() as job:
        write_search(job, load, case, list(load.specs(networks).values()), 0, _SECONDS)
        ran = run(contender.command(case, load.file, job, 0, _SECONDS), job, _SECONDS, {})
        if ran.status != "ok":
            return None, f"{ran.status}: {ran.tail}"
        return read_outcome(job)["scores"], ""
