"""What the course of a network's training says: trained too short, too long, or past its best.

The rules are those of Google's Tuning Playbook (Godbole et al. 2023): a best step in the last
quarter asks for longer training, one in the first tenth for shorter, a rising dev cost for
regularization. Where the best step lies is chance where a curve is flat, one time in four in the
last quarter; so a finding also needs a trend that chance does not make, and a size that matters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from deepwell.records import Finding

from ._changes import Change, more_l2
from ._check_finding import Check, check_finding
from ._metrics import METRICS
from ._paired_runs import Effect, Tried, best_of, helps
from ._texts import figure_text
from ._trend import LEAST, Trend, trend

LATE, EARLY = 0.75, 0.1
SIGNIFICANT = 0.01 / 3  # three checks of one curve: together at most 1 in 100
TRIED = 0.02  # chance of a gain where training on does nothing
_LONGER = 4  # times the epochs: what a cost that falls as 1/t has left to lose falls to a quarter
_LEAST_EPOCHS = 12  # a last quarter of 3, a second half of 6: what `trend` asks for
_LEAST_STOPPED = 24  # a last quarter of 6
_STOPPED_LATE = 0.5  # of a training that patience ended soon; its best epoch is never the last one
_SHARE_WORTH = 0.01


@dataclass(frozen=True)
class Curves:
    """One network's training, an epoch an entry.

    Attributes:
        train_cost, dev_cost, dev_score: (T,); lower is better.
        best_epoch: of the best dev score, counted from 1.
        metric: what the score is.
        constant: the constant guess's dev score, in the same unit.
        dev_rows: that the scores are of.
        anneals: whether the learning rate falls to 0 at the last epoch, as by cosine decay.
        stopped_early: whether patience ended it.
        diverged: whether it ended since its cost left all bounds.
        l2: the network's penalty.
        standard_error: of the best dev score over the choice of rows, which counts classes, weights
            and groups; None takes that of rows that count alike.
        others: of the best other networks of the study, best epochs as shares of their epochs.
    """

    train_cost: np.ndarray
    dev_cost: np.ndarray
    dev_score: np.ndarray
    best_epoch: int
    metric: str
    constant: float
    dev_rows: int
    anneals: bool = False
    stopped_early: bool = False
    diverged: bool = False
    l2: float = 0.0
    standard_error: float | None = None
    others: tuple[float, ...] = ()

    @property
    def epochs(self) -> int:
        """T, epochs trained."""
        return len(self.dev_score)

    @property
    def finite(self) -> bool:
        """Whether it did not diverge, and all that was recorded is a finite number."""
        every = (self.train_cost, self.dev_cost, self.dev_score)
        return not self.diverged and all(np.isfinite(curve).all() for curve in every)

    @property
    def position(self) -> float:
        """Share of the training after which the best score came."""
        return self.best_epoch / max(1, self.epochs)


def worth(metric: str, constant: float) -> float:
    """Return the smallest change of a score that matters to a training decision.

    A hundredth of what the constant guess loses, and of metrics in [0, 1] a hundredth, 1 point.

    >>> worth("error", constant=0.9), worth("rmse", constant=50.0)
    (0.01, 0.5)
    """
    if METRICS[metric].bounded:
        return _SHARE_WORTH
    return _SHARE_WORTH * abs(constant) if math.isfinite(constant) else math.inf


def worth_source(metric: str) -> str:
    """Return in words where the smallest change that matters comes from.

    >>> worth_source("error")
    'what matters: 1 point, or a standard error of the score on the dev rows'
    """
    least = "1 point" if METRICS[metric].bounded else "1 % of the constant guess's score"
    return f"what matters: {least}, or a standard error of the score on the dev rows"


def diagnose_curves(
    curves: Curves, longer: Effect | None = None, regularized: Tried | None = None
) -> list[Finding]:
    """Return DW412, DW413 and DW414: `problem` where they apply, `ok` where not.

    Curves of fewer than 12 epochs hold no trend that can be told from noise: they get `unsure`,
    and DW412 what runs say that were trained on; so it does below 24 epochs that patience ended.

    Args:
        curves: of the network.
        longer: what training for `epochs_to_try` did; None where that was not tried.
        regularized: what changes against overfitting did; None where none was tried.
    """
    late = _late(curves, longer)
    if curves.epochs < _LEAST_EPOCHS or not curves.finite:
        return [late, *(_too_short(code, curves) for code in ("DW413", "DW414"))]
    remedy = _remedy(curves, regularized or Tried())
    early, rising = _best_early(curves, remedy), _dev_rises(curves, remedy)
    if early.level == rising.level == "problem":  # one thing, told once
        early = _told_as(rising, early)
    return [late, early, rising]


def overfits(curves: Curves) -> bool:
    """Return whether DW413 or DW414 is a problem: a reason to try what regularizes."""
    return any(f.level == "problem" for f in diagnose_curves(curves)[1:])


def epochs_to_try(curves: Curves) -> int:
    """Return for how many epochs a training too short for a trend is tried; 0 for none.

    Four times as many, and 12 at least, where the best step came in the last quarter, or in the
    second half of what patience ended. A gate, not a verdict.
    """
    late = curves.epochs < _LEAST_EPOCHS and curves.position > LATE and not curves.stopped_early
    free = curves.finite and not curves.anneals
    return _longer(curves.epochs) if free and (late or _stopped_soon(curves)) else 0


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


def _late(curves: Curves, longer: Effect | None) -> Finding:
    if longer is not None:
        return _trained_on(curves, longer)
    if not curves.finite or curves.epochs < _LEAST_EPOCHS or _stopped_soon(curves):
        return _too_short("DW412", curves)
    return _best_late(curves)


def _trained_on(curves: Curves, longer: Effect) -> Finding:
    """DW412 of a short training: do runs that go on get better?"""
    many, percent = _longer(curves.epochs), METRICS[curves.metric].percent
    change, values = _to_train(curves, many)
    check = Check(
        measured=longer.gain,
        threshold=matters(curves),
        threshold_source=worth_source(curves.metric),
        change=change,
        values=values,
        p_value=longer.p_value,
        more={**_place(curves), "change_effect": longer.to_plain(), "significant_below": TRIED},
    )
    detail = (
        f"{_place_text(curves)}; {longer.runs} runs went from dev {_label(curves)} "
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
    cost, score = _trend(curves.dev_cost[since:]), _trend(curves.dev_score[since:])
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
        more={**_place(curves), "late_from": LATE, "significant_below": SIGNIFICANT},
    )
    place = _place_text(curves)
    if curves.anneals:
        return check_finding(
            *("DW412", "ok", "best step late as the decay makes it"),
            f"{place}; the learning rate falls to 0 at the last epoch",
            check,
        )
    if curves.position > LATE and fall >= size and p <= SIGNIFICANT:
        percent = METRICS[curves.metric].percent
        detail = (
            f"{place}, dev {_label(curves)} fell by {figure_text(fall, percent)} in the last "
            f"quarter (p {p:.1g}){_others_text(curves)}; {_LONGER * epochs:,} epochs would tell"
        )
        return check_finding("DW412", "problem", "still learning at the end", detail, check)
    return check_finding("DW412", "ok", "trained long enough", place, check)


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
    words += "" if helps(found, size, level) else ", which may be chance"
    return _Remedy(change, words, evidence)


def _best_early(curves: Curves, remedy: _Remedy) -> Finding:
    """DW413: is the best step in the first tenth, and does the score get worse from there?"""
    size = matters(curves)
    start = max(curves.best_epoch, round(EARLY * curves.epochs))
    after = _trend(curves.dev_score[start:])
    check = Check(
        measured=after.change,
        threshold=size,
        threshold_source=worth_source(curves.metric),
        change=remedy.change[0],
        values=remedy.change[1],
        p_value=after.p_rise,
        more={
            **_place(curves),
            "early_until": EARLY,
            "significant_below": SIGNIFICANT,
            **remedy.evidence,
        },
    )
    rises = after.change >= size and after.p_rise <= SIGNIFICANT and _learnt(curves)
    place = _place_text(curves)
    if curves.position <= EARLY and rises and not curves.stopped_early:
        rise = figure_text(after.change, METRICS[curves.metric].percent)
        detail = f"{place}, dev {_label(curves)} then rose by {rise} (p {after.p_rise:.1g})"
        detail += remedy.words
        return check_finding("DW413", "problem", "best in the first tenth", detail, check)
    return check_finding("DW413", "ok", "not past its best from the start", place, check)


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
    cost, score = (_trend(c[start:]) for c in (curves.dev_cost, curves.dev_score))
    train = _trend(curves.train_cost[start:])
    more: dict[str, object] = {
        **_place(curves),
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
    rises = score.change >= size and score.p_rise <= SIGNIFICANT and _learnt(curves)
    if rises and curves.stopped_early:
        stopped = f"{rise}; training was stopped for that, and the best weights were kept"
        return check_finding("DW414", "ok", "dev cost rising, stopped early", stopped, check)
    if rises:
        shown = figure_text(score.change, METRICS[curves.metric].percent)
        held = "fell" if train.p_fall <= SIGNIFICANT else "did not rise"
        detail = (
            f"{rise} and dev {_label(curves)} by {shown} while train cost {held}; the weights of "
            f"epoch {curves.best_epoch:,} were kept{remedy.words}"
        )
        return check_finding("DW414", "problem", "dev cost rising", detail, check)
    detail = f"{rise} while dev {_label(curves)} held: surer of its mistakes, not more of them"
    return check_finding("DW414", "ok", "dev cost rising, score not", detail, check)


def _row_error(curves: Curves) -> float:
    """Return about what the lowest score would change by on other dev rows, one standard error.

    Where that is not known, sqrt(s (1 - s) / n) for shares and s / sqrt(2 n) for roots of mean
    squares: right for rows that count alike, not for metrics that few rows of one class carry.
    """
    finite = curves.dev_score[np.isfinite(curves.dev_score)]
    least, n = float(finite.min()) if len(finite) else curves.constant, max(1, curves.dev_rows)
    known = curves.standard_error
    if METRICS[curves.metric].bounded:
        return math.sqrt(max(0.0, least * (1 - least)) / n) if known is None else known
    known = abs(least) / math.sqrt(2 * n) if known is None else known
    # A score without a bound may be a million times the guess's: its error would hide any gain.
    return known * min(1.0, curves.constant / least) if least > 0 else known


def matters(curves: Curves) -> float:
    """Return the change of a score that matters and that is not the luck of few dev rows.

    `worth`, or a standard error of the score where that is more: as of a difference between two
    scores on the same rows that correlate by one half.
    """
    return max(worth(curves.metric, curves.constant), _row_error(curves))


def shows_learning(curves: Curves, score: float, constant: float) -> bool:
    """Return whether a mean score of several runs is one that a network of pure noise has not.

    Two standard errors below that of any constant guess: the lowest of many epochs is lower than
    the guess by luck alone, in every run alike since all are scored on the same rows.

    Args:
        curves: of the network.
        score: mean of the runs.
        constant: score of the guess that is best for these dev rows, which train rows need not
            make: by luck a network says the class that is more frequent there.
    """
    return score <= min(constant, curves.constant) - 2 * _row_error(curves)


def _learnt(curves: Curves) -> bool:
    """Return whether the network was ever better than the constant guess: else it cannot lose it.

    Three standard errors, since the lowest of many epochs is low by luck on noise.
    """
    return float(np.min(curves.dev_score)) < curves.constant - 3 * _row_error(curves)


_NONE = Trend(0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0)


def _trend(curve: np.ndarray) -> Trend:
    """Return the line, or one that says nothing where there are too few epochs."""
    return trend(curve) or _NONE


def _too_short(code: str, curves: Curves) -> Finding:
    if not curves.finite:
        check = Check(None, None, "a curve of finite numbers", more=_place(curves))
        return check_finding(code, "unsure", "curve too short to tell", "cost not finite", check)
    least = _LEAST_STOPPED if _stopped_soon(curves) else _LEAST_EPOCHS
    change, values = _to_train(curves, _longer(curves.epochs) if curves.stopped_early else least)
    check = Check(
        measured=float(curves.epochs),
        threshold=float(least),
        threshold_source=f"the {LEAST} epochs that a trend is told from",
        change=change,
        values=values,
        more=_place(curves),
    )
    why = f"{curves.epochs} epochs, {least} would tell"
    return check_finding(code, "unsure", "curve too short to tell", why, check)


def _told_as(other: Finding, finding: Finding) -> Finding:
    evidence = {**finding.evidence, "consequence_of": other.code}
    return Finding(finding.code, "ok", finding.claim, f"told as {other.code}", evidence)


def _place(curves: Curves) -> dict[str, object]:
    late = sum(share > LATE for share in curves.others)
    return {
        "best_epoch": curves.best_epoch,
        "epochs": curves.epochs,
        "others": len(curves.others),
        "others_late": late,
        "others_early": sum(share <= EARLY for share in curves.others),
    }


def _place_text(curves: Curves) -> str:
    return f"best at epoch {curves.best_epoch:,} of {curves.epochs:,}"


def _others_text(curves: Curves) -> str:
    late = sum(share > LATE for share in curves.others)
    if len(curves.others) < 2:
        return ""
    return f", as in {late} of the {len(curves.others)} next best networks"


def _label(curves: Curves) -> str:
    return METRICS[curves.metric].label
