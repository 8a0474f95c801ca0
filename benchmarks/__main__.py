"""`python -m benchmarks b1 [--scale reduced] [--fresh]`, or `page` for the docs alone."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time

from .b1 import B1
from .b2 import B2
from .b3 import B3
from .benchmark import Benchmark
from .gpu import GPU, device
from .machine import machine, versions
from .page import page, read_results, section
from .results import OtherRunError, OutOfTimeError, Results
from .scales import SCALES
from .schedule import run_benchmark
from .search_quality.command import measure as search_quality
from .store.command import measure as store
from .tables import MissingDataError
from .tools import ROOT

BENCHMARKS = (B1, B2, B3, GPU)
B4 = "b4"  # time to target: searches, not rates, so no `Benchmark`
B5 = "b5"  # search quality: runs of samplers, each in the same worker
B6 = "b6"  # the store: records, not networks
B7 = "b7"  # diagnosis: no peers to be timed, so none either
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
WORK = ROOT / "build" / "benchmarks"
_DONE, _WRONG, _CANNOT, _LEFT = 0, 1, 2, 3


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line names and return the exit code.

    0 when all is measured, 1 when a smoke run shows a tool that crashes or disagrees, 2 when
    something that is needed is not on this machine, 3 when time was over before the end.
    """
    names = [b.name for b in BENCHMARKS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="+", choices=[*names, B4, B5, B6, B7, "page"], metavar="NAME"
    )
    parser.add_argument("--scale", choices=list(SCALES), default="full")
    parser.add_argument("--fresh", action="store_true", help="drop an unfinished run")
    parser.add_argument("--minutes", type=float, default=45.0, help="begin nothing after them")
    parser.add_argument("--open-sealed", action="store_true", help="b7: the sealed half, on record")
    parser.add_argument("--only", action="append", default=[], help="b4: this contender alone")
    parser.add_argument("--seeds", type=int, help="b4: searches of each contender")
    parser.add_argument("--cap", type=float, help="b4: seconds of a search")
    given = parser.parse_args(arguments)
    deadline = time.monotonic() + 60 * given.minutes
    finished: list[tuple[Benchmark, Results]] = []
    code = _DONE
    try:
        for benchmark in (b for b in BENCHMARKS if b.name in given.names):
            chosen = SCALES[given.scale](benchmark)
            try:
                finished.append((chosen, _measured(chosen, given.scale, given.fresh, deadline)))
            except (MissingDataError, OtherRunError) as error:
                print(error, file=sys.stderr)
                code = _CANNOT
    except OutOfTimeError as error:
        print(error)
        return _LEFT
    for chosen, results in finished:  # kept until all are there, so that a set resumes as a whole
        _publish(chosen, results, given.scale)
        if given.scale == "quick" and trouble(results):
            code = _WRONG
    if B4 in given.names:
        from .time_to_target import command

        limits = (given.seeds, given.cap)
        told = command.measure(given.scale, given.fresh, deadline, given.only, limits, RESULTS)
        if given.scale == "full" and told == _DONE:
            write_page()
        code = code or told
    if B5 in given.names:
        told = search_quality(given.scale, given.fresh, deadline, RESULTS)
        if told == _DONE:
            write_page()
        code = code or told
    if B6 in given.names:
        told = store(given.scale, given.fresh, deadline, RESULTS)
        if given.scale == "full" and told == _DONE:
            write_page()
        code = code or told
    if B7 in given.names:
        from .diagnosis.command import measure  # which needs JAX, where others measure without it

        told = measure(given.scale, given.fresh, deadline, given.open_sealed, RESULTS)
        if given.scale == "full" and told in (_DONE, _WRONG):
            write_page()
        code = code or told
    if "page" in given.names:
        write_page()
    return code


def trouble(results: Results) -> bool:
    """Return whether a tool crashed, or fails the agreement gate."""
    crashed = any(cell["status"] != "ok" for cell in results.cells.values())
    return crashed or any(not gate["passes"] for gate in results.gates.values())


def write_page() -> None:
    """Write the docs from the committed results."""
    PAGE.write_text(page(read_results(RESULTS), BENCHMARKS), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} written")


def header(benchmark: Benchmark) -> dict[str, object]:
    """Return what a results file says of its run."""
    cases = {
        case.name: {
            "title": case.title,
            "space": list(case.space),
            "epochs": case.epochs,
            "batch_size": case.batch_size,
            "facts": dict(case.facts()),
        }
        for case in benchmark.cases
    }
    return {
        "benchmark": benchmark.name,
        "machine": machine(),
        "versions": versions(),
        "cases": cases,
        "series": [list(dataclasses.astuple(series)) for series in benchmark.series],
    }


def _measured(benchmark: Benchmark, scale: str, fresh: bool, deadline: float) -> Results:
    if benchmark.name == GPU.name and not device():
        raise MissingDataError("this benchmark needs a CUDA device that JAX can use; none is here")
    print(f"{benchmark.title}, {scale}: about {benchmark.minutes:g} minutes on a quiet machine")
    results = Results(WORK / scale / f"{benchmark.name}.json", header(benchmark), fresh)
    run_benchmark(benchmark, results, WORK, deadline)
    return results


def _publish(benchmark: Benchmark, results: Results, scale: str) -> None:
    print(section(results.plain(), benchmark))
    if scale == "full":
        results.move(RESULTS / f"{benchmark.name}.json")
        write_page()
    else:
        results.move(WORK / scale / f"{benchmark.name}-finished.json")


if __name__ == "__main__":
    sys.exit(main())
