"""What predictions on rows that were not trained on tell, as findings (codes DW211 to DW217)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from deepwell.records import Estimate, Finding

from ._calibration import Calibration
from ._check_finding import Check, check_finding
from ._conformal import coverage_range
from ._confusion import Confusion
from ._importance_of_columns import ColumnImportance
from ._metrics import Metric
from ._slices import LEVEL as SLICE_LEVEL
from ._slices import Slices
from ._temperature import Scaling
from ._texts import change_text, figure_text
from ._threshold import Threshold
from ._wrong_rows import LEAST_ROWS, LEVEL, MOST_NOISE, UNEVEN, Mislabels

DOUBTED = 0.01  # p-value of the calibration test
_FAR_OFF = 0.05  # calibration error that counts although no temperature mends it
_WIDE = 0.05  # half of an interval of the gap that tells nothing
_SHARE = 0.01  # of the constant guess's log loss
_POINT = 0.01
_FACTOR = 1.5
_WORSE = 0.05
_TOLD = 3
_MANY = 0.02  # share of wrong targets, its lower end, that is a problem without a list
_TOO_SURE, _TOO_MILD = "probabilities too sure", "probabilities too mild"
_OF_PROBABILITIES = ("log_loss",)  # metrics that a change of all probabilities alike changes


def calibration_finding(
    found: Calibration, scaling: Scaling | None, entropy: float, chosen_by: str
) -> Finding:
    """Return DW213: whether the probabilities are right, and whether a temperature mends them.

    Args:
        found: how far they are right.
        scaling: what a temperature does; needed where `found.p_value` is at most 0.01.
        entropy: log loss of the class shares as a constant guess.
        chosen_by: the study's metric. Wrong probabilities are a problem where they make it worse;
            error rates, ranks and the class that is said stay as they are at any temperature.
    """
    worse = "problem" if chosen_by in _OF_PROBABILITIES else "ok"
    gap = found.gap
    told = (
        f"the class that is said has {figure_text(gap.value + found.right, True)} on average and "
        f"is right in {figure_text(found.right, True)} of {found.rows:,} rows, a gap of "
        f"{change_text(gap, True)} points; calibration error {figure_text(found.error, True)}"
    )
    more: dict[str, object] = {"gap": gap.to_plain(), "rows": found.rows}
    if scaling is not None:
        more |= {"temperature": scaling.temperature, "log_loss_change": scaling.change.to_plain()}
    check = Check(
        found.p_value,
        DOUBTED,
        "labels drawn from the probabilities themselves; 1 in 100 right models passes it",
        p_value=found.p_value,
        more=more,
    )
    if found.p_value > DOUBTED or scaling is None:
        if (gap.high - gap.low) / 2 > _WIDE:
            few = f"too few rows to tell whether probabilities are right ({told})"
            return check_finding("DW213", "unsure", "calibration", few, check)
        return check_finding("DW213", "ok", "no sign of wrong probabilities", told, check)
    matters = scaling.change.high < 0 and -scaling.change.value >= _SHARE * entropy
    mended = (
        f"{told}; a temperature of {scaling.temperature:.3g} changes the log loss by "
        f"{change_text(scaling.change, False)}, measured on rows that did not fit it"
    )
    if matters:
        claim = _TOO_SURE if scaling.temperature > 1 else _TOO_MILD
        return check_finding("DW213", worse, claim, mended, check)
    if found.error >= _FAR_OFF:
        claim = "wrong probabilities, which a temperature does not mend"
        return check_finding("DW213", worse, claim, mended, check)
    return check_finding("DW213", "ok", "probabilities a little off", mended, check)


def mended_by_temperature(finding: Finding) -> bool:
    """Whether a finding DW213 says that a temperature makes the probabilities right."""
    return finding.claim in (_TOO_SURE, _TOO_MILD)


def confusion_finding(found: Confusion, classes: Sequence[str]) -> Finding:
    """Return DW215: which classes are taken for which."""
    pairs = [
        f"{_name(classes[pair.true])} taken for {_name(classes[pair.said])} in {_rows(pair.rows)}, "
        f"{_percent(pair.share)} of its own"
        for pair in found.pairs[:_TOLD]
    ]
    detail = "; ".join(pairs) if pairs else "every class is told from every other one"
    evidence: dict[str, object] = {"pairs": found.to_plain(tuple(classes))["pairs"]}
    return Finding("DW215", "ok", "most confused classes", detail, evidence)


def threshold_finding(found: Threshold, positive: str, chosen_by: str) -> Finding:
    """Return DW214: whether another decision threshold than 0.5 is better.

    Args:
        found: the threshold and what it changes.
        positive: label of the second class.
        chosen_by: the study's metric; a threshold that improves it is worth a problem.
    """
    clearly = found.change.high < 0 and -found.change.value >= _POINT
    told = (
        f"saying {_name(positive)} above {found.value:.3g} in place of 0.5 changes {found.label} "
        f"from {figure_text(found.half.value, found.percent)} by "
        f"{change_text(found.change, found.percent)}, measured on rows that did not choose it"
    )
    check = Check(
        -found.change.value,
        _POINT,
        "a point of the figure, and an interval below 0",
        change=f"threshold {found.value:.3g}",
        more=found.to_plain(),
    )
    if not clearly:
        claim = f"no better decision threshold for {found.label}"
        return check_finding("DW214", "ok", claim, told, check)
    level = "problem" if chosen_by == found.objective else "ok"
    return check_finding("DW214", level, f"a better threshold for {found.label}", told, check)


def slices_finding(found: Slices, percent: bool, loss: str) -> Finding:
    """Return DW212: where the model is worse than elsewhere.

    Args:
        found: the slices.
        percent: whether losses are shares.
        loss: what they are, as in `error`.
    """
    rows = f"{found.rows:,} rows"
    if found.rows < found.all_rows:
        rows = f"a random {found.rows:,} of {found.all_rows:,} rows"
    looked = (
        f"{found.compared:,} slices of {found.columns:,} columns compared on {rows}; "
        f"in {_whole(SLICE_LEVEL)} of tables without a bad slice one is told"
    )
    measured = found.found[0].p_value if found.found else None
    check = Check(
        measured,
        SLICE_LEVEL,
        "the largest excess of any slice when the rows' losses are permuted",
        p_value=measured,
        more=found.to_plain(),
    )
    if not found.compared:
        return check_finding("DW212", "unsure", "slices", "too few rows or columns to slice", check)
    if not found.found:
        return check_finding("DW212", "ok", "no slice clearly worse than the others", looked, check)
    told = [
        f"{loss} {_figure(one.inside, percent)} where "
        f"{' and '.join(c.words for c in one.conditions)} ({_rows(one.rows)}), "
        f"{figure_text(one.outside, percent)} else"
        for one in found.found[:_TOLD]
    ]
    much = any(
        one.inside.low >= _FACTOR * one.outside
        and (not percent or one.inside.value - one.outside >= _WORSE)
        for one in found.found
    )
    level, claim = ("problem", "worse slices") if much else ("ok", "slices a little worse")
    return check_finding("DW212", level, claim, f"{'; '.join(told)} ({looked})", check)


def mislabels_finding(found: Mislabels, whose: str, what: str = "labels") -> Finding:
    """Return DW211: how many labels, or targets, are probably wrong.

    Where no row is listed, wrong labels are never a problem, since noise that is as frequent at
    every margin looks like them. Wrong targets are, where they are many in every quarter of the
    predictions and of the targets: networks that learned from them are too unsure to list rows.

    Args:
        found: the suspects.
        whose: the rows, as in `train and dev rows`.
        what: `labels` or `targets`.
    """
    of_targets = what == "targets"
    more: dict[str, object] = {
        "flipped": found.flipped.to_plain(),
        "listed": len(found.suspects),
        "expected_false": found.expected_false,
        "false_discovery_rate": found.rate,
        "rows": found.rows,
    }
    if of_targets:
        more |= {"noise": found.noise, "even": found.even}
    check = Check(
        found.p_value,
        LEVEL,
        "likelihood ratio of targets that have nothing to do with the prediction against none"
        if of_targets
        else "likelihood ratio of a floor of mistakes at every margin against none",
        p_value=found.p_value,
        more=more,
    )
    mislabeled = "rows with wrong targets" if of_targets else "mislabeled rows"
    share = f"{_percent(found.flipped)} of the {found.rows:,} {whose}"
    if found.rows < LEAST_ROWS:
        few = f"{found.rows:,} {whose} are too few to tell wrong {what} from honest noise"
        return check_finding("DW211", "unsure", mislabeled, few, check)
    if found.unfit:
        told = f"wrong {what} among the {found.rows:,} {whose} cannot be told: {found.unfit}"
        return check_finding("DW211", "unsure", mislabeled, told, check)
    if found.noise > MOST_NOISE:
        told = (
            f"too little of the target is predicted to tell wrong ones among the {found.rows:,} "
            f"{whose}: what is left is {figure_text(found.noise, True)} as wide as the targets, "
            f"and at most {_whole(MOST_NOISE)} is needed"
        )
        return check_finding("DW211", "unsure", mislabeled, told, check)
    if not found.suspects:
        if found.certain:
            told = f"{share} seem to have a wrong {what[:-1]}, but none can be told for sure"
            claim = f"wrong {what} that cannot be told"
            clear = of_targets and found.even == 1 and found.flipped.low >= _MANY
            return check_finding("DW211", "problem" if clear else "unsure", claim, told, check)
        if found.even <= UNEVEN:
            told = (
                f"{share} are far from what is predicted as wrong {what} are, but cluster at some "
                f"predictions or {what}, as wrong ones do not (p = {found.even:.2g})"
            )
            return check_finding("DW211", "unsure", f"wrong {what}, or something else", told, check)
        if found.p_value <= LEVEL:
            told = f"wrong {what} may be {share}, too few to be told for sure"
            return check_finding("DW211", "unsure", mislabeled, told, check)
        told = f"wrong {what} may be {share} (p = {found.p_value:.2g})"
        if found.flipped.low > 0:  # of a family that noise outside of it does not have
            told = f"honest noise alone looks like this (p = {found.p_value:.2g})"
        return check_finding("DW211", "ok", f"no sign of wrong {what}", told, check)
    told = (
        f"{len(found.suspects):,} {what} are probably wrong, of which {found.expected_false:.1f} "
        f"are expected to be right after all (at most {_whole(found.rate)}, in 95 of 100 tables); "
        f"in all about {share} are wrong"
    )
    return check_finding("DW211", "problem", mislabeled, told, check)


def importance_finding(found: Sequence[ColumnImportance], metric: Metric) -> Finding:
    """Return DW216: what the columns are worth."""
    needed = [one for one in found if one.change.low > 0]
    told = "; ".join(
        f"{_columns(one.columns)} {change_text(one.change, metric.percent)}"
        for one in needed[:_TOLD]
    )
    detail = (
        f"{len(needed):,} of {len(found):,} make {metric.label} worse when they are shuffled"
        f"{f': {told}' if told else ''}"
    )
    evidence: dict[str, object] = {"columns": [one.to_plain() for one in found]}
    return Finding("DW216", "ok", "what columns are worth", detail, evidence)


def coverage_finding(
    rows: int, coverage: float, sizes: np.ndarray | None, reach: float, unit: str
) -> Finding:
    """Return DW217: what sets or intervals of a coverage look like.

    Args:
        rows: that they rest on.
        coverage: that was asked for.
        sizes: (n,) classes in the set of each row; None for intervals.
        reach: of intervals to both sides.
        unit: name of the target.
    """
    low, high = coverage_range(rows, coverage)
    evidence: dict[str, object] = {"rows": rows, "coverage": coverage, "range": [low, high]}
    if rows < math.ceil(coverage / (1 - coverage) - 1e-9):
        few = f"{rows:,} dev rows are too few for sets that hold the truth in {_whole(coverage)}"
        return Finding("DW217", "unsure", "prediction sets", few, evidence)
    promise = (
        f"in {_whole(coverage)} of rows like these: on average over dev sets, and with these "
        f"{_rows(rows)} between {figure_text(low, True)} and {figure_text(high, True)}"
    )
    if sizes is None:
        evidence |= {"reach": reach}
        told = f"{_name(unit)} within {figure_text(reach, False)} of what is predicted {promise}"
        return Finding("DW217", "ok", "prediction intervals", told, evidence)
    mean, single = float(sizes.mean()), float((sizes == 1).mean())
    evidence |= {"mean_size": mean, "single": single}
    told = (
        f"the smallest sets hold the truth {promise}; they have {mean:.3g} classes on average, and "
        f"{_whole(single)} of them one alone"
    )
    return Finding("DW217", "ok", "prediction sets", told, evidence)


def _percent(share: Estimate) -> str:
    return _figure(share, True)


def _figure(value: Estimate, percent: bool) -> str:
    if not percent:
        return change_text(value, False)
    shown = change_text(value, True)
    first, _, ends = shown.partition(" ")
    return f"{first} % {ends}"


def _columns(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"


def _whole(share: float) -> str:
    return f"{100 * share:.0f} %"


def _name(label: str) -> str:
    return f'"{label}"' if " " in label or not label else label
