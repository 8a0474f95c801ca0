"""What a study tells while it works; views subclass and override what they show."""

from __future__ import annotations

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


class Observer:
    """Listens to a study; every method does nothing by default."""

    def on_data(self, facts: DataFacts) -> None:
        """Hear what was read, assumed and split."""

    def on_baselines(
        self, baselines: tuple[Baseline, ...], metric_label: str, percent: bool
    ) -> None:
        """Hear how simple models do on the dev rows."""

    def on_data_checks(self, checks: DataChecks, findings: tuple[Finding, ...]) -> None:
        """Hear what the rows themselves showed, and what follows from it."""

    def on_checks(self, checks: FirstSteps, findings: tuple[Finding, ...]) -> None:
        """Hear what the first steps of one network showed, and what follows from it."""

    def on_plan(self, plan: PlanFacts) -> None:
        """Hear what is going to be trained."""

    def on_progress(self, progress: Progress) -> None:
        """Hear where the run stands, about once a chunk."""

    def on_result(self, result: StudyResult) -> None:
        """Hear the outcome."""
