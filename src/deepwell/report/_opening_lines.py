"""The openings of the sealed test set, as lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from deepwell._base._safe_text import safe_text
from deepwell.records import Opening, StudyResult

from ._figures import count, interval
from ._layout import entry

NOTE_LIMIT = 400


def opening_lines(result: StudyResult, openings: Sequence[Opening]) -> list[str]:
    """Return the line `test`: the score of the last opening and what it is worth.

    Args:
        result: the study whose test set was opened.
        openings: the ledger, oldest first; none gives no line.
    """
    if not openings:
        return []
    last = openings[-1]
    rows = count(result.data.sizes[2], "sealed row")
    score = f"{safe_text(result.metric_label)} {interval(last.test, result.percent)} on {rows}"
    notes = [safe_text(note, NOTE_LIMIT) for note in last.notes]
    return entry("test", score, opening_verdict(last), *notes)


def opening_verdict(opening: Opening) -> str:
    """Return what the figure of an opening is worth: only a first, clean look is unbiased."""
    if opening.number > 1:
        return (
            f"the test set was opened {opening.number} times: "
            "this figure is no longer an unbiased estimate"
        )
    if opening.notes:
        return "the test set was opened for the first time, but mind this:"
    return "the test set was opened for the first time: this figure is an unbiased estimate"


def opening_time(opening: Opening) -> str:
    """Return when an opening happened, in UTC."""
    return datetime.fromtimestamp(opening.time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
