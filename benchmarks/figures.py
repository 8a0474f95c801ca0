"""Figures from a results file: medians, spreads, ratios, shares. Pure functions of its JSON."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .benchmark import Target

Plain = Mapping[str, Any]


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of some measurements."""

    median: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Row:
    """All repeats of one tool at one size.

    Attributes:
        case, tool, networks: which.
        cold, steady: networks a second with and without start-up; None where not measured.
        peak_bytes: the largest of the repeats.
        failures: what went wrong, one sentence a repeat.
    """

    case: str
    tool: str
    networks: int
    cold: Spread | None
    steady: Spread | None
    peak_bytes: int | None
    failures: tuple[str, ...]


def spread(values: Sequence[float]) -> Spread | None:
    """Return median and ends, or None without values.

    >>> spread([3.0, 1.0, 2.0])
    Spread(median=2.0, low=1.0, high=3.0, count=3)
    """
    if not values:
        return None
    return Spread(statistics.median(values), min(values), max(values), len(values))


def rows(results: Plain) -> list[Row]:
    """Return one row a tool and size, in the order in which they were first measured."""
    grouped: dict[tuple[str, str, int], list[Plain]] = {}
    for key, record in results["cells"].items():
        case, tool, networks, _ = key.split("/")
        grouped.setdefault((case, tool, int(networks)), []).append(record)
    return [_row(*key, records) for key, records in grouped.items()]


def row(results: Plain, case: str, tool: str, networks: int) -> Row | None:
    """Return one row, or None when it was not measured."""
    found = [r for r in rows(results) if (r.case, r.tool, r.networks) == (case, tool, networks)]
    return found[0] if found else None


def ratio(results: Plain, target: Target) -> tuple[float | None, str]:
    """Return the ratio of the two medians of a target, or None and why there is none."""
    peer_networks = target.peer_networks or target.networks
    rates: list[float] = []
    for tool, networks in ((target.tool, target.networks), (target.peer, peer_networks)):
        gate = results["gates"].get(f"{target.case}/{tool}")
        found = row(results, target.case, tool, networks)
        rate = None if found is None else getattr(found, target.rate)
        if gate is not None and not gate["passes"]:
            return None, f"{tool} fails the agreement gate"
        if rate is None or gate is None:
            return None, f"{tool} has no figure"
        rates.append(rate.median)
    return rates[0] / rates[1], ""


def median_fact(results: Plain, case: str, tool: str, networks: int, name: str) -> float | None:
    """Return the median of one fact over the repeats of a tool."""
    prefix = f"{case}/{tool}/{networks}/"
    told = [
        record["facts"][name]
        for key, record in results["cells"].items()
        if key.startswith(prefix) and record["status"] == "ok" and name in record["facts"]
    ]
    return statistics.median(told) if told else None


def useful_share(results: Plain, case: str, tool: str, networks: int, rate: str) -> float | None:
    """Return the useful operations a second over what the cores' products reach.

    Args:
        results: of the benchmark.
        case: name of the case.
        tool: which engine.
        networks: how many.
        rate: `square` for 2048^3, `at_shapes` for the shapes used.
    """
    operations = median_fact(results, case, tool, networks, "useful_operations")
    seconds = median_fact(results, case, tool, networks, "seconds")
    limit = results["limits"].get(case, {}).get(rate)
    if not operations or not seconds or not limit:
        return None
    cores = median_fact(results, case, tool, networks, "cores") or 1
    return operations / seconds / (limit * cores)


def _row(case: str, tool: str, networks: int, records: Sequence[Plain]) -> Row:
    good = [r for r in records if r["status"] == "ok"]
    peaks = [r["peak_bytes"] for r in good if r["peak_bytes"]]
    cold = [networks / r["seconds"] for r in good if r["seconds"]]
    steady = [r["steady_rate"] for r in good if r.get("steady_rate")]
    failures = tuple(f"{r['status']}: {_last_line(r)}" for r in records if r["status"] != "ok")
    return Row(
        case, tool, networks, spread(cold), spread(steady), max(peaks, default=None), failures
    )


def _last_line(record: Plain) -> str:
    lines = [line.strip() for line in str(record.get("message", "")).splitlines() if line.strip()]
    return lines[-1][:160] if lines else "no message"
