"""A diagnosis as lines: its sections, each with all its findings, passed checks too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from deepwell._base._safe_text import safe_text
from deepwell.records import Section, StudyResult

from ._figures import interval
from ._finding_lines import all_finding_lines, reading_lines
from ._importance_lines import search_lines
from ._layout import entry, heading
from ._learning_curve_lines import curve_lines
from ._network import network_words
from ._prediction_lines import column_lines, label_lines, probability_lines
from ._result_lines import dev_words, folds_words
from ._score_lines import score_lines

_LIMIT = 500

FIGURES: Mapping[str, Callable[[Section], list[str]]] = {
    "error": score_lines,
    "probabilities": probability_lines,
    "labels": label_lines,
    "columns": column_lines,
    "training": lambda section: reading_lines(section.findings),
    "rows": lambda section: curve_lines(section.facts),
    "search": lambda section: search_lines(section.facts),
}
"""Name of a section -> lines of the figures that it shows below its findings."""


def diagnosis_lines(
    result: StudyResult | None, sections: Sequence[Section], notes: Sequence[str]
) -> list[str]:
    """Return a diagnosis.

    Args:
        result: of the study; None where there is none.
        sections: in the order to tell them.
        notes: what could not be looked at, and why.
    """
    lines = [] if result is None else _study_lines(result)
    for section in sections:
        lines += section_lines(section)
    if notes:
        lines += ["", *(line for note in notes for line in entry("note", safe_text(note, _LIMIT)))]
    return lines if lines and lines[0] else lines[1:]


def section_lines(section: Section) -> list[str]:
    """Return a heading, the findings of all levels, and the section's own figures."""
    figures = FIGURES.get(section.name)
    return [
        *heading(safe_text(section.title)),
        *all_finding_lines(section.findings),
        *([] if figures is None else figures(section)),
    ]


def _study_lines(result: StudyResult) -> list[str]:
    label = safe_text(result.metric_label)
    told = [
        f"{dev_words(result)} {label} {interval(result.dev, result.percent)}: "
        f"{network_words(result.best)}",
        *folds_words(result)[:1],
        f"train {label} {interval(result.train, result.percent)}",
    ]
    return [*entry("study", safe_text(result.name)), *entry("result", *told)]
