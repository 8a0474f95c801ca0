"""`docs/benchmarks.md` from the committed results: wins and losses by the same rule."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .benchmark import Benchmark
from .diagnosis.section import section as diagnosis_section
from .figures import Row, Spread, median_fact, ratio, rows, useful_share
from .search_quality.section import TITLE as SEARCH_QUALITY
from .search_quality.section import section as search_section
from .store.section import TITLE as STORE
from .store.section import section as store_section
from .time_to_target import section as time_to_target
from .tools import TOOLS

Plain = Mapping[str, Any]

DIAGNOSIS = {
    "b7": "B7: planted faults and clean runs",
    "b7-sealed": "B7: the sealed half",
}
TIME_TO_TARGET = "b4"
METHOD = """\
# Benchmarks

Made by `python -m benchmarks page` from `benchmarks/results/`; do not edit.

**How it is measured.** All tools run in one job on one machine, one after another, their repeats
interleaved. Each measurement is a process of its own. All train the same networks: `deepwell fit`
splits and encodes the table and draws the configurations, and every peer is given the same
arrays and the same configurations, with the same epochs, batches, optimizer (Adam), initial
weights (He; scikit-learn starts by Glorot's rule, which cannot be chosen), L2 (the factor of the
weights in the gradient) and float32. *Cold* counts everything from starting the process to its
end with nothing cached; for `deepwell fit` that includes reading and splitting the table,
baselines, the store, the report and a dev score after every epoch, where peers get arrays and
score once at the end. *Steady* leaves out start-up and compiling: for peers it is the rate from
the first wave of networks to the last one, for Deepwell's engine that of a second pass in one
process, drawing initial weights included, without proposals and store, which peers' rates hold.
Figures are medians, with smallest and largest in brackets.

**Agreement comes first.** A tool's first networks must have our dev errors within seed noise
(six seeds of ours): the mean difference within two standard errors and half a point, and the
same order of configurations (Spearman). Where a tool fails, no ratio is computed.

**Run it.** `make bench-b1`, `bench-b2`, `bench-b3` in full (they resume when interrupted;
`FRESH=--fresh` starts anew), `make bench` in short, `make bench-quick` as a smoke test,
`make bench-gpu` on a CUDA machine. `make bench-b4` races searches against the clock
(`BENCH="--only NAME"`). Peers live in `build/peers/venv` (`make peers`). `make bench-b5` compares
samplers and takes nights in full (`python -m benchmarks b5 --scale reduced` half an hour).
`make bench-b6` records studies and opens them (it needs PostgreSQL). `make bench-b7` plants faults
and needs no peers.
"""


def page(results: Mapping[str, Plain], benchmarks: Sequence[Benchmark]) -> str:
    """Return the page: the method, then a section a benchmark."""
    parts = [METHOD]
    for benchmark in benchmarks:
        if benchmark.name in results:
            parts.append(section(results[benchmark.name], benchmark))
        else:
            parts.append(_missing(benchmark.title))
    if TIME_TO_TARGET in results:
        parts.append(time_to_target.section(results[TIME_TO_TARGET]))
    else:
        parts.append(_missing(time_to_target.TITLE))
    if "b5" in results:
        parts.append(search_section(results["b5"]))
    else:
        parts.append(_missing(SEARCH_QUALITY))
    parts.append(store_section(results["b6"]) if "b6" in results else _missing(STORE))
    for name, title in DIAGNOSIS.items():
        if name in results:
            parts.append(diagnosis_section(results[name], title))
        else:
            parts.append(_missing(title))
    return "\n".join(parts)


def _missing(title: str) -> str:
    return f"## {title}\n\nNot measured yet.\n"


def read_results(folder: Path) -> dict[str, Plain]:
    """Return the committed results by the name of their benchmark."""
    files = sorted(folder.glob("*.json"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def section(results: Plain, benchmark: Benchmark) -> str:
    """Return one benchmark's section."""
    parts = [
        f"## {benchmark.title}",
        _machine(results["header"]),
        _cases(results["header"]["cases"]),
        "### Ratios" if benchmark.targets else "",
        _targets(results, benchmark),
        "### Agreement",
        _gates(results["gates"]),
        "### Measurements",
        _measurements(rows(results)),
        _failures(rows(results)),
        "### Limits",
        _limits(results),
        _growth(rows(results)),
        *(_check(name, told) for name, told in results["checks"].items()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _machine(header: Plain) -> str:
    machine, versions = header["machine"], header["versions"]
    named = {**versions["peers"], "deepwell": versions["deepwell"]["deepwell"]}
    wanted = ("deepwell", "torch", "optuna", "scikit-learn", "ray", "keras", "keras-tuner", "jax")
    tools = ", ".join(f"{name} {named[name]}" for name in wanted if name in named)
    return (
        f"{machine['date']}: {machine['cpu']}, {machine['cores']} cores, {machine['vector']}, "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB, {machine['system']}, "
        f"Python {machine['python']}; {tools}; commit {versions['deepwell']['commit']}; "
        f"load at the start {machine['load']:.1f}."
    )


def _cases(cases: Plain) -> str:
    lines = []
    for name, case in cases.items():
        best = case["facts"].get("best_error")
        known = f"; best possible error {best:.4f} (computed)" if best is not None else ""
        lines.append(f"- `{name}`: {case['title']}{known}")
    return "\n".join(lines)


def _targets(results: Plain, benchmark: Benchmark) -> str:
    lines = []
    for target in benchmark.targets:
        value, why = ratio(results, target)
        told = why if value is None else f"{value:.2g}x" if value < 10 else f"{value:.0f}x"
        reached = "-" if value is None else "yes" if value >= target.at_least else "**no**"
        sizes = f"{target.networks:,}"
        if target.peer_networks:
            sizes += f" / {target.peer_networks:,}"
        lines.append((target.case, target.title, sizes, told, f"{target.at_least:g}x", reached))
    head = ("case", "Deepwell against", "networks", "ratio", "wanted", "reached")
    return _table(head, lines) if lines else ""


def _gates(gates: Plain) -> str:
    lines = [
        (
            key.split("/")[0],
            TOOLS[key.split("/")[1]].title,
            str(g["configurations"]),
            f"{g['mean_ours']:.4f}",
            f"{g['mean_theirs']:.4f}",
            f"{g['difference']:+.4f}",
            f"{g['allowed']:.4f}",
            f"{g['spearman']:.2f} ({g['spearman_needed']:.2f})",
            "passes" if g["passes"] else "**fails**",
        )
        for key, g in gates.items()
    ]
    head = (
        "case", "tool", "networks", "our mean error", "its mean error", "difference", "allowed",
        "rank correlation (needed)", "gate",
    )  # fmt: skip
    return _table(head, lines)


def _measurements(found: Sequence[Row]) -> str:
    lines = [
        (
            r.case,
            TOOLS[r.tool].title,
            f"{r.networks:,}",
            str(max((s.count for s in (r.cold, r.steady) if s), default=0)),
            _spread(r.cold),
            _spread(r.steady),
            "-" if r.peak_bytes is None else f"{r.peak_bytes / 2**20:,.0f}",
        )
        for r in sorted(found, key=lambda r: (r.case, r.tool, r.networks))
    ]
    head = (
        "case", "tool", "networks", "repeats", "cold, networks/s", "steady, networks/s",
        "peak memory, MiB",
    )  # fmt: skip
    return _table(head, lines)


def _failures(found: Sequence[Row]) -> str:
    lines = [
        f"- {TOOLS[r.tool].title}, {r.case}, {r.networks:,} networks: {failure}"
        for r in found
        for failure in dict.fromkeys(r.failures)
    ]
    return "Not measured:\n\n" + "\n".join(lines) if lines else ""


def _limits(results: Plain) -> str:
    lines = []
    for case, limit in results["limits"].items():
        lines.append(
            f"- `{case}`: matrix products ({limit['blas']}) {limit['square'] / 1e9:.0f} GFLOP/s "
            f"a core at 2048^3, {limit['at_shapes'] / 1e9:.1f} at the shapes used; memory "
            f"{limit['bandwidth'] / 1e9:.1f} GB/s."
        )
    for r in rows(results):
        if not r.tool.startswith("engine"):
            continue
        which = (r.case, r.tool, r.networks)
        square, used = (useful_share(results, *which, n) for n in ("square", "at_shapes"))
        if square is None or used is None:
            continue
        padded = median_fact(results, *which, "executed_over_useful")
        programs = median_fact(results, *which, "programs")
        compiling = median_fact(results, *which, "compile_seconds")
        operations = median_fact(results, *which, "useful_operations")
        lines.append(
            f"- {TOOLS[r.tool].title}, {r.case}, {r.networks:,} networks: "
            f"{operations / 1e12:.2f} T useful operations, {padded:.2f} executed / useful, "
            f"{programs:.0f} programs, {compiling:.1f} s of compiling; useful operations at "
            f"{used:.0%} of the products' rate at the shapes used, {square:.0%} of that at 2048^3."
        )
    return "\n".join(lines)


def _growth(found: Sequence[Row]) -> str:
    """Tell seconds and memory of `deepwell fit` from the smallest to the largest population."""
    lines = []
    for case, tool in dict.fromkeys((r.case, r.tool) for r in found if r.tool.startswith("fit")):
        mine = sorted(
            (r for r in found if (r.case, r.tool) == (case, tool) and r.cold),
            key=lambda r: r.networks,
        )
        if len(mine) < 3:
            continue
        told = [
            f"{r.networks:,}: {r.networks / r.cold.median:.1f} s, "
            f"{(r.peak_bytes or 0) / 2**20:,.0f} MiB"
            for r in mine
            if r.cold
        ]
        lines.append((case, TOOLS[tool].title, "; ".join(told)))
    return _table(("case", "tool", "networks: seconds, peak memory"), lines) if lines else ""


def _check(name: str, told: Plain) -> str:
    verdict = "passes" if told["passes"] else "**fails**"
    if told.get("status") == "crashed":
        return f"Check `{name}` **fails**: {told['message'].strip().splitlines()[-1]}"
    if name == "programs":
        return (
            f"Native and JAX program on {told['networks']} configurations: {verdict}; mean dev "
            f"errors {told['mean_native']:.4f} and {told['mean_jax']:.4f}, mean difference of one "
            f"configuration {told['mean_apart']:.4f} (seed noise {told['mean_seed_noise']:.4f}), "
            f"{told['beyond_noise']:.1%} of them beyond it."
        )
    program = "JAX program" if name.endswith("jax") else "native program"
    return (
        f"In the {program}, {told['diverging']} members that diverge at once beside "
        f"{told['healthy']} healthy ones: {verdict}; "
        f"{told['diverged']} diverged, core time x {told['ratio']:.3f}."
    )


def _spread(s: Spread | None) -> str:
    if s is None:
        return "-"
    if s.count == 1:
        return _rate(s.median)
    return f"{_rate(s.median)} ({_rate(s.low)} - {_rate(s.high)})"


def _rate(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    told = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in told)
