"""From kept results to what is scored: Deepwell and every baseline on the same runs."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from .advice import ASKS, first_advice, remedy_for
from .baselines import RULES
from .diagnosed import Said, causes
from .fault import PROGRAM, SCORE, STUDY
from .intervals import clopper_pearson
from .labels import nameable
from .remedies import APART
from .scoring import Judged, plain, strict, summary

Cell = Mapping[str, Any]
DEEPWELL = "Deepwell"
DEEP = "Deepwell, and `diagnose`"
CRASH = "a crash"


def judged(cells: Mapping[str, Cell]) -> dict[str, dict[str, list[Judged]]]:
    """Return who -> `clean` and `faulty` programs; plants that hurt nothing are left out.

    What crashed counts for Deepwell: as missed on a plant, as an alarm on a clean run. The others,
    who have no measurements of it, are not judged by it.
    """
    every = {"clean": list(clean_cells(cells).values()), "faulty": list(hurting(cells).values())}
    told = {DEEPWELL: {part: [_ours(c) for c in of] for part, of in every.items()}}
    if any(_dived(c) for of in every.values() for c in of):
        told[DEEP] = {part: [_deep(c) for c in of if _dived(c)] for part, of in every.items()}
    clean, faulty = ([c for c in of if not _crashed(c)] for of in every.values())
    for name in RULES:
        told[name] = {
            part: [_theirs(name, c) for c in of]
            for part, of in (("clean", clean), ("faulty", faulty))
        }
    for name, guess in _guesses(faulty).items():
        told[name] = {"clean": [guess(c) for c in clean], "faulty": [guess(c) for c in faulty]}
    return told


def clean_cells(cells: Mapping[str, Cell]) -> dict[str, Cell]:
    """Return the clean runs, without those of setups that a usual change makes better."""
    unsound = _improvable(cells)
    found = {key: c for key, c in cells.items() if key.startswith("clean/")}
    return {key: c for key, c in found.items() if c["setup"] not in unsound}


def _clean_of(cells: Mapping[str, Cell], kind: str) -> list[Cell]:
    return [cell for cell in clean_cells(cells).values() if cell["of"] == kind]


def hurting(cells: Mapping[str, Cell]) -> dict[str, Cell]:
    """Return the plants that make scores worse, and those that crashed: they might."""
    found = {key: c for key, c in cells.items() if key.startswith("plant/")}
    return {key: c for key, c in found.items() if _crashed(c) or c["validation"]["hurts"]}


def _crashed(cell: Cell) -> bool:
    return cell.get("status") == "crashed"


def _improvable(cells: Mapping[str, Cell]) -> dict[str, list[str]]:
    """Return the clean setups that were none, and what makes them better."""
    found = [c for k, c in cells.items() if k.startswith("sound/") and not _crashed(c)]
    return {c["setup"]: sorted(c["improvable"]) for c in found if c["improvable"]}


def inert(cells: Mapping[str, Cell]) -> list[str]:
    """Return the names of the plants that hurt nothing."""
    left = {*hurting(cells), *refusals(cells)}
    return [k for k in cells if k.startswith("plant/") and k not in left]


def refusals(cells: Mapping[str, Cell]) -> dict[str, bool]:
    """Return the plants whose data were refused, and whether the refusal named the cause.

    Nothing was trained, so that what they cost has no measure and no remedy can be tried: they
    are in no other figure.
    """
    found = {k: c for k, c in cells.items() if "refused" in c.get("validation", {})}
    return {k: c["cause"] in causes(Said(**s) for s in c["said"]) for k, c in found.items()}


def figures(cells: Mapping[str, Cell]) -> dict[str, Any]:
    """Return everything that the page tells."""
    everyone = judged(cells)
    sound = {key: cell for key, cell in cells.items() if not _crashed(cell)}
    return plain(
        {
            "who": {
                name: summary(told["clean"], told["faulty"]) for name, told in everyone.items()
            },
            "every_claim": strict([_whatever_comes_first(c) for c in hurting(cells).values()]),
            "checks": {of: _checks(_clean_of(cells, of)) for of in (STUDY, PROGRAM)},
            "unsound": _unsound(cells),
            "faults": _faults(cells),
            "inert": inert(cells),
            "refused": refusals(cells),
            "regimes": _regimes([c for k, c in cells.items() if k.startswith("regime/")]),
            "advice": _advice(list(hurting(sound).values())),
            "asked": _asked(list(hurting(sound).values())),
            "improved": _improved(list(hurting(sound).values())),
            "coverage": _coverage(c for k, c in sound.items() if k.startswith("regime/")),
            "cost": _cost([c for c in _clean_of(cells, STUDY) if not _crashed(c)]),
        }
    )


def _dived(cell: Cell) -> bool:
    return cell["dives"] if _crashed(cell) else cell["deeper"] is not None


def _ours(cell: Cell) -> Judged:
    """Return what the fit says."""
    if _crashed(cell):
        return _silenced(cell)
    return _judged(cell, _said(cell, deep=False), _repaired(cell))


def _whatever_comes_first(cell: Cell) -> Judged:
    """Return what the fit says, gaps claimed as causes though it names what comes before them."""
    if _crashed(cell):
        return _silenced(cell)
    said = [replace(s, after=()) for s in _said(cell, deep=False)]
    return _judged(cell, said, _repaired(cell))


def _deep(cell: Cell) -> Judged:
    """Return what `diagnose` says, which tells what the fit told again, in part anew."""
    if _crashed(cell):
        return _silenced(cell)
    said = _said(cell, deep=True)
    first, of_fit = first_advice(said), first_advice(_said(cell, deep=False))
    if _same(first, of_fit):
        return _judged(cell, said, _repaired(cell))
    cause = first.cause if first is not None and cell.get("menu") else None
    return _judged(cell, said, None if cause is None else _suffices(cell, cause))


def _said(cell: Cell, *, deep: bool) -> list[Said]:
    return [Said(**s) for s in cell["said"] if s["deep"] == deep]


def _same(one: Said | None, other: Said | None) -> bool:
    """Return whether two pieces of advice are one."""
    if one is None or other is None:
        return one is other
    return (one.code, one.cause, one.values) == (other.code, other.cause, other.values)


def _silenced(cell: Cell) -> Judged:
    """Return what a crash counts as: missed on a plant, an alarm on a clean run."""
    return _run(cell, cell.get("cause") is None, ())


def _judged(cell: Cell, said: list[Said], repairs: float | None) -> Judged:
    named = causes(said)
    confidence = next((s.confidence for s in said if s.cause in named[:1]), 0.95)
    return _run(cell, any(s.alarms for s in said), named, repairs, confidence)


def _run(
    cell: Cell,
    alarm: bool,
    said: Sequence[str],
    repairs: float | None = None,
    confidence: float = 0.95,
) -> Judged:
    return Judged(
        task=cell["task"],
        cause=cell.get("cause"),
        alarm=alarm,
        said=tuple(said),
        repairs=repairs,
        confidence=confidence,
        of=cell["of"],
        setup=cell.get("setup", ""),
    )


def _repaired(cell: Cell) -> float | None:
    advice = cell.get("advice")
    return None if advice is None else float(advice["suffices"])


def _theirs(name: str, cell: Cell) -> Judged:
    alarm, named = cell["baselines"][name]
    repairs = _suffices(cell, named[0]) if named and cell.get("menu") else None
    return _run(cell, alarm, named, repairs)


def _suffices(cell: Cell, cause: str) -> float:
    """Return whether the remedy that a cause asks for mends a plant whose menu was tried."""
    return float(cell["menu"][remedy_for(cause, cell["of"])]["suffices"])


def _guesses(faulty: list[Cell]) -> dict[str, Callable[[Cell], Judged]]:
    """Return guesses that know which faults there are: the most frequent one, a random one."""
    counts = Counter(c["cause"] for c in faulty)
    if not counts:
        return {}
    labels = sorted(counts)
    top = counts.most_common(1)[0][0]
    generator = np.random.default_rng(17)

    def frequent(cell: Cell) -> Judged:
        return _guess(cell, top)

    def random(cell: Cell) -> Judged:
        chosen = labels[generator.integers(len(labels))]
        remedies = _menu(cell)
        chance = statistics.fmean(v["suffices"] for v in remedies) if remedies else None
        return _run(cell, True, (chosen,), chance)

    def search(cell: Cell) -> Judged:
        found = cell.get("menu", {}).get("random search")
        repairs = None if found is None else float(found["suffices"])
        return _run(cell, True, (), repairs)

    return {"most frequent label": frequent, "random label, random remedy": random,
            "random search": search}  # fmt: skip


def _guess(cell: Cell, cause: str) -> Judged:
    repairs = _suffices(cell, cause) if cell.get("menu") else None
    return _run(cell, True, (cause,), repairs)


def _menu(cell: Cell) -> list[dict[str, Any]]:
    return [v for n, v in cell.get("menu", {}).items() if n not in APART]


def _checks(clean: list[Cell]) -> dict[str, dict[str, float]]:
    """Return code -> clean runs, and setups, in which it was a problem, with the rate of runs."""
    counts = Counter(code for c in clean for code in _problems(c))
    told = {}
    for code, hits in sorted(counts.items()):
        low, high = clopper_pearson(hits, len(clean))
        setups = len({c["setup"] for c in clean if code in _problems(c)})
        told[code] = {"runs": hits, "setups": setups, "rate": hits / len(clean),
                      "low": low, "high": high}  # fmt: skip
    return told


def _problems(cell: Cell) -> set[str]:
    """Return the codes of the fit's problems; a crash is one."""
    if _crashed(cell):
        return {CRASH}
    return {s.code for s in _said(cell, deep=False) if s.level == "problem"}


def _unsound(cells: Mapping[str, Cell]) -> dict[str, Any]:
    """Return the clean setups that were none, what makes them better, and the alarms on them."""
    sound = clean_cells(cells)
    left = [c for k, c in cells.items() if k.startswith("clean/") and k not in sound]
    alarms = sum(_ours(c).alarm for c in left)
    return {"setups": _improvable(cells), "runs": len(left), "alarms": alarms}


def _faults(cells: Mapping[str, Cell]) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    for key, cell in cells.items():
        if not key.startswith("plant/"):
            continue
        first = {
            "cause": cell["cause"],
            "of": cell["of"],
            "nameable": nameable(cell["cause"], program=cell["of"] == PROGRAM),
            **dict.fromkeys(("planted", "hurts", "alarmed", "named", "repaired"), 0),
            "said": {},
        }
        row = told.setdefault(cell["fault"], first)
        row["planted"] += 1
        if not _crashed(cell) and not cell["validation"]["hurts"]:
            continue
        ours = _ours(cell)
        row["hurts"] += 1
        row["alarmed"] += ours.alarm
        row["named"] += ours.cause in ours.said
        row["repaired"] += int(ours.repairs or 0)
        for code in _problems(cell):
            row["said"][code] = row["said"].get(code, 0) + 1
    return told


def _regimes(found: list[Cell]) -> dict[str, Any]:
    """Return how often the verdict is right, wrong or left open, where the truth is clear.

    Where rows are too few to tell, a verdict is to be left open; those runs are told apart. Wrong
    is what calls an error high that is not, too, whatever it leaves open beside it; and a crash,
    on a truth that nobody knows.
    """
    unknown = {"regime": "unknown", "high": [], "clear": True, "adequate": True}
    crash = {"truth": unknown, "verdict": CRASH, "called": []}
    found = [{**c, **crash} if _crashed(c) else c for c in found]
    clear = [c for c in found if c["truth"]["clear"]]
    adequate = [c for c in clear if c["truth"]["adequate"]]
    few = [c for c in clear if not c["truth"]["adequate"]]
    told, of_few = Counter(map(_outcome, adequate)), Counter(map(_outcome, few))
    low, high = clopper_pearson(told["right"], len(adequate))
    table = Counter(f"{c['truth']['regime']} -> {_in_words(c)}" for c in adequate)
    return {
        "runs": len(found), "unclear": len(found) - len(clear), "adequate": len(adequate),
        "right": told["right"], "open": told["open"], "wrong": told["wrong"],
        "low": low, "high": high, "table": dict(table),
        "few_rows": len(few), "few_open": of_few["open"], "few_wrong": of_few["wrong"],
    }  # fmt: skip


def _in_words(cell: Cell) -> str:
    opens = cell["verdict"] == "abstains" and _outcome(cell) == "wrong"
    return f"{' and '.join(cell['called'])}, the rest open" if opens else cell["verdict"]


def _outcome(cell: Cell) -> str:
    truth = cell["truth"]
    if not set(cell["called"]) <= set(truth["high"]):
        return "wrong"
    if cell["verdict"] == "abstains":
        return "open"
    return "right" if cell["verdict"] == truth["regime"] else "wrong"


def _advice(faulty: list[Cell]) -> dict[str, Any]:
    """Return what following a first advice gives back of the lost score, beside chance.

    Of the plants with a menu; where no advice was given nothing is given back.
    """
    tried = [c for c in faulty if c.get("menu")]
    if not tried:
        return {}

    def bounded(share: float) -> float:
        return min(1.0, max(-1.0, share))

    ours = [bounded(c["advice"]["share"]) if c["advice"] else 0.0 for c in tried]
    drawn = [statistics.fmean(bounded(v["share"]) for v in _menu(c)) for c in tried]
    search = [bounded(c["menu"]["random search"]["share"]) for c in tried]
    best = [max(bounded(v["share"]) for v in _menu(c)) for c in tried]
    differences = {
        "random remedy": _paired(ours, drawn),
        "random search": _paired(ours, search),
    }
    return {"plants": len(tried), "advised": sum(bool(c["advice"]) for c in tried),
            "ours": statistics.fmean(ours), "random remedy": statistics.fmean(drawn),
            "random search": statistics.fmean(search), "best of the menu": statistics.fmean(best),
            "regret": statistics.fmean(b - o for b, o in zip(best, ours, strict=True)),
            "versus": differences, "stated": _agreement(tried)}  # fmt: skip


def _asked(faulty: list[Cell]) -> dict[str, Any]:
    """Return what is mended by following, where no advice is given, what is asked for to tell more.

    A finding that cannot tell says how many dev or train rows would.
    """
    tried = [c for c in faulty if c.get("menu")]
    if not tried:
        return {}
    by_rows = [_by_rows(c) for c in tried if not c["advice"]]
    mended = [float(c["advice"]["suffices"]) for c in tried if c["advice"]]
    repaired = sum(mended) + sum(share for share in by_rows if share is not None)
    return {"plants": len(tried), "asked": sum(share is not None for share in by_rows),
            "mended": sum(share or 0.0 for share in by_rows), "recall": repaired / len(tried),
            "given": sum(mended) / len(tried)}  # fmt: skip


def _by_rows(cell: Cell) -> float | None:
    """Return whether the rows that are asked for first mend a plant; None where none are."""
    codes = [s.code for s in _said(cell, deep=False) if s.level == "unsure"]
    name = next((ASKS[code] for code in codes if code in ASKS), None)
    return None if name not in cell["menu"] else float(cell["menu"][name]["suffices"])


def _improved(faulty: list[Cell]) -> dict[str, Any]:
    """Return what `study.improve()` gives back, beside random search given as long and the menu."""
    tried = [c["menu"] for c in faulty if "improve" in c.get("menu", {})]
    if not tried:
        return {}

    def share(menu: dict[str, Any], name: str) -> float:
        return min(1.0, max(-1.0, menu[name]["share"]))

    ours = [share(menu, "improve") for menu in tried]
    search = [share(menu, "random search, as long") for menu in tried]
    drawn = [statistics.fmean(share(m, n) for n in m if n not in APART) for m in tried]
    suffices = [menu["improve"]["suffices"] for menu in tried]
    low, high = clopper_pearson(sum(suffices), len(suffices))
    return {"plants": len(tried), "ours": statistics.fmean(ours),
            "random search": statistics.fmean(search), "random remedy": statistics.fmean(drawn),
            "suffices": sum(suffices), "low": low, "high": high,
            "versus": {"random search": _paired(ours, search),
                       "random remedy": _paired(ours, drawn)}}  # fmt: skip


def _paired(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """Return the mean difference with its 95 % bootstrap interval over plants."""
    gaps = np.subtract(ours, theirs)
    draws = np.random.default_rng(0).choice(gaps, size=(1000, len(gaps))).mean(axis=1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return {"mean": float(gaps.mean()), "low": float(low), "high": float(high)}


def _cost(clean: list[Cell]) -> dict[str, float]:
    """Return what loading, training, diagnosis and saving of a clean study took."""
    if not clean:
        return {}
    beside = [(c["seconds"] - c["trained"]) / c["trained"] for c in clean if c["trained"]]
    deeper = [c["deeper"] for c in clean if _dived(c)]
    return {
        "median_seconds": statistics.median(c["seconds"] for c in clean),
        "median_beside": statistics.median(beside) if beside else math.nan,
        "median_deeper": statistics.median(deeper) if deeper else math.nan,
    }


def _coverage(cells: Iterable[Cell]) -> dict[str, float]:
    """Return how often the stated interval of the dev score holds the score of the world."""
    runs = [c for c in cells if len(c["dev"]) == 3 and c["world"] is not None]
    held = sum(c["dev"][1] <= c["world"] <= c["dev"][2] for c in runs)
    low, high = clopper_pearson(held, len(runs))
    return {"runs": len(runs), "held": held, "low": low, "high": high}


def _agreement(tried: list[Cell]) -> dict[str, float]:
    """Return the rank correlation of stated gains with what they were on rows of the world.

    Findings state gains of the score: what harms the estimate alone has none to compare them with.
    """
    pairs = [
        (c["advice"]["gain"], c["advice"]["share"] * c["validation"]["lost"])
        for c in tried
        if c["of"] == STUDY and c["harms"] == SCORE
        if c["advice"] and c["advice"]["gain"] is not None
    ]
    if len(pairs) < 5:
        return {"pairs": len(pairs), "rank_correlation": math.nan}
    stated, given = zip(*pairs, strict=True)
    return {"pairs": len(pairs), "rank_correlation": float(spearmanr(stated, given).statistic)}
