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
holds back learns on at the end, which is its consequence too.
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
_OF_ODD = ("DW412",)


def causes_first(findings: Sequence[Finding], worth: float) -> list[Finding]:
    """Return the findings by code, consequences of another one's cause no longer a problem.

    Args:
        findings: of the checks of one network's training.
        worth: smallest change of the score that matters.
    """
    ordered = sorted(findings, key=lambda f: f.code)
    causes = {f.code: f for f in ordered if f.code in _CAUSES and f.level == "problem"}
    if not causes:
        return ordered
    gains = {code: gain for code, f in causes.items() if (gain := _cause_gain(f)) is not None}
    most = max(gains.values(), default=0.0)
    first = max(gains or causes, key=lambda code: gains.get(code, 0.0))
    after = _CONSEQUENCES
    if gains.get(_ODD, -math.inf) >= most - worth:
        first, after = _ODD, (*_CONSEQUENCES, *_OF_ODD)
        lesser = set(causes) - {_ODD}
    else:
        lesser = {code for code in causes if gains.get(code, -math.inf) < most - worth}
    if gains:
        after = (*after, *(code for code in lesser if gain_of(causes[code]) is not None))
    brought = gain_of(causes[first])
    return [
        _consequence(f, causes[first])
        if f.level == "problem" and f.code in after and not _more(f, brought, worth)
        else f
        for f in ordered
    ]


def most_urgent_first(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings with the problems in front: whose change was measured to gain most first.

    Problems whose change was not tried come after those.
    """
    problems = [f for f in findings if f.level == "problem"]
    problems.sort(key=lambda f: -math.inf if (gain := gain_of(f)) is None else gain, reverse=True)
    return [*problems, *(f for f in findings if f.level != "problem")]


def measured_cause(findings: Sequence[Finding]) -> str:
    """Return the code of the cause whose change was measured to gain most; nothing for none."""
    causes = [f for f in findings if f.code in _CAUSES and f.level == "problem"]
    told = {f.code: gain for f in causes if (gain := gain_of(f)) is not None}
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


def _more(finding: Finding, brought: float | None, worth: float) -> bool:
    """Return whether a finding's change brings more than a cause's; one of an odd setting's not."""
    gain = None if finding.code in _OF_ODD else gain_of(finding)
    return gain is not None and brought is not None and gain > brought + worth


def _consequence(finding: Finding, cause: Finding) -> Finding:
    evidence = {**finding.evidence, "consequence_of": cause.code}
    claim = f"{finding.claim}, a consequence of {cause.code}"
    return replace(finding, level="ok", claim=claim, detail=finding.detail, evidence=evidence)
