"""What a learning curve says about more data: DW501, DW502, DW503."""

from __future__ import annotations

from deepwell.records import Finding, LearningCurve

from ._check_finding import Check, check_finding
from ._metrics import METRICS
from ._texts import change_text, figure_text

_SOURCE = "worth having: 1 point (1 % of the constant guess's score), or a tenth of the score"


def diagnose_learning_curve(curve: LearningCurve) -> Finding:
    """Return DW501 where twice the data would help by what matters, DW502 where not, else DW503.

    Help is told where the whole interval of the gain is worth having, none where no part of it
    is; in between, and where the curve was refused, it cannot be told.
    """
    metric = METRICS[curve.metric]
    check = Check(
        measured=None if curve.gain is None else curve.gain.value,
        threshold=curve.worth,
        threshold_source=_SOURCE,
        change="twice as many train rows",
        more=_evidence(curve),
    )
    if curve.gain is None or curve.twice is None:
        why = curve.refusal or "the curve was not measured"
        return check_finding("DW503", "unsure", "more data: cannot tell", why, check)
    rows = curve.points[-1].rows
    detail = (
        f"{metric.label} {figure_text(curve.points[-1].score.value, metric.percent)} with "
        f"{rows:,} train rows, {figure_text(curve.twice.value, metric.percent)} with {2 * rows:,}: "
        f"lower by {change_text(curve.gain, metric.percent)}"
    )
    if curve.gain.low >= curve.worth:
        return check_finding("DW501", "problem", "more data would help", detail, check)
    if curve.gain.high < curve.worth:
        return check_finding("DW502", "ok", "more data would hardly help", detail, check)
    return check_finding("DW503", "unsure", "more data: cannot tell", detail, check)


def _evidence(curve: LearningCurve) -> dict[str, object]:
    held = curve.held_out
    return {
        "twice": None if curve.twice is None else curve.twice.to_plain(),
        "gain": None if curve.gain is None else curve.gain.to_plain(),
        "points": [{"rows": p.rows, "runs": p.runs, **p.score.to_plain()} for p in curve.points],
        "families": dict(curve.families),
        "held_out": None
        if held is None
        else {
            "rows": held.rows,
            "measured": held.measured,
            "holds": held.holds,
            **held.foretold.to_plain(),
        },
        "p_monotone": curve.p_monotone,
        "p_fit": curve.p_fit,
        "epochs": curve.epochs,
        "dev_rows": curve.dev_rows,
    }
