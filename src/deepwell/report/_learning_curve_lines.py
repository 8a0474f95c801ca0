"""A learning curve as lines: the score at each number of rows, and at twice as many."""

from __future__ import annotations

from collections.abc import Mapping

from deepwell._base._safe_text import safe_text
from deepwell.diagnosis._learning_curve_findings import diagnose_learning_curve
from deepwell.diagnosis._metrics import METRICS
from deepwell.records import LearningCurve, from_plain

from ._figures import count, difference, duration, interval
from ._finding_lines import all_finding_lines
from ._layout import entry, table

_SHARE = 0.05  # of the forecast, from which on a family is named


def learning_curve_lines(curve: LearningCurve) -> list[str]:
    """Return the table, the forecast, how it was checked, and the finding."""
    lines = [*curve_table(curve), *forecast_lines(curve)]
    if curve.points:
        runs = curve.points[0].runs
        trained = (
            f"{len(curve.points)} sizes x {count(runs, 'run')} of {count(curve.epochs, 'epoch')}"
        )
        lines += entry("trained", f"{trained} in {duration(curve.seconds)}")
    return [*lines, *all_finding_lines([diagnose_learning_curve(curve)])]


def curve_lines(facts: Mapping[str, object]) -> list[str]:
    """Return the table and the forecast of a curve from its plain values."""
    curve = from_plain(LearningCurve, facts)
    return [*curve_table(curve), *forecast_lines(curve)]


def curve_table(curve: LearningCurve) -> list[str]:
    """Return the score at each number of rows; nothing where none was measured."""
    metric = METRICS[curve.metric]
    rows = [(f"{p.rows:,}", interval(p.score, metric.percent)) for p in curve.points]
    if curve.twice is not None:
        foretold = f"{interval(curve.twice, metric.percent)} foretold"
        rows.append((f"{2 * curve.points[-1].rows:,}", foretold))
    return table(("train rows", f"dev {metric.label}"), rows, 1) if rows else []


def forecast_lines(curve: LearningCurve) -> list[str]:
    """Return what the forecast rests on."""
    metric = METRICS[curve.metric]
    lines: list[str] = []
    if curve.gain is not None:
        gain = difference(curve.gain, metric.percent)
        lines += entry("gain", f"{gain} by twice the data")
    if curve.held_out is not None:
        held = curve.held_out
        foretold = interval(held.foretold, metric.percent)
        smaller = f"half of the rows foretold {foretold} for {held.rows:,} rows"
        lines += entry("checked", f"{smaller}: {'right' if held.holds else 'wrong'}")
    shares = sorted(curve.families.items(), key=lambda pair: -pair[1])
    named = [f"{safe_text(name)} {100 * share:.0f} %" for name, share in shares if share >= _SHARE]
    if named:
        lines += entry("curves", ", ".join(named))
    return lines
