"""The section of `docs/benchmarks.md` about B7, from its results; the clean runs come first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .judge import figures

Plain = Mapping[str, Any]

METHOD = """\
Faults are planted in healthy cases, and Deepwell is asked as a user asks it: a table is loaded, one
network trained by `dw.Study`, and the findings of the fit read; a training program in JAX of a
user's own is given to `dw.check_gradients`, and Deepwell's rules get records that the harness
measured by running it. Every fault has one cause label and three severities. A plant counts only if
it hurts (10 seeds, p < 0.05 and Cohen's d at least 0.5, on rows of the world or on how far the dev
score is from them); inert plants are neither reward nor fault. Clean runs are healthy studies and,
told apart from them, healthy programs: those that faults are planted in, on rows of five seeds.
Both are asked and judged as the faulty are, and alarms on both cost precision. Exact intervals take
runs as independent. Those of a setup are alike, which is a network or a program on a task, and so
are those of a task; so the setups that have any run with an alarm are counted as well, and where
there is one a bootstrap over tasks is beside.

An alarm is a finding of level `problem`; what kind of error is left (DW100 to DW113) is no alarm,
nor is what would help or where to search on where nothing is wrong (DW5, DW6, DW7). *Strict*: the
label that was planted; every other claim costs precision. What kind of error is left is a claim as
any other where it is a problem (high bias, high variance, mismatch) and names no finding that is to
be mended first: it is the planted label or costs precision, its advice is followed where no alarm
gives any, and on a clean run it is a cause claimed, however true; how often it is true is told by
itself, and so is precision with all gaps counted as claims. The advice on high bias and high
variance in a study is what it names, `deepwell improve --apply CODE`, given 10 seconds: the
hyperparameters it ends with, or, where no remedy is found to help, what it names as left (more
train rows, better inputs), or nothing. For programs, and for the rules of others, the remedy of a
cause is fixed.

*Repair*: the first advice gives back at least 80 % of the lost score (paired by seed; the 95 %
interval excludes 50 %). Inputs and labels are given back where each row still is what it was, and
what a dev score is far from, the world, stays as it is. Where a fault harms how far the dev score
is from the world, what the world loses by a remedy counts as harm that is left.

*Brier* is of the first claim; a finding without a p-value counts as sure by 0.95, and among claims
that are as sure as each other each counts as right by the share that is. Baselines see the same
runs; published rules are restated in our own words on what Deepwell's probes measure, as far as
these hold it. *Random search* trains as much as may be trained for a first advice: of a study,
networks of a usual space around nothing for the 2e10 multiply-adds that an examination may take, 8
at least, and where `improve` was asked as many as train in its seconds; of a program, 48 rates
within a factor of 10 of its own, which is as many runs as its diagnosis makes at most. The most
frequent and the random label know which faults there are. Intervals of the faulty are bootstraps
over tasks, of which there are few. A fault of a program that Deepwell has no means to look for
today counts as missed."""


def section(results: Plain, title: str) -> str:
    """Return the section, its figures told anew from the cells."""
    header, told = results["header"], figures(results["cells"])
    crashed = [k for k, c in results["cells"].items() if c.get("status") == "crashed"]
    parts = [
        f"## {title}",
        _about(header, told),
        METHOD,
        "### Clean runs",
        _clean(told),
        "### Faulty runs",
        _who(told["who"], told["every_claim"]["micro"]),
        "### By family",
        _families(told["who"]["Deepwell"]["families"]),
        "### What acting on it gives back",
        _advice(told["advice"]),
        _asked(told["asked"]),
        _improved(told["improved"]),
        "### What kind of error is left",
        _regimes(told["regimes"]),
        _coverage(told["coverage"]),
        "### Faults",
        _faults(told["faults"]),
        _refused(told["refused"]),
        _crashed(crashed),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _about(header: Plain, told: Plain) -> str:
    machine, versions = header["machine"], header["versions"]
    faults = told["faults"]
    families = set(told["who"]["Deepwell"]["families"])
    opening = header["opening"]
    sealed = ""
    if opening:
        again = "" if opening["number"] == 1 else f", opened {opening['number']} times"
        sealed = f" Opened {opening['time']} at rules {opening['rules'][:12]}{again}."
    return (
        f"{machine['date']}: {machine['cpu']}, {machine['cores']} cores; Deepwell "
        f"{versions['deepwell']['deepwell']}, commit {versions['deepwell']['commit']}. The "
        f"{header['half']} half: {len(faults)} fault types, {len(families)} families with a plant "
        f"that hurts, {sum(f['planted'] for f in faults.values())} plants of which "
        f"{len(told['inert'])} are inert.{sealed}"
    )


def _clean(told: Plain) -> str:
    parts = [_clean_of(told, "study", "studies"), _clean_of(told, "program", "programs")]
    parts += [_took(told["cost"]), _unsound(told["unsound"])]
    return "\n\n".join(part for part in parts if part)


def _clean_of(told: Plain, kind: str, name: str) -> str:
    """Return who alarms on healthy studies, or programs, and by which checks Deepwell does."""
    lines = []
    for who, one in told["who"].items():
        c = one["clean_of"][kind]
        if not c["runs"]:
            continue
        lines.append((who, str(c["runs"]), *_counted(c["alarms"]), *_counted(c["claims"])))
    if not lines:
        return f"Healthy {name}: not measured."
    checks = [
        (code, str(c["runs"]), str(c["setups"]), _interval(c["rate"], c))
        for code, c in told["checks"][kind].items()
    ]
    more = ("over tasks [95 %]", "setups [95 %]")
    head = ("who", "clean runs", "with an alarm [95 %]", *more, "with a claim [95 %]", *more)
    problems = _table(("code", "runs", "setups", "rate [95 %]"), checks) if checks else "None."
    return (
        f"Healthy {name}:\n\n{_table(head, lines)}\n\n"
        f"Problems that Deepwell told of healthy {name}, check by check:\n\n{problems}"
    )


def _counted(rate: Plain) -> tuple[str, str, str]:
    """Return a rate of runs, its interval over tasks, and the rate of setups."""
    low, high = rate["over_tasks"]
    over = "-" if low is None else f"[{low:.1%}, {high:.1%}]"
    setups = rate["setups"]
    return (
        f"{rate['hits']}: {_interval(rate['rate'], rate)}",
        over,
        f"{setups['hits']} of {setups['of']}: {_interval(setups['rate'], setups)}",
    )


def _took(cost: Plain) -> str:
    if not cost.get("median_seconds"):
        return ""
    took = (
        f"A clean study took {cost['median_seconds']:.2f} s (median), of which what is not "
        f"training, the findings of the fit included, is {cost['median_beside']:.0%} of the "
        f"training of its one small network."
    )
    if cost["median_deeper"]:
        took += (
            f" `diagnose` took {cost['median_deeper']:.2f} s more, so that a draw of the studies "
            f"was asked for it."
        )
    return took


def _unsound(unsound: Plain) -> str:
    left = "; ".join(f"{name} ({', '.join(by)})" for name, by in unsound["setups"].items())
    if not left:
        return ""
    return (
        f"Not counted, since a usual change of rate, length, optimizer or start makes them "
        f"better on rows of the world by what matters (eight fresh seeds, no finding looked "
        f"at): {unsound['runs']} runs, of which Deepwell alarms in {unsound['alarms']}: {left}."
    )


def _who(who: Plain, every: Plain) -> str:
    lines = []
    for name, told in who.items():
        micro, macro = told["strict"]["micro"], told["strict"]["macro"]
        i = told["intervals"]
        lines.append(
            (
                name,
                _share(told["detection"]["recall"], i["alarm recall"]),
                _share(micro["precision"], i["strict precision"]),
                _share(micro["recall"], i["strict recall"]),
                f"{_number(macro['precision'])} / {_number(macro['recall'])}",
                f"{_number(told['strict']['top1'])} / {_number(told['strict']['top3'])}",
                f"{_share(told['repair']['recall'], i['repair recall'])} "
                f"({_number(told['repair']['precision'])} of advised)",
                _number(told["confidence"]["brier"]),
            )
        )
    ours = who["Deepwell"]["confidence"]["curve"]
    curve = ", ".join(f"{c:.0%}: {r:.0%}" for c, r in ours)
    programs, tasks = who["Deepwell"]["programs"], who["Deepwell"]["tasks"]
    return (
        f"{programs} programs with a fault that hurts, on {tasks} tasks.\n\n"
        + _table(
            (
                "who",
                "alarms, recall",
                "cause, precision",
                "cause, recall",
                "macro P / R",
                "top 1 / 3",
                "repair",
                "Brier",
            ),
            lines,
        )
        + f"\n\nWith every gap counted as a claim, whatever it says is to be mended first, "
        f"Deepwell's causes have precision {_number(every['precision'])} and recall "
        f"{_number(every['recall'])}. Its wrong first claims at coverage of all programs: "
        f"{curve or 'none'}."
    )


def _families(families: Plain) -> str:
    lines = [
        (
            name,
            str(f["programs"]),
            _number(f["alarmed"]),
            _number(f["recall"]),
            _number(f["precision"]),
            _number(f["family_recall"]),
            _number(f["repair"]),
        )
        for name, f in families.items()
    ]
    head = ("family", "programs", "alarmed", "cause recall", "cause precision", "family recall",
            "repair")  # fmt: skip
    return _table(head, lines)


def _advice(told: Plain) -> str:
    if not told:
        return "Not measured."
    lines = [
        (name, _number(told[key]))
        for name, key in (
            ("Deepwell's first advice", "ours"),
            ("a random remedy of the menu", "random remedy"),
            ("random search, as much training", "random search"),
            ("the best remedy of the menu", "best of the menu"),
        )
    ]
    versus = "; ".join(
        f"over {name} {d['mean']:+.2f} [{d['low']:+.2f}, {d['high']:+.2f}]"
        for name, d in told["versus"].items()
    )
    return (
        _table(("what is done", "share of the lost score given back, mean"), lines)
        + f"\n\n{told['plants']} plants, advice given for {told['advised']}; none counts as 0, "
        f"shares are cut to [-1, 1]. Deepwell {versus}. Mean regret {told['regret']:.2f}. Gains "
        f"that findings state and gains on rows of the world, of faults that harm the score: rank "
        f"correlation {_number(told['stated']['rank_correlation'])} ({told['stated']['pairs']} "
        f"pairs)."
    )


def _asked(told: Plain) -> str:
    if not told:
        return ""
    return (
        f"First advice mends {told['given']:.2f} of these plants. Where nothing is called a "
        f"problem a finding may still say that it cannot tell for want of rows: in {told['asked']} "
        f"plants. Following that too, more dev or train rows as it asks for, mends "
        f"{told['mended']:.0f} of these, {told['recall']:.2f} of all; it is no advice against a "
        "fault, and in no other figure."
    )


def _improved(told: Plain) -> str:
    if not told:
        return ""
    versus = "; ".join(
        f"over {name} {d['mean']:+.2f} [{d['low']:+.2f}, {d['high']:+.2f}]"
        for name, d in told["versus"].items()
    )
    return (
        f"`study.improve()` with 5 seconds, on a draw of {told['plants']} plants in studies: "
        f"{told['ours']:.2f} of the lost score given back, random search given as long "
        f"{told['random search']:.2f}, a random remedy {told['random remedy']:.2f}; {versus}. It "
        f"suffices in {told['suffices']} ({_interval(told['suffices'] / told['plants'], told)})."
    )


def _regimes(told: Plain) -> str:
    if not told["runs"]:
        return "Not measured."
    right, of = told["right"], told["adequate"]
    lines = [(*key.split(" -> "), str(n)) for key, n in sorted(told["table"].items())]
    return (
        f"Best possible score known, truth clear (each gap half of the material size away from it "
        f"or more), rows enough (each gap 3.24 of its standard errors away from it or more: a test "
        f"at 5 % tells that 9 times in 10): {right} of {of} verdicts right "
        f"({_interval(right / of if of else None, told)}), {told['open']} left open, "
        f"{told['wrong']} wrong. Where rows are fewer: {told['few_open']} of {told['few_rows']} "
        f"left open, {told['few_wrong']} wrong. The truth of {told['unclear']} more runs is not "
        "clear. Wrong is also what calls an error high that is not, whatever it leaves open.\n\n"
        + _table(("truth", "verdict", "runs"), lines)
    )


def _coverage(told: Plain) -> str:
    if not told["runs"]:
        return ""
    rate = _interval(told["held"] / told["runs"], told)
    return (
        f"The stated 95 % interval of the dev score holds the score on 100,000 rows of the world "
        f"in {told['held']} of these {told['runs']} runs ({rate})."
    )


def _faults(faults: Plain) -> str:
    lines = []
    for name, f in faults.items():
        said = ", ".join(f"{c} x{n}" for c, n in sorted(f["said"].items()))
        counts = [str(f[k]) for k in ("planted", "hurts", "alarmed", "named", "repaired")]
        cause = f["cause"] if f["nameable"] else f"*{f['cause']}*"
        lines.append((name, cause, f["of"], *counts, said or "-"))
    head = ("fault", "cause", "case", "planted", "hurts", "alarmed", "cause named", "repaired",
            "problems told")  # fmt: skip
    blind = [f for f in faults.values() if not f["nameable"]]
    share = sum(f["hurts"] for f in blind)
    return (
        f"Causes in italics no finding of today can name: {len(blind)} of {len(faults)} fault "
        f"types, {share} plants that hurt, all of them missed.\n\n" + _table(head, lines)
    )


def _crashed(crashed: Sequence[str]) -> str:
    if not crashed:
        return ""
    return (
        "Crashed, and counted for Deepwell alone: a plant as one that hurts and was missed, a "
        "clean run as an alarm, a verdict on what kind of error is left as wrong: "
        f"{', '.join(crashed)}."
    )


def _refused(refused: Mapping[str, bool]) -> str:
    if not refused:
        return ""
    told = ", ".join(f"{key} ({'' if named else 'not '}named)" for key, named in refused.items())
    return (
        f"Plants whose data Deepwell refused, and whether it named the cause: {told}. Nothing was "
        "trained, so that what they cost has no measure; they are in no other figure."
    )


def _interval(rate: float | None, ends: Plain) -> str:
    if rate is None:
        return "-"
    return f"{rate:.1%} [{ends['low']:.1%}, {ends['high']:.1%}]"


def _share(value: float | None, ends: Sequence[float | None]) -> str:
    if value is None:
        return "-"
    low, high = ends
    return _number(value) if low is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    told = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in told)
