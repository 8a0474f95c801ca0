"""What `fit` prints while a study works."""

from __future__ import annotations

import os
import sys
import unicodedata

from deepwell._base._safe_text import safe_text
from deepwell.records import (
    Baseline,
    DataChecks,
    DataFacts,
    Finding,
    FirstSteps,
    PlanFacts,
    Progress,
    StudyResult,
)
from deepwell.report._baseline_lines import baseline_lines
from deepwell.report._check_lines import check_lines
from deepwell.report._data_lines import data_lines
from deepwell.report._layout import entry
from deepwell.report._plan_lines import plan_lines
from deepwell.report._progress import PlainProgress, TerminalProgress
from deepwell.report._terminal import outcome_lines
from deepwell.study._observer import Observer

from ._output import print_lines, silent_when_closed


class SilentObserver(Observer):
    """Prints nothing: what machines read comes at the end, as one object."""

    def close(self) -> None:
        """Nothing was shown."""


class TerminalObserver(Observer):
    """Prints each part as soon as it is known, and the progress of the population.

    Args:
        name: what was given as `--name`.
        store: what was given as `--store`, for the commands of the last line.
    """

    def __init__(self, name: str | None = None, store: str | None = None) -> None:
        self._name = name
        self._store = store
        self._progress = _progress()
        self._rows: DataChecks | None = None

    def on_data(self, facts: DataFacts) -> None:
        """Print what was read, assumed and split."""
        print_lines(data_lines(facts))

    def on_baselines(
        self, baselines: tuple[Baseline, ...], metric_label: str, percent: bool
    ) -> None:
        """Print how simple models do."""
        self.close()  # the networks train already: their line comes back below
        print_lines(baseline_lines(baselines, metric_label, percent))

    def on_data_checks(self, checks: DataChecks, findings: tuple[Finding, ...]) -> None:
        """Keep what is printed with the checks that come next."""
        self._rows = checks

    def on_checks(self, checks: FirstSteps, findings: tuple[Finding, ...]) -> None:
        """Print what was checked before training."""
        print_lines(check_lines(checks, findings, self._rows))

    def on_plan(self, plan: PlanFacts) -> None:
        """Print what is going to be trained."""
        print_lines(plan_lines(plan))

    def on_progress(self, progress: Progress) -> None:
        """Show where the run stands."""
        with silent_when_closed(sys.stdout):
            self._progress.update(progress)

    def on_result(self, result: StudyResult) -> None:
        """Print the verdicts."""
        self.close()
        wanted = unicodedata.normalize("NFC", self._name or result.data.name)
        if result.name != wanted:
            print_lines(entry("name", f"{result.name}, since {safe_text(wanted)} was taken"))
        print_lines(outcome_lines(result, self._store))

    def close(self) -> None:
        """Take the progress line away, however the run ended."""
        with silent_when_closed(sys.stdout):
            self._progress.close()


def _progress() -> TerminalProgress | PlainProgress:
    terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    return (TerminalProgress if terminal else PlainProgress)(sys.stdout)
