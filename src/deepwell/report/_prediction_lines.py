"""Figures about predictions: reliability, confusion, suspects, columns and sets, as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepwell._base._safe_text import safe_text
from deepwell.records import Estimate, Section

from ._figures import difference, interval
from ._layout import COLUMNS, display_width, fit_to, pad, table, wrap

_MOST_CLASSES = 30
_MOST_ROWS = 20
_LABEL = 16


def probability_lines(section: Section) -> list[str]:
    """Return what came true of what was said, and which class is taken for which."""
    facts: Mapping[str, Any] = section.facts
    return [
        *_reliability_lines(facts["calibration"]["bins"]),
        *_confusion_lines(facts["confusion"]),
    ]


def _reliability_lines(bins: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        (f"{one['rows']:,}", f"{100 * one['said']:.1f} %", interval(_estimate(one["share"]), True))
        for one in bins
    ]
    return ["", *table(("rows", "said", "came true [95 % interval]"), rows, 2)]


def _confusion_lines(facts: Mapping[str, Any]) -> list[str]:
    """Return the matrix where it fits into 80 columns, else recall and precision by class."""
    labels = [safe_text(label, _LABEL) for label in facts["classes"]]
    counts: list[list[float]] = facts["counts"]
    cells = [[f"{value:,.4g}" for value in row] for row in counts]
    width = max([5, *(display_width(c) for row in cells for c in row)]) + 1
    first = max([10, *(display_width(label) for label in labels)])
    lines: list[str] = []
    if first + width * len(labels) <= COLUMNS:
        titles = [pad(fit_to(label, width - 1), width, right=True) for label in labels]
        lines += ["", pad("true, said", first) + "".join(titles)]
        lines += [
            pad(label, first) + "".join(pad(cell, width, right=True) for cell in row)
            for label, row in zip(labels, cells, strict=True)
        ]
    return [*lines, *_class_lines(labels, facts)]


def _class_lines(labels: Sequence[str], facts: Mapping[str, Any]) -> list[str]:
    """Return recall and precision of the classes, the worst 30 where there are more."""
    each = list(zip(labels, facts["recall"], facts["precision"], strict=True))
    told = each
    if len(each) > _MOST_CLASSES:
        told = sorted(each, key=lambda one: _number(one[1]["value"]))[:_MOST_CLASSES]
    rows = [
        (label, interval(_estimate(found), True), interval(_estimate(right), True))
        for label, found, right in told
    ]
    left = len(each) - len(told)
    more = [f"and {left:,} classes that are found more often"] if left else []
    return ["", *table(("class", "found (recall)", "right (precision)"), rows, 0), *more]


def label_lines(section: Section) -> list[str]:
    """Return the rows that are most likely mislabeled, the surest first.

    Of values the target and its prediction.
    """
    suspects: Any = section.facts["suspects"]
    if not suspects:
        return []
    numbers = not isinstance(suspects[0]["label"], str)
    label, likely = ("target", "prediction") if numbers else ("label", "likely")
    rows = [
        (
            f"{one['row']:,}",
            _said(one["label"]),
            _said(one["likely"]),
            f"{100 * one['chance_right']:.2g} %",
        )
        for one in suspects[:_MOST_ROWS]
    ]
    left = len(suspects) - len(rows)
    more = [f"and {left:,} more, which --json lists"] if left else []
    return [
        "",
        *table(("row", label, likely, f"chance that the {label} is right"), rows, 1),
        *more,
    ]


def _said(label: str | float) -> str:
    return safe_text(label, _LABEL) if isinstance(label, str) else f"{label:,.10g}"


def column_lines(section: Section) -> list[str]:
    """Return what the columns are worth, the most first."""
    facts: Mapping[str, Any] = section.facts
    columns: list[Mapping[str, Any]] = facts["columns"]
    rows = [
        (
            difference(_estimate(one["change"]), facts["percent"]),
            ", ".join(safe_text(name) for name in one["columns"]),
        )
        for one in columns[:_MOST_ROWS]
    ]
    left = len(columns) - len(rows)
    title = f"change of {safe_text(facts['metric'])}"
    more = [f"and {left:,} that are worth less"] if left else []
    tied = any(len(one["columns"]) > 1 for one in columns)
    note = "Columns of one line are correlated by 0.8 or more and were shuffled together."
    return [
        "",
        *table((title, "when shuffled"), rows, 0),
        *more,
        *(wrap(note, COLUMNS) if tied else []),
    ]


def _estimate(plain: Mapping[str, Any]) -> Estimate:
    return Estimate(*(_number(plain[end]) for end in ("value", "low", "high")))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
