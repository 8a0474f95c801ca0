"""Causes before consequences: of several findings about one training, which to act on.

One fault shows in many places: a rate far too high kills units, and dead units pass no gradient
on. A fixed order of rules would decide what is blamed before anything is measured. Here the
changes decide: causes are tried by their own changes, on the same seeds, and one whose change
brings less than another's, by what matters, is a consequence of that other one. A cause whose
change was not tried is neither excused by another one nor excuses it. What makes the network its
healthy twin mends many causes at once, so it excuses none. An output that does not vary, and a
cost that stands still, are consequences wherever a cause was found. None of them is excused by a
cause whose change brings less than its own, by what matters.

Where an odd setting (DW416) and another cause gain alike, the odd setting is blamed: a rate ten
times as high makes up for an epsilon of 1, but what is unusual is the epsilon. A network that it
holds back, or a rate too low, learns on at the end, which is its consequence too. Symptoms of
layers that one change mends are one thing: saturated units pass no gradient on, and where none
comes units stay dead.

What kind of error is left is told of the network as it is. Where something is wrong with its rows,
its start or its training, that comes first, and the gaps may be others once it is mended.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from deepwell.records import Finding

_ODD = "DW416"
_CAUSES = ("DW401", "DW402", "DW403", "DW404", "DW405", "DW406", "DW407", "DW415", _ODD)
_CONSEQUENCES = ("DW409", "DW410")
_SLOW = (_ODD, "DW406")
_OF_SLOW = ("DW412",)
_LAYERS = ("DW404", "DW402", "DW401", "DW403")  # what makes the others before what follows
_STARTS = ("DW301", "DW302", "DW303", "DW305")
_START = {"initializer", "initializer_scale"}
_BEFORE = {
    "DW101": ("DW20", "DW211", "DW3", "DW4"),
    # of copies and groups train knows nothing
    "DW102": ("DW202", "DW206", "DW207", "DW208", "DW211", "DW3", "DW4"),
}
_NOT_BEFORE = {
    "DW101": ("DW408",),  # networks that diverged, which the best one did not
    "DW102": ("DW408", "DW413", "DW414"),  # and past its best a train score is not
}
_START_OF = {
    "DW301": ("initializer", "initializer_scale", "activation"),
    "DW302": (
        *("initializer", "initializer_scale", "activation", "batch_norm"),
        *("hidden_layers", "optimizer"),
    ),
    "DW303": ("initializer", "initializer_scale", "activation", "hidden_layers"),
    "DW305": ("initializer",),
}
"""Check of the start -> what two networks must agree in for it to speak of both."""
_OF_BEST = "of_best"


def causes_first(findings: Sequence[Finding], worth: float) -> list[Finding]:
    """Return the findings by code, consequences of another one's cause no longer a problem.

    Args:
        findings: of the checks of one network's training.
        worth: smallest change of the score that matters.
    """
    ordered = _one_change_once(sorted(findings, key=lambda f: f.code))
    causes = {f.code: f for f in ordered if f.code in _CAUSES and f.level == "problem"}
    if not causes:
        return ordered
    gains = {code: gain for code, f in causes.items() if (gain := _cause_gain(f)) is not None}
    most = max(gains.values(), default=0.0)
    first = max(gains or causes, key=lambda code: gains.get(code, 0.0))
    after = _CONSEQUENCES
    if gains.get(_ODD, -math.inf) >= most - worth:
        first = _ODD
        lesser = set(causes) - {_ODD}
    else:
        lesser = {code for code in causes if gains.get(code, -math.inf) < most - worth}
    if gains:
        after = (*after, *(code for code in lesser if gain_of(causes[code]) is not None))
    slow = [code for code in _SLOW if code in causes and code not in after]
    caused = dict.fromkeys(after, first) | (dict.fromkeys(_OF_SLOW, slow[0]) if slow else {})
    return [
        _consequence(f, causes[caused[f.code]])
        if f.level == "problem" and f.code in caused and not _more(f, causes[caused[f.code]], worth)
        else f
        for f in ordered
    ]


def _one_change_once(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings, of symptoms that ask for one change only the first still a problem.

    Of changes that were tried and are for the symptom: what makes a twin mends many at once.
    """
    told: dict[str, Finding] = {}
    follows: dict[str, Finding] = {}
    symptoms = {f.code: f for f in findings if f.code in _LAYERS and f.level == "problem"}
    for code in _LAYERS:
        if code not in symptoms:
            continue
        evidence = symptoms[code].evidence
        values, tried = evidence.get("values"), evidence.get("change_effect")
        if values and tried and "cause_gain" not in evidence:
            cause = told.setdefault(repr(values), symptoms[code])
            if cause is not symptoms[code]:
                follows[code] = cause
    return [_consequence(f, follows[f.code]) if f.code in follows else f for f in findings]


def of_best(
    starts: Sequence[Finding], checked: Mapping[str, object], best: Mapping[str, object]
) -> list[Finding]:
    """Return checks of a start, each problem with whether it is one of the best network too.

    A search checks one network for all. Where the best one differs in what a fault comes from,
    nothing is known about its own start; faults of the rows and of the program are everybody's.

    Args:
        starts: what the checks say.
        checked: hyperparameters of the network that was checked.
        best: those of the best one.
    """
    return [_of_both(f, checked, best) if f.level == "problem" else f for f in starts]


def _of_both(
    finding: Finding, checked: Mapping[str, object], best: Mapping[str, object]
) -> Finding:
    shared = _shares(finding, checked, best)
    words = f"; in trial {finding.evidence.get('trial')}, the best network is set up otherwise"
    detail = finding.detail if shared else finding.detail + words
    return replace(finding, detail=detail, evidence={**finding.evidence, _OF_BEST: shared})


def _shares(finding: Finding, checked: Mapping[str, object], best: Mapping[str, object]) -> bool:
    """Return whether two networks agree in what a fault of the start comes from."""
    asks, names = _change_of(finding), _START_OF.get(finding.code, ())
    if finding.code == "DW303" and not asks.startswith("--"):
        return True  # about the rows
    if "--learning-rate" in asks:
        names = (*names, "learning_rate")
    return all(checked.get(n) == best.get(n) for n in names)


def starting_values(finding: Finding) -> dict[str, object] | None:
    """Return the usual start of the weights where a problem of the best network asks for it."""
    asks = _change_of(finding).startswith("--initializer")
    if not asks or not _of_network([finding]):
        return None
    return {"initializer": "auto", "initializer_scale": 1.0}


def starts_first(training: Sequence[Finding], starts: Sequence[Finding]) -> list[Finding]:
    """Return findings about a training, none a problem that the start of the weights explains.

    Symptoms of layers that ask for other initial weights are consequences of it, and so is a
    network that learns on at the end, unless training on was measured.

    Args:
        training: as `causes_first` returns them.
        starts: of the checks before the training, as `of_best` returns them.
    """
    wrong = [f for f in _of_network(starts) if f.code in _STARTS]
    start = next((f for f in wrong if _change_of(f).startswith("--initializer")), None)
    if start is None:
        return list(training)
    return [
        _consequence(f, start) if f.level == "problem" and _of_start(f) else f for f in training
    ]


def _of_network(findings: Sequence[Finding]) -> list[Finding]:
    """Return the problems, without those of the start of another network."""
    return [f for f in findings if f.level == "problem" and f.evidence.get(_OF_BEST, True)]


def _change_of(finding: Finding) -> str:
    return str(finding.evidence.get("change", ""))


def _of_start(finding: Finding) -> bool:
    """Return whether the start of the weights may explain a finding."""
    if finding.code in _OF_SLOW:
        return gain_of(finding) is None
    values = finding.evidence.get("values")
    if finding.code not in _LAYERS or not isinstance(values, Mapping):
        return False
    asked, alone = set(cast(Mapping[str, object], values)), finding.evidence.get("cause_gain")
    if isinstance(alone, int | float) and alone > 0:
        asked -= {"learning_rate"}  # a twin's own, where the start alone helped too
    return {"initializer"} <= asked <= _START


def gaps_after(gaps: Sequence[Finding], others: Sequence[Finding]) -> list[Finding]:
    """Return findings about gaps, high bias and variance with what is to be mended first.

    Args:
        gaps: what kind of error is left.
        others: of the rows, the start and the training.
    """
    wrong = list(dict.fromkeys(f.code for f in _of_network(others)))
    return [
        _after(f, [code for code in wrong if _comes_before(code, f.code)])
        if f.code in _BEFORE and f.level == "problem"
        else f
        for f in gaps
    ]


def _comes_before(code: str, gap: str) -> bool:
    return code.startswith(_BEFORE[gap]) and code not in _NOT_BEFORE[gap]


def _after(gap: Finding, codes: list[str]) -> Finding:
    if not codes:
        return gap
    listed = " and ".join(filter(None, (", ".join(codes[:-1]), codes[-1])))
    words = f"; mend {listed} first, the gap may then change"
    return replace(gap, detail=gap.detail + words, evidence={**gap.evidence, "after": codes})


def most_urgent_first(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings with the problems in front: whose change was measured to gain most first.

    Problems whose change was not tried come after those.
    """
    problems = [f for f in findings if f.level == "problem"]
    problems.sort(key=lambda f: -math.inf if (gain := gain_of(f)) is None else gain, reverse=True)
    return [*problems, *(f for f in findings if f.level != "problem")]


def measured_cause(findings: Sequence[Finding]) -> str:
    """Return the code of the cause whose change was measured to gain most; nothing for none.

    Of one that is a consequence of the start of the weights (`starts_first`), that of the start.
    """
    told: dict[str, float] = {}
    for finding in findings:
        start = str(finding.evidence.get("consequence_of", ""))
        cause = start if start in _STARTS else finding.code if finding.level == "problem" else ""
        gain = gain_of(finding)
        if finding.code in _CAUSES and cause and gain is not None:
            told[cause] = max(gain, told.get(cause, gain))
    return max(told, key=lambda code: told[code], default="")


def gain_of(finding: Finding) -> float | None:
    """Return by how much the change that is told improved the score; None where it was not tried.

    The causes that have no effect of a change as such measured the gain itself.
    """
    if "change_effect" not in finding.evidence:
        gain = finding.evidence.get("measured") if finding.code in _CAUSES else None
        return float(gain) if isinstance(gain, int | float) else None
    tried = finding.evidence["change_effect"]
    if not isinstance(tried, Mapping):
        return None
    gain = cast(Mapping[str, object], tried).get("gain")
    return float(gain) if isinstance(gain, int | float) else 0.0


def _cause_gain(finding: Finding) -> float | None:
    """Return the same of the change that is for this cause alone."""
    if "cause_gain" not in finding.evidence:
        return gain_of(finding)
    gain = finding.evidence["cause_gain"]
    return float(gain) if isinstance(gain, int | float) else None


def _more(finding: Finding, cause: Finding, worth: float) -> bool:
    """Return whether a finding's change was measured to bring more than a cause's."""
    gain, brought = gain_of(finding), gain_of(cause)
    return gain is not None and brought is not None and gain > brought + worth


def _consequence(finding: Finding, cause: Finding) -> Finding:
    evidence = {**finding.evidence, "consequence_of": cause.code}
    claim = f"{finding.claim}, a consequence of {cause.code}"
    return replace(finding, level="ok", claim=claim, detail=finding.detail, evidence=evidence)
