"""What the course of a network's training says: trained too short, too long, or past its best.

The rules are those of Google's Tuning Playbook (Godbole et al. 2023): a best step in the last
quarter asks for longer training, one in the first tenth for shorter, a rising dev cost for
regularization. Where the best step lies is chance where a curve is flat, one time in four in the
last quarter; so a finding also needs a trend that chance does not make, and a size that matters.
"""

from __future__ import annotations

from dataclasses import dataclass

from deepwell.records import Finding

from ._changes import Change
from ._check_finding import Check, check_finding
from ._curves import (
    LATE,
    SIGNIFICANT,
    TRIED,
    Curves,
    label,
    line,
    matters,
    place,
    place_text,
    worth_source,
)
from ._metrics import METRICS
from ._overfitting_findings import overfitting_findings
from ._paired_runs import Effect, Tried, helps
from ._texts import figure_text
from ._trend import LEAST

_LONGER = 4  # times the epochs: what a cost that falls as 1/t has left to lose falls to a quarter
_WHOLE = 40  # epochs, in which most small trainings end: tried first where there is room
_LEAST_EPOCHS = 12  # a last quarter of 3, a second half of 6: what `trend` asks for
_TELLS_NOTHING = 6  # epochs: below them the last quarter is one
_LEAST_STOPPED = 24  # a last quarter of 6
_STOPPED_LATE = 0.5  # of a training that patience ended soon; its best epoch is never the last one


@dataclass(frozen=True)
class TrainedOn:
    """What training on did.

    Attributes:
        epochs: that were trained in all.
        effect: on the score.
    """

    epochs: int
    effect: Effect


def diagnose_curves(
    curves: Curves, longer: TrainedOn | None = None, regularized: Tried | None = None
) -> list[Finding]:
    """Return DW412, DW413 and DW414: `problem` where they apply, `ok` where not.

    Curves of fewer than 12 epochs hold no trend that can be told from noise: they get `unsure`,
    and DW412 what runs say that were trained on; so it does below 24 epochs that patience ended.

    Args:
        curves: of the network.
        longer: what training on did; None where that was not tried.
        regularized: what changes against overfitting did; None where none was tried.
    """
    late = _late(curves, longer)
    if curves.epochs < _LEAST_EPOCHS or not curves.finite:
        return [late, *(_too_short(code, curves) for code in ("DW413", "DW414"))]
    return [late, *overfitting_findings(curves, regularized or Tried())]


def overfits(curves: Curves) -> bool:
    """Return whether DW413 or DW414 is a problem: a reason to try what regularizes."""
    return any(f.level == "problem" for f in diagnose_curves(curves)[1:])


def epochs_to_try(curves: Curves) -> tuple[int, ...]:
    """Return for how many epochs a training too short for a trend is tried, most first.

    Four times as many, and 12 at least, where the best step came in the last quarter, or in the
    second half of what patience ended. Where it came in fewer than 6 epochs tells nothing. Of fewer
    than 12 epochs 40 are tried first, if there is room. A gate, not a verdict.
    """
    if not curves.finite or curves.anneals:
        return ()
    if _stopped_soon(curves):
        return (_longer(curves.epochs),)
    told = curves.position <= LATE and curves.epochs >= _TELLS_NOTHING
    if curves.stopped_early or told or curves.epochs >= _LEAST_EPOCHS:
        return ()
    least = _longer(curves.epochs)
    return tuple(dict.fromkeys((max(_WHOLE, least), least)))


def _stopped_soon(curves: Curves) -> bool:
    """Return whether patience ended a training that was getting better, too soon for a trend."""
    late = curves.stopped_early and curves.position > _STOPPED_LATE
    return late and curves.epochs < _LEAST_STOPPED


def _longer(epochs: int) -> int:
    return max(_LONGER * epochs, _LEAST_EPOCHS)


def _to_train(curves: Curves, epochs: int) -> Change:
    """Return the change that trains for so many epochs."""
    if not curves.stopped_early:
        return f"train for {epochs:,} epochs", {"epochs": epochs}
    change = f"train for {epochs:,} epochs without early stopping"
    return change, {"epochs": epochs, "patience": 0}


def _late(curves: Curves, longer: TrainedOn | None) -> Finding:
    if longer is not None:
        return _trained_on(curves, longer)
    if not curves.finite or curves.epochs < _LEAST_EPOCHS or _stopped_soon(curves):
        return _too_short("DW412", curves)
    return _best_late(curves)


def _trained_on(curves: Curves, tried: TrainedOn) -> Finding:
    """DW412 of a short training: do runs that go on get better?"""
    many, longer, percent = tried.epochs, tried.effect, METRICS[curves.metric].percent
    change, values = _to_train(curves, many)
    check = Check(
        measured=longer.gain,
        threshold=matters(curves),
        threshold_source=worth_source(curves.metric),
        change=change,
        values=values,
        p_value=longer.p_value,
        more={**place(curves), "change_effect": longer.to_plain(), "significant_below": TRIED},
    )
    detail = (
        f"{place_text(curves)}; {longer.runs} runs went from dev {label(curves)} "
        f"{figure_text(longer.without, percent)} to {figure_text(longer.with_it, percent)} in "
        f"{many:,} epochs"
    )
    if helps(longer, matters(curves), TRIED):
        return check_finding("DW412", "problem", "still learning at the end", detail, check)
    return check_finding("DW412", "ok", "trained long enough", detail, check)


def _best_late(curves: Curves) -> Finding:
    """DW412: is the best step in the last quarter, and does the score still fall there?

    The fall from one eighth of the training to the eighth a quarter later is about what half as
    long again would bring: exactly that for a cost that falls as 1/t.
    """
    epochs, eighth = curves.epochs, max(2, curves.epochs // 8)
    quarter = epochs // 4
    before = curves.dev_score[epochs - quarter - eighth : epochs - quarter].mean()
    fall = float(before - curves.dev_score[epochs - eighth :].mean())
    size = matters(curves)
    # Patience ends a training after epochs that were no better: only if the last quarter falls all
    # the same was that too soon.
    since = epochs - quarter if curves.stopped_early else epochs // 2
    cost, score = line(curves.dev_cost[since:]), line(curves.dev_score[since:])
    p = max(cost.p_fall, score.p_fall)
    change, values = _to_train(curves, _LONGER * epochs)
    check = Check(
        measured=fall,
        threshold=size,
        threshold_source=f"{worth_source(curves.metric)}; the last quarter's fall is what half "
        "as long again brings if the cost falls as 1/t",
        change=change,
        values=values,
        p_value=p if quarter >= LEAST or not curves.stopped_early else None,
        more={**place(curves), "late_from": LATE, "significant_below": SIGNIFICANT},
    )
    where = place_text(curves)
    if curves.anneals:
        return check_finding(
            *("DW412", "ok", "best step late as the decay makes it"),
            f"{where}; the learning rate falls to 0 at the last epoch",
            check,
        )
    if curves.position > LATE and fall >= size and p <= SIGNIFICANT:
        percent = METRICS[curves.metric].percent
        detail = (
            f"{where}, dev {label(curves)} fell by {figure_text(fall, percent)} in the last "
            f"quarter (p {p:.1g}){_others_text(curves)}; {_LONGER * epochs:,} epochs would tell"
        )
        return check_finding("DW412", "problem", "still learning at the end", detail, check)
    return check_finding("DW412", "ok", "trained long enough", where, check)


def _too_short(code: str, curves: Curves) -> Finding:
    if not curves.finite:
        check = Check(None, None, "a curve of finite numbers", more=place(curves))
        return check_finding(code, "unsure", "curve too short to tell", "cost not finite", check)
    soon = _stopped_soon(curves)
    least, part = (_LEAST_STOPPED, "last quarter") if soon else (_LEAST_EPOCHS, "second half")
    change, values = _to_train(curves, _longer(curves.epochs) if curves.stopped_early else least)
    check = Check(
        measured=float(curves.epochs),
        threshold=float(least),
        threshold_source=f"a {part} of {LEAST} epochs, the least that a trend is told from",
        change=change,
        values=values,
        more=place(curves),
    )
    why = f"{curves.epochs} epochs, {least} would tell"
    return check_finding(code, "unsure", "curve too short to tell", why, check)


def _others_text(curves: Curves) -> str:
    late = sum(share > LATE for share in curves.others)
    if len(curves.others) < 2:
        return ""
    return f", as in {late} of the {len(curves.others)} next best networks"
