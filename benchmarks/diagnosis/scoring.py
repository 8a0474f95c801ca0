"""Counts: what was said against what was planted. Pure functions of plain records."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .fault import PROGRAM, STUDY
from .intervals import clopper_pearson, clustered
from .labels import LABELS


@dataclass(frozen=True)
class Judged:
    """One program that was diagnosed, by Deepwell or by a baseline.

    Attributes:
        task: whose rows they are.
        cause: planted label; None for a clean run.
        alarm: whether it was said that something is wrong.
        said: causes that were claimed, first claim first.
        repairs: chance that the first advice mends the case, 0 or 1 where nothing is drawn; None
            where no advice was given.
        confidence: stated, of the first claim.
        of: `study` or `program`.
        setup: of a clean run, what its runs differ in beside their seeds.
    """

    task: str
    cause: str | None
    alarm: bool
    said: tuple[str, ...]
    repairs: float | None = None
    confidence: float = 0.95
    of: str = STUDY
    setup: str = ""


def alarm_rate(clean: Sequence[Judged]) -> dict[str, Any]:
    """Return the share of clean runs with an alarm, and of those in which a cause is claimed.

    Each with its exact 95 % interval, which takes runs as independent. Those of a setup are alike,
    and those of a task: so `setups` counts those of which any run is one, and `over_tasks` is a
    bootstrap, where there is one and tasks are several. What is wrong of no cause, as in
    probabilities that are too sure, is an alarm without a claim.
    """
    return {
        "runs": len(clean),
        "alarms": _rate(clean, lambda run: run.alarm),
        "claims": _rate(clean, lambda run: bool(run.said)),
    }


def _rate(clean: Sequence[Judged], hit: Callable[[Judged], bool]) -> dict[str, Any]:
    hits = sum(map(hit, clean))
    setups: dict[str, bool] = defaultdict(bool)
    tasks: dict[str, list[bool]] = defaultdict(list)
    for run in clean:
        setups[run.setup] |= hit(run)
        tasks[run.task].append(hit(run))
    several = hits > 0 and len(tasks) > 1
    return {
        **_exact(hits, len(clean)),
        "setups": _exact(sum(setups.values()), len(setups)),
        "over_tasks": clustered(tasks, _mean) if several else (math.nan, math.nan),
    }


def _exact(hits: int, of: int) -> dict[str, float]:
    low, high = clopper_pearson(hits, of)
    return {"hits": hits, "of": of, "rate": _share(hits, of), "low": low, "high": high}


def detection(clean: Sequence[Judged], faulty: Sequence[Judged]) -> dict[str, float]:
    """Return precision, recall and specificity of alarms, a program the unit."""
    true, false = sum(r.alarm for r in faulty), sum(r.alarm for r in clean)
    return {
        "precision": _share(true, true + false),
        "recall": _share(true, len(faulty)),
        "specificity": _share(len(clean) - false, len(clean)),
    }


def strict(faulty: Sequence[Judged]) -> dict[str, Any]:
    """Return precision, recall and F1 of claimed causes against planted labels.

    Every claimed label counts: one that was not planted costs precision, whatever else was said.
    Micro counts labels over all programs; macro is the mean over planted labels, precision over
    those that were claimed at all.

    >>> runs = [
    ...     Judged("t", "rate too high", True, ("rate too high", "units dead")),
    ...     Judged("t", "units dead", True, ()),
    ...     Judged("t", "units dead", True, ("units dead",)),
    ... ]
    >>> told = strict(runs)
    >>> [round(told["micro"][k], 3) for k in ("precision", "recall", "f1")]
    [0.667, 0.667, 0.667]
    >>> [round(told["macro"][k], 3) for k in ("precision", "recall", "f1")]
    [0.75, 0.75, 0.75]
    """
    labels = sorted({r.cause for r in faulty if r.cause})
    hits = {n: sum(r.cause == n and n in r.said for r in faulty) for n in labels}
    claims = {n: sum(n in r.said for r in faulty) for n in labels}
    planted = {n: sum(r.cause == n for r in faulty) for n in labels}
    all_claims = sum(len(r.said) for r in faulty)
    micro = _prf(_share(sum(hits.values()), all_claims), _share(sum(hits.values()), len(faulty)))
    each = {n: _prf(_share(hits[n], claims[n]), _share(hits[n], planted[n])) for n in labels}
    claimed = [each[n]["precision"] for n in labels if claims[n]]
    macro = {
        "precision": _mean(claimed),
        "recall": _mean([each[n]["recall"] for n in labels]),
        "f1": _mean([each[n]["f1"] if claims[n] else 0.0 for n in labels]),
    }
    return {"micro": micro, "macro": macro, "top1": _top(faulty, 1), "top3": _top(faulty, 3)}


def repair(faulty: Sequence[Judged]) -> dict[str, float]:
    """Return how often the first advice mends the case: of all, and of those that got advice."""
    advised = [r for r in faulty if r.repairs is not None]
    mended = sum(r.repairs or 0.0 for r in advised)
    return {"recall": _share(mended, len(faulty)), "precision": _share(mended, len(advised)),
            "advised": _share(len(advised), len(faulty))}  # fmt: skip


def by_family(faulty: Sequence[Judged]) -> dict[str, dict[str, Any]]:
    """Return family -> programs, share with an alarm, recall and precision of causes, repairs.

    Recall is of the label, `family_recall` of any label of the family. Precision is that of claims
    in programs of the family.
    """
    groups: dict[str, list[Judged]] = defaultdict(list)
    for run in faulty:
        assert run.cause is not None
        groups[LABELS[run.cause]].append(run)
    told = {}
    for family, runs in groups.items():
        hits = sum(r.cause in r.said for r in runs)
        told[family] = {
            "programs": len(runs),
            "alarmed": _share(sum(r.alarm for r in runs), len(runs)),
            "recall": _share(hits, len(runs)),
            "precision": _share(hits, sum(len(r.said) for r in runs)),
            "family_recall": _share(
                sum(any(LABELS[n] == family for n in r.said) for r in runs), len(runs)
            ),
            "repair": repair(runs)["recall"],
        }
    return told


def confidence(runs: Sequence[Judged]) -> dict[str, Any]:
    """Return Brier score of stated confidence in the first claim, and the risk-coverage curve.

    Risk is the share of wrong first claims among the most confident; coverage, their share of all
    programs. A program about which nothing was claimed is not covered. Clean ones count as wrong
    where something was claimed. Claims of one confidence have no order: each counts as right by
    the share of them that are.
    """
    claimed = [(r.confidence, float(r.said[0] == r.cause)) for r in runs if r.said]
    if not claimed:
        return {"brier": math.nan, "claims": 0, "curve": []}
    brier = _mean([(sure - right) ** 2 for sure, right in claimed])
    alike: dict[float, list[float]] = defaultdict(list)
    for sure, right in claimed:
        alike[sure].append(right)
    ranked = [_mean(alike[sure]) for sure in sorted(alike, reverse=True) for _ in alike[sure]]
    curve = []
    for share in (0.1, 0.25, 0.5, 0.75, 1.0):
        count = max(1, round(share * len(ranked)))
        wrong = sum(1 - right for right in ranked[:count])
        curve.append([count / len(runs), wrong / count])
    return {"brier": brier, "claims": len(claimed), "curve": curve}


def summary(clean: Sequence[Judged], faulty: Sequence[Judged]) -> dict[str, Any]:
    """Return all figures, the clean runs' first, those of the faulty with intervals over tasks.

    Alarms on clean runs are told of studies and of programs apart as well, `clean_of`.
    """
    tasks: dict[str, list[Judged]] = defaultdict(list)
    for run in faulty:
        tasks[run.task].append(run)
    figures = {
        "strict precision": lambda runs: strict(runs)["micro"]["precision"],
        "strict recall": lambda runs: strict(runs)["micro"]["recall"],
        "repair recall": lambda runs: repair(runs)["recall"],
        "alarm recall": lambda runs: detection([], runs)["recall"],
    }
    return {
        "clean": alarm_rate(clean),
        "clean_of": {
            of: alarm_rate([run for run in clean if run.of == of]) for of in (STUDY, PROGRAM)
        },
        "detection": detection(clean, faulty),
        "strict": strict(faulty),
        "repair": repair(faulty),
        "families": by_family(faulty),
        "confidence": confidence([*clean, *faulty]),
        "programs": len(faulty),
        "tasks": len(tasks),
        "intervals": {name: clustered(tasks, figure) for name, figure in figures.items()},
    }


def _top(faulty: Sequence[Judged], first: int) -> float:
    return _share(sum(r.cause in r.said[:first] for r in faulty), len(faulty))


def _prf(precision: float, recall: float) -> dict[str, float]:
    known = math.isfinite(precision) and precision + recall > 0
    f1 = 2 * precision * recall / (precision + recall) if known else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def plain(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return figures for JSON: what is not a number becomes None, since JSON has no NaN."""
    return {key: _plain(value) for key, value in told.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
