"""What `fit` and `show` print: the lines of each concept in their order."""

from __future__ import annotations

from deepwell.records import StudyResult

from ._baseline_lines import baseline_lines
from ._check_lines import check_lines, of_checks
from ._data_lines import data_lines
from ._engine_lines import engine_lines
from ._finding_lines import finding_lines
from ._opening_lines import opening_lines
from ._plan_lines import plan_lines
from ._result_lines import result_lines
from ._saved_lines import next_lines, saved_lines


def outcome_lines(result: StudyResult, store: str | None = None) -> list[str]:
    """Return what is known once the networks are trained: engine, verdicts, files, next commands.

    Args:
        result: the outcome.
        store: what was given as `--store`, for the next commands.
    """
    return [
        *engine_lines(result),
        *result_lines(result),
        *finding_lines(result.findings),
        *opening_lines(result, result.openings),
        *saved_lines(result),
        *next_lines(result, store),
    ]


def study_lines(result: StudyResult, store: str | None = None) -> list[str]:
    """Return all that `fit` printed for a study, without the progress."""
    return [
        *data_lines(result.data),
        *check_lines(result.checks, of_checks(result.findings), result.data_checks),
        *baseline_lines(result.baselines, result.metric_label, result.percent),
        *plan_lines(result.plan),
        *outcome_lines(result, store),
    ]
