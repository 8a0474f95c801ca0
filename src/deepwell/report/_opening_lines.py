"""The openings of the sealed test set, as lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from deepwell._base._safe_text import safe_text
from deepwell.diagnosis._dev_to_test import overfitted_to_dev
from deepwell.diagnosis._metrics import METRICS
from deepwell.records import Opening, StudyResult

from ._figures import count, interval
from ._finding_lines import all_finding_lines
from ._layout import entry

NOTE_LIMIT = 400
LEDGER_LIMIT = 600


def opening_lines(result: StudyResult, openings: Sequence[Opening]) -> list[str]:
    """Return the line `test`: the study's own last score and what it is worth.

    Studies of the same rows share a test set and its ledger, and may use other metrics: what
    another one scored is never shown as this one's, only that it has looked.

    Args:
        result: the study whose test set was opened.
        openings: the ledger, oldest first; none gives no line.
    """
    broken = ledger_lines(result)
    if not openings:
        return broken
    own = own_openings(result, openings)
    if not own:
        return [*entry("test", opened_by_others(openings)), *broken]
    last = own[-1]
    rows = count(result.data.sizes[2], "sealed row")
    notes = [safe_text(note, NOTE_LIMIT) for note in last.notes]
    verdict = opening_verdict(last, broken=bool(broken))
    told = entry("test", f"{opening_score(last)} on {rows}", verdict, *notes)
    findings = overfitted_to_dev(replace(result, openings=tuple(own)))
    return [*told, *broken, *all_finding_lines(findings)]


def ledger_lines(result: StudyResult) -> list[str]:
    """Return the line `ledger`, where the ledger of openings does not hold; none where it does."""
    told = safe_text(result.ledger, LEDGER_LIMIT)
    return entry("ledger", f"PROBLEM: {told}") if told else []


def own_openings(result: StudyResult, openings: Sequence[Opening]) -> list[Opening]:
    """Return those openings of a test set that scored this study's network."""
    return [opening for opening in openings if opening.study == result.name]


def opened_by_others(openings: Sequence[Opening]) -> str:
    """Return what a study must know whose test set only other studies have opened."""
    times = "once" if len(openings) == 1 else f"{len(openings):,} times"
    return (
        f"this study has not opened its test set, but the set was opened {times} before, last by "
        f"study {safe_text(openings[-1].study)}: a score on it is no longer an unbiased estimate"
    )


def opening_score(opening: Opening) -> str:
    """Return the score of an opening in the terms of its own metric."""
    metric = METRICS[opening.metric]
    return f"{metric.label} {interval(opening.test, metric.percent)}"


def opening_verdict(opening: Opening, notes: str = "this:", *, broken: bool = False) -> str:
    """Return what the figure of an opening is worth: only a first, clean look is unbiased.

    Args:
        opening: the opening.
        notes: where its notes stand, if it has any.
        broken: whether the ledger does not hold.
    """
    if broken:
        return "the ledger of openings does not hold: this figure cannot be trusted"
    if opening.number > 1:
        return (
            f"the test set was opened {opening.number} times: "
            "this figure is no longer an unbiased estimate"
        )
    if not opening.clean:
        return f"the test set was opened for the first time, but mind {notes}"
    return "the test set was opened for the first time: this figure is an unbiased estimate"


def opening_time(opening: Opening) -> str:
    """Return when an opening happened, in UTC."""
    return datetime.fromtimestamp(opening.time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
