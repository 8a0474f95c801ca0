"""The section of `docs/benchmarks.md` about B4, from its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .censored import Median
from .contenders import DEFAULT, peers, title
from .judge import (
    LEAST_SECONDS,
    PEERS_NEEDED,
    WANTED,
    WANTED_COLD,
    WANTED_WARM,
    Verdict,
    counting,
    medians,
    verdicts,
)

Plain = Mapping[str, Any]

TITLE = "B4, time to target on digits"
METHOD = f"""\
Every tool is a process of its own, draws its own configurations from B1's space, and is given two
cores, the same rows and the same cap. A threshold is reached when a network that has trained all
its 30 epochs has that dev accuracy after the last one; no better epoch on the way counts, and none
of a network that was stopped. A search ends when the hardest threshold is reached or at the cap,
which makes its times there censored: longer than the cap, whatever they are. Medians are over
seeds, a censored time being longer than any other; a peer's run that crashed counts for what it
had reached, and nothing is said of what all peers missed where one crashed. *Cold* counts from the
start of the process, *warm* from the end of its start-up: when a peer has loaded what it needs and
has its workers, and when `deepwell fit` has read and split the table, made its checks and proposes
its first networks.
The native program compiles nothing, so kept caches change nothing. The threshold that counts is
the hardest one that {PEERS_NEEDED} peers reach and that costs the best of them {LEAST_SECONDS:g} s
or more: there at least {WANTED:g} times the speed is wanted, cold; at the others {WANTED_COLD:g}
cold and {WANTED_WARM:g} warm. The first gate is agreement, as above: the same networks have the
same dev errors within seed noise."""


def section(results: Plain) -> str:
    """Return the section."""
    header, cells = results["header"], results["cells"]
    names = list(dict.fromkeys(key.rpartition("/")[0] for key in cells))
    theirs = [n for n in names if n in {p.name for p in peers()} and _passed(results, n)]
    parts = [
        f"## {TITLE}",
        _about(header),
        METHOD,
        "### Against the best peer",
        *(_against(results, n, theirs) for n in names if n == DEFAULT),
        _counts(results, theirs),
        "### Times",
        *(_times(header, cells, names, clock) for clock in ("cold", "warm")),
        _failures(cells),
        "### Agreement",
        _gates(results["gates"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _passed(results: Plain, name: str) -> bool:
    return bool(results["gates"].get(name, {}).get("passes"))


def _about(header: Plain) -> str:
    machine, versions = header["machine"], header["versions"]
    named = {**versions["peers"], "deepwell": versions["deepwell"]["deepwell"]}
    wanted = ("deepwell", "torch", "optuna", "scikit-learn", "ray")
    tools = ", ".join(f"{name} {named[name]}" for name in wanted if name in named)
    return (
        f"{machine['date']}: {machine['cpu']}, {machine['cores']} cores, {machine['vector']}, "
        f"Python {machine['python']}; {tools}; commit {versions['deepwell']['commit']}; load at "
        f"the start {machine['load']:.1f}; {header['case']}; {header['seeds']} seeds, cap "
        f"{header['cap']:g} s."
    )


def _against(results: Plain, name: str, theirs: Sequence[str]) -> str:
    lines = [
        (
            f"{results['header']['thresholds'][v.place]:.3f}",
            v.clock,
            title(v.peer) if v.peer else "none",
            _seconds(v.peer_seconds),
            _seconds(v.our_seconds),
            _ratio(v),
            "-" if v.wanted is None else f"{v.wanted:g}x",
            "-" if v.reached is None else "yes" if v.reached else "**no**",
        )
        for v in verdicts(results, name, theirs)
    ]
    head = ("accuracy", "clock", "best peer", "its time", "ours", "ratio", "wanted", "reached")
    return f"{title(name)}, as it comes:\n\n{_table(head, lines)}"


def _counts(results: Plain, theirs: Sequence[str]) -> str:
    place = counting({p: medians(results["cells"], p, "cold") for p in theirs})
    if place is None:
        return (
            f"No threshold is reached by {PEERS_NEEDED} peers and costs the best of them "
            f"{LEAST_SECONDS:.0f} s."
        )
    return f"The threshold that counts is {results['header']['thresholds'][place]:.3f}."


def _times(header: Plain, cells: Plain, names: Sequence[str], clock: str) -> str:
    found = {name: medians(cells, name, clock) for name in names}
    lines = [
        (title(name), *(_spread(m) for m in told), _networks(cells, name))
        for name, told in sorted(found.items(), key=lambda item: _order(item[1]))
        if told
    ]
    head = (f"{clock}, seconds", *(f"{t:.3f}" for t in header["thresholds"]), "finished a second")
    return _table(head, lines)


def _order(told: Sequence[Median]) -> tuple[tuple[float, int], ...]:
    """Return what tools are ordered by: the hardest threshold first."""
    return tuple(
        (float("inf") if m.seconds is None else m.seconds, -m.reached) for m in reversed(told)
    )


def _networks(cells: Plain, name: str) -> str:
    mine = [c for key, c in cells.items() if key.rpartition("/")[0] == name and c.get("seconds")]
    rates = sorted(c["finished"] / c["seconds"] for c in mine)
    return f"{rates[len(rates) // 2]:.1f}" if rates else "-"


def _spread(m: Median) -> str:
    if not m.runs:
        return "crashed"
    if m.reached == 0:
        return f"> cap (0 of {m.runs})"
    shown = "> cap" if m.seconds is None else f"{m.seconds:.1f}"
    high = "cap" if m.high is None else f"{m.high:.1f}"
    of = f", {m.reached} of {m.runs}" if m.reached < m.runs else ""
    return f"{shown} ({m.low:.1f} - {high}{of})"


def _ratio(v: Verdict) -> str:
    if v.ratio is None:
        return "-"
    return (
        f"{'> ' if v.at_least else ''}{v.ratio:.2g}x"
        if v.ratio < 10
        else (f"{'> ' if v.at_least else ''}{v.ratio:.0f}x")
    )


def _seconds(value: float | None) -> str:
    return "> cap" if value is None else f"{value:.1f} s"


def _failures(cells: Plain) -> str:
    lines = [
        f"- {title(key.rpartition('/')[0])}, seed {key.rpartition('/')[2]}: {cell['status']}: "
        f"{(cell['message'].strip().splitlines() or ['no message'])[-1][:160]}"
        for key, cell in cells.items()
        if cell["status"] != "ok"
    ]
    return "Not as planned:\n\n" + "\n".join(lines) if lines else ""


def _gates(gates: Plain) -> str:
    lines = [
        (
            title(name),
            str(g.get("configurations", "-")),
            f"{g['difference']:+.4f}" if "difference" in g else "-",
            f"{g['allowed']:.4f}" if "allowed" in g else "-",
            f"{g['spearman']:.2f} ({g['spearman_needed']:.2f})" if "spearman" in g else "-",
            "passes" if g["passes"] else "**fails**",
        )
        for name, g in gates.items()
    ]
    head = ("tool", "networks", "mean difference", "allowed", "rank correlation (needed)", "gate")
    return _table(head, lines)


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    told = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in told)
