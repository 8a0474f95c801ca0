"""The job folder of a search: rows, space and seed, the same for every peer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import workload
from benchmarks.benchmark import Case
from benchmarks.workload import Workload, plain
from deepwell.records import TrialSpec
from deepwell.search.spaces._integer import Integer
from deepwell.search.spaces._log import Log
from deepwell.search.spaces._one_minus_log import OneMinusLog
from deepwell.search.spaces._parse import parse_entry
from deepwell.search.spaces._uniform import Uniform

_KINDS: dict[type, str] = {
    Uniform: "uniform",
    Log: "log",
    OneMinusLog: "one_minus_log",
    Integer: "integer",
}


def write_search(
    folder: Path, load: Workload, case: Case, listed: Sequence[TrialSpec], seed: int, seconds: float
) -> None:
    """Write a job folder.

    Args:
        folder: is made.
        load: the rows.
        case: what is searched.
        listed: networks to be trained in place of a search, for the agreement gate.
        seed: of the search.
        seconds: after which it is ended.
    """
    workload.write_job(folder, load, listed, seed)
    file = folder / "job.json"
    job = json.loads(file.read_text(encoding="utf-8"))
    space, usual = ranges(case), plain(load.specs(1)[0])
    layers = {"hidden_layers": len(usual["hidden"]), "hidden_units": usual["hidden"][0]}
    fixed = {**usual, **layers}
    del fixed["hidden"]
    searched = {one["name"] for one in space}
    if not any(entry.startswith("dropout=") for entry in case.space):
        fixed["dropout"] = 0.0
    job["search"] = {
        "space": space,
        "fixed": {name: value for name, value in fixed.items() if name not in searched},
        "seconds": seconds,
    }
    file.write_text(json.dumps(job), encoding="utf-8")


def ranges(case: Case) -> list[Mapping[str, Any]]:
    """Return what is searched, for JSON.

    Raises:
        ValueError: when an entry is neither a range nor one value.
    """
    found: list[Mapping[str, Any]] = []
    for text in case.space:
        name, entry = parse_entry(text)
        if isinstance(entry, Uniform | Log | OneMinusLog | Integer):
            kind = _KINDS[type(entry)]
            found.append({"name": name, "kind": kind, "low": entry.low, "high": entry.high})
        elif entry.count() != 1:
            raise ValueError(f"peers draw from ranges alone, got {text}")
    return found
