"""Is a network past its best? Best in the first tenth (DW413), and a dev cost that rises (DW414).

The weights of the best epoch are kept in any case, so to train for less gives nothing back. What
may do better is what regularizes: it is trained beside the network, and the best of it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from deepwell.records import Finding

from ._changes import Change, more_l2
from ._check_finding import Check, check_finding
from ._curves import (
    EARLY,
    SIGNIFICANT,
    TRIED,
    Curves,
    has_learnt,
    label,
    line,
    matters,
    place,
    place_text,
    worth_source,
)
from ._metrics import METRICS
from ._paired_runs import Tried, best_of, helps
from ._texts import figure_text


def overfitting_findings(curves: Curves, tried: Tried) -> list[Finding]:
    """Return DW413 and DW414; where both apply it is one thing, told once.

    Args:
        curves: of the network, of 12 finite epochs or more.
        tried: what changes against overfitting did.
    """
    remedy = _remedy(curves, tried)
    early, rising = _best_early(curves, remedy), _dev_rises(curves, remedy)
    if early.level == rising.level == "problem":
        early = _told_as(rising, early)
    return [early, rising]


@dataclass(frozen=True)
class _Remedy:
    """What is told against overfitting.

    Attributes:
        change: in words and as hyperparameters; none where nothing that was tried does better.
        words: about what was tried, for the end of a sentence.
        evidence: of what it did.
    """

    change: Change
    words: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict[str, object])


def _remedy(curves: Curves, tried: Tried) -> _Remedy:
    """Return the change that gains most, which overfitting does not tell by its looks."""
    if not tried.effects:
        return _Remedy(("more l2", {"l2": more_l2(curves.l2)}))
    size, level = matters(curves), TRIED / len(tried.effects)
    best = best_of(tried.effects, size, level)
    change, found = tried.changes[best], tried.effects[best]
    evidence = {"change_effect": found.to_plain()}
    if found.gain <= 0:
        words = f"; none of {len(tried.effects)} changes that regularize does better"
        return _Remedy(("", {}), words, evidence)
    percent = METRICS[curves.metric].percent
    before, after = (figure_text(score, percent) for score in (found.without, found.with_it))
    words = f"; with {change[0]} {after} in place of {before}, {found.runs} pairs of runs"
    words += "" if helps(found, size, level) else ", too little to be sure of"
    return _Remedy(change, words, evidence)


def _best_early(curves: Curves, remedy: _Remedy) -> Finding:
    """DW413: is the best step in the first tenth, and does the score get worse from there?"""
    size = matters(curves)
    start = max(curves.best_epoch, round(EARLY * curves.epochs))
    after = line(curves.dev_score[start:])
    check = Check(
        measured=after.change,
        threshold=size,
        threshold_source=worth_source(curves.metric),
        change=remedy.change[0],
        values=remedy.change[1],
        p_value=after.p_rise,
        more={
            **place(curves),
            "early_until": EARLY,
            "significant_below": SIGNIFICANT,
            **remedy.evidence,
        },
    )
    rises = after.change >= size and after.p_rise <= SIGNIFICANT and has_learnt(curves)
    where = place_text(curves)
    if curves.position <= EARLY and rises and not curves.stopped_early:
        rise = figure_text(after.change, METRICS[curves.metric].percent)
        detail = f"{where}, dev {label(curves)} then rose by {rise} (p {after.p_rise:.1g})"
        detail += remedy.words
        return check_finding("DW413", "problem", "best in the first tenth", detail, check)
    return check_finding("DW413", "ok", "not past its best from the start", where, check)


def _dev_rises(curves: Curves, remedy: _Remedy) -> Finding:
    """DW414: from its smoothed minimum on, does the dev cost rise, and the score with it?

    A minimum is followed by something higher even in noise; the line is therefore drawn through
    what comes a twentieth of the training after it.
    """
    size = matters(curves)
    smooth = max(1, curves.epochs // 20)
    means = np.convolve(curves.dev_cost, np.ones(smooth) / smooth, mode="valid")
    low = int(means.argmin()) + smooth // 2
    start = low + smooth
    cost, score = (line(c[start:]) for c in (curves.dev_cost, curves.dev_score))
    train = line(curves.train_cost[start:])
    more: dict[str, object] = {
        **place(curves),
        "cost_lowest_at": low + 1,
        "dev_cost_change": cost.change,
        "dev_cost_p_value": cost.p_rise,
        "train_cost_change": train.change,
        "significant_below": SIGNIFICANT,
        **remedy.evidence,
    }
    check = Check(
        measured=score.change,
        threshold=size,
        threshold_source=worth_source(curves.metric),
        change=remedy.change[0],
        values=remedy.change[1],
        p_value=max(cost.p_rise, score.p_rise),
        more=more,
    )
    if cost.p_rise > SIGNIFICANT or train.p_rise <= SIGNIFICANT:
        return check_finding("DW414", "ok", "dev cost does not rise", "", check)
    rise = f"from epoch {low + 1:,} on dev cost rose by {cost.change:.3g} (p {cost.p_rise:.1g})"
    rises = score.change >= size and score.p_rise <= SIGNIFICANT and has_learnt(curves)
    if rises and curves.stopped_early:
        stopped = f"{rise}; training was stopped for that, and the best weights were kept"
        return check_finding("DW414", "ok", "dev cost rising, stopped early", stopped, check)
    if rises:
        shown = figure_text(score.change, METRICS[curves.metric].percent)
        held = "fell" if train.p_fall <= SIGNIFICANT else "did not rise"
        detail = (
            f"{rise} and dev {label(curves)} by {shown} while train cost {held}; the weights of "
            f"epoch {curves.best_epoch:,} were kept{remedy.words}"
        )
        return check_finding("DW414", "problem", "dev cost rising", detail, check)
    detail = f"{rise} while dev {label(curves)} held: surer of its mistakes, not more of them"
    return check_finding("DW414", "ok", "dev cost rising, score not", detail, check)


def _told_as(other: Finding, finding: Finding) -> Finding:
    evidence = {**finding.evidence, "consequence_of": other.code}
    return Finding(finding.code, "ok", finding.claim, f"told as {other.code}", evidence)
