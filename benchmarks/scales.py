"""Smaller forms of a benchmark: `reduced` for `make bench`, `quick` for `make bench-quick`."""

from __future__ import annotations

from dataclasses import replace

from .benchmark import Benchmark, Series

_REDUCED_NETWORKS, _REDUCED_REPEATS = 256, 2
_QUICK_NETWORKS, _QUICK_EPOCHS = 8, 4
_QUICK_TOOLS = ("fit-native", "engine-native", "optuna")


def full(benchmark: Benchmark) -> Benchmark:
    """Return the benchmark as it is."""
    return benchmark


def reduced(benchmark: Benchmark) -> Benchmark:
    """Return at most 256 networks, each measured at most twice; no checks."""
    series = tuple(
        replace(s, repeats=min(s.repeats, _REDUCED_REPEATS))
        for s in benchmark.series
        if s.networks <= _REDUCED_NETWORKS and not s.last
    )
    return replace(benchmark, series=series, targets=_measured(benchmark, series), checks=())


def quick(benchmark: Benchmark) -> Benchmark:
    """Return every tool of B1, and the main ones of the others, once: 8 networks, 4 epochs.

    What is measured says that everything runs and agrees, not how fast it is.
    """
    cases = tuple(replace(case, epochs=_QUICK_EPOCHS) for case in benchmark.cases)
    tiny: dict[tuple[str, str], Series] = {}
    for s in benchmark.series:
        if benchmark.name == "b1" or s.tool in _QUICK_TOOLS:
            tiny[s.case, s.tool] = Series(s.case, s.tool, _QUICK_NETWORKS, 1)
    return replace(
        benchmark, cases=cases, series=tuple(tiny.values()), targets=(), checks=(), minutes=5
    )


def _measured(benchmark: Benchmark, series: tuple[Series, ...]) -> tuple:
    """Return the targets whose two sides are still measured."""
    known = {(s.case, s.tool, s.networks) for s in series}
    return tuple(
        t
        for t in benchmark.targets
        if (t.case, t.tool, t.networks) in known
        and (t.case, t.peer, t.peer_networks or t.networks) in known
    )


SCALES = {"full": full, "reduced": reduced, "quick": quick}
