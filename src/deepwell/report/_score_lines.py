"""The scores of the parts of the data, from which the gaps are told, as a table."""

from __future__ import annotations

from typing import Any

from deepwell._base._safe_text import safe_text
from deepwell.diagnosis._metrics import METRICS
from deepwell.records import Estimate, Section

from ._figures import interval
from ._layout import table


def score_lines(section: Section) -> list[str]:
    """Return a table with a line for each part, or none where the section holds no scores."""
    facts: Any = section.facts
    if not facts.get("scores"):
        return []
    metric = METRICS[facts["metric"]]
    rows = [
        (
            safe_text(part),
            f"{score['rows']:,}",
            interval(Estimate(score["value"], score["low"], score["high"]), metric.percent),
        )
        for part, score in facts["scores"].items()
    ]
    return ["", *table(("part", "rows", f"{metric.label} [95 % interval]"), rows, 0)]
