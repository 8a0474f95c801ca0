"""The section of `docs/benchmarks.md` about B5, from its results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .areas import Comparison, compared

Plain = Mapping[str, Any]
TITLE = "B5, search quality"
METHOD = """\
Samplers minimize functions of COCO whose least value is known to the harness. Each run has as many
evaluations as stated; a batch is asked for as a whole before any of its scores is told. *Area* is
the mean, over the evaluations, of the share of 51 targets reached (an excess over the least value
of 100 down to 1e-8, evenly in the logarithm); of noisy functions the value under the noise counts
(f116 to f118 are never run: no suite has the function under theirs). Peers run at their defaults,
in the same job, before Deepwell's samplers, whose settings were chosen on other instances of some
of these functions. *Wins* are runs with the larger area; *p* is of Wilcoxon's signed-rank test over
all runs of a suite and batch, dimensions pooled, two-sided, and not corrected for the number of
tables' lines. *Seconds* are of one core, a proposed point."""

_TITLES = {
    "deepwell-bayesian": "Deepwell `bayesian`",
    "deepwell-tpe": "Deepwell `tpe`",
    "deepwell-random": "Deepwell `random`",
    "optuna-gp": "Optuna GP",
    "optuna-tpe": "Optuna TPE",
    "optuna-cmaes": "Optuna CMA-ES",
    "optuna-qmc": "Optuna QMC",
    "optuna-random": "Optuna random",
}
_JUDGED = ("deepwell-bayesian", "deepwell-tpe")


def section(results: Plain) -> str:
    """Return the section."""
    header = results["header"]
    groups: dict[tuple[str, int], dict[str, dict[str, Plain]]] = {}
    for name, cell in results["cells"].items():
        suite, function, dimension, instance, batch, strategy = name.split("/")
        place = f"{function}/{dimension}/{instance}"
        groups.setdefault((suite, int(batch)), {}).setdefault(strategy, {})[place] = cell
    parts = [f"## {TITLE}", _about(header), METHOD]
    for (suite, batch), strategies in sorted(groups.items()):
        parts += [f"### {suite}, batches of {batch}", _areas(strategies), _tests(strategies)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _about(header: Plain) -> str:
    machine, versions = header["machine"], header["versions"]
    peers = versions["peers"]
    lines = [
        f"{machine['date']}: {machine['cpu']}, {machine['cores']} cores, Python "
        f"{machine['python']}; deepwell {versions['deepwell']['deepwell']}, optuna "
        f"{peers.get('optuna')}, cmaes {peers.get('cmaes')}, torch {peers.get('torch')}, "
        f"coco-experiment {peers.get('coco-experiment')}; commit {versions['deepwell']['commit']}.",
        "",
    ]
    if header["scale"] != "full":
        lines += ["A **reduced** run; the full one (`make bench-b5`) takes nights.", ""]
    if header.get("remark"):
        lines += [header["remark"], ""]
    for part in header["series"]:
        budgets = sorted({part["budget"][str(d)] for d in part["dimensions"]})
        lines.append(
            f"- `{part['suite']}`: {len(part['functions'])} functions, "
            f"{_listed(part['dimensions'])} dimensions, {len(part['instances'])} instance(s), "
            f"batches of {_listed(part['batches'])}, {_listed(budgets)} evaluations"
        )
    return "\n".join(lines)


def _areas(strategies: Mapping[str, Mapping[str, Plain]]) -> str:
    dimensions = sorted({int(p.split("/")[1]) for runs in strategies.values() for p in runs})
    lines = []
    for name, title in _TITLES.items():
        runs = strategies.get(name)
        if not runs:
            continue
        by = [
            np.mean([c["area"] for p, c in runs.items() if int(p.split("/")[1]) == d])
            for d in dimensions
        ]
        seconds = sum(c["seconds"] for c in runs.values())
        points = sum(c["evaluations"] for c in runs.values())
        mean = np.mean([c["area"] for c in runs.values()])
        lines.append(
            (title, str(len(runs)), f"{mean:.4f}", *[f"{b:.4f}" for b in by],
             f"{seconds / points:.4f}")
        )  # fmt: skip
    head = ("sampler", "runs", "area", *[f"{d}-D" for d in dimensions], "seconds")
    return _table(head, lines)


def _tests(strategies: Mapping[str, Mapping[str, Plain]]) -> str:
    lines = []
    for ours in _JUDGED:
        for name, title in _TITLES.items():
            if name == ours or name not in strategies or ours not in strategies:
                continue
            told = comparison(strategies[ours], strategies[name])
            lines.append(
                (_TITLES[ours], title, str(told.runs), str(told.wins), str(told.losses),
                 f"{told.p_value:.2g}", f"**{told.verdict}**")
            )  # fmt: skip
    return _table(("of", "against", "runs", "wins", "losses", "p", "verdict"), lines)


def comparison(ours: Mapping[str, Plain], theirs: Mapping[str, Plain]) -> Comparison:
    """Return the comparison over the runs that both have."""
    both = [place for place in ours if place in theirs]
    return compared([ours[p]["area"] for p in both], [theirs[p]["area"] for p in both])


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(str(n) for n in numbers)


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    told = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in told)
