"""What a study that has run tells, and what is done with it: each call goes to its store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import UsageError
from deepwell.data._data import Data
from deepwell.records import Improvement, LearningCurve, Opening, Probe, StudyResult, Trial
from deepwell.report._diagnosis import Diagnosis

from ._calibrate import Calibrated
from ._ensemble import Ensemble
from ._finished import FinishedStudy
from ._model import Model
from ._observer import Observer
from ._refit import Refit
from ._which import BEST

if TYPE_CHECKING:
    import optuna


class StudyOutcome:
    """The part of a `Study` that is there when it has run.

    Attributes:
        data: what the study trained on; its rows need not be read again.
    """

    data: Data
    _observer: Observer
    _finished: FinishedStudy | None

    @property
    def result(self) -> StudyResult:
        """The outcome of the run."""
        return self._ended().result

    @property
    def name(self) -> str:
        """The study's name in its store."""
        return self._ended().result.name

    @property
    def best(self) -> Model:
        """The best network with its preprocessing, ready to predict."""
        return self._ended().model()

    def trials(self) -> Any:
        """Return all trials as a Polars frame: one row a trial, best first."""
        return self._ended().frame()

    def history(self) -> list[Trial]:
        """Return all trials as records, with their curves."""
        return self._ended().trials(curves=True)

    def importance(self) -> Any:
        """Return a Polars frame: the share of each searched hyperparameter, the largest first.

        See `FinishedStudy.importance`.
        """
        return self._ended().importance()

    def pareto(self) -> Any:
        """Return a Polars frame of the networks that no other one beats in score, size and work.

        See `FinishedStudy.pareto`.
        """
        return self._ended().pareto()

    def probes(self, trial: int | None = None) -> Any:
        """Return what was measured inside networks as a Polars frame: one row a probe and layer.

        Args:
            trial: the number of one; None for all that were looked into, the best one among them.
        """
        return self._ended().probes(trial)

    def probe_records(self, trial: int | None = None) -> list[Probe]:
        """Return the same as records, by trial and epoch."""
        return self._ended().probe_records(trial)

    def diagnose(self) -> Diagnosis:
        """Return what is known about the error that is left; printed, it is text in sections.

        A sequence of findings: those of the run, and what takes longer than a run should.
        """
        return self._ended().diagnose(self.data)

    def calibrate(self, *, temperature: bool = True, threshold: str | None = None) -> Calibrated:
        """Store a temperature and a decision threshold with the model; predictions use them then.

        Args:
            temperature: whether to fit one on the dev rows.
            threshold: of two classes, what it is to be best for: `f1`, `balanced_error`, `cost=R`.
        """
        return self._ended().calibrate(temperature=temperature, threshold=threshold, data=self.data)

    def column_importance(self) -> Any:
        """Return a Polars frame: what shuffling each input column does to the dev score."""
        return self._ended().column_importance(self.data)

    def mislabeled(self, rate: float = 0.1) -> Any:
        """Return a Polars frame of the rows whose labels are most likely wrong, the surest first.

        Args:
            rate: false-discovery rate: at most this share of the rows has a right label.
        """
        return self._ended().mislabeled(rate, self.data)

    def learning_curve(self, *, runs: int | None = None) -> LearningCurve:
        """Return how the best network's score depends on the number of train rows (G5).

        Args:
            runs: networks of each size, 3 to 100, each with rows and a seed of its own; None for 8.

        Raises:
            UsageError: when the study has not been run, or `runs` is out of its range.
            KeyboardInterrupt: when a person stopped it.
        """
        return self._ended().learning_curve(self.data, runs=runs, observer=self._observer)

    def improve(
        self,
        apply: str | None = None,
        budget: str | float | None = None,
        replicates: int | None = None,
        *,
        save: bool = True,
    ) -> Improvement:
        """Measure remedies beside the best network; as `FinishedStudy.improve`."""
        return self._ended().improve(
            apply, budget, replicates, save=save, data=self.data, observer=self._observer
        )

    def open_test(self, which: str = BEST) -> tuple[Opening, ...]:
        """Open the sealed test set, score the best network, and return all openings so far.

        Args:
            which: the model to score: `best`, `refit` or `ensemble`; the ledger names it.
        """
        return self._ended().open_test(which)

    def ensemble(self) -> Ensemble:
        """Make a model of the average of the networks that were kept for it, `model-ensemble`.

        See `FinishedStudy.ensemble`.
        """
        return self._ended().ensemble()

    def refit(self) -> Refit:
        """Train the best configuration on train and dev rows, and save it as `model-refit`.

        See `FinishedStudy.refit`: no dev score of its own exists, and nothing else changes.
        """
        return self._ended().refit(self.data)

    def to_optuna(self, storage: Any, name: str | None = None) -> optuna.Study:
        """Write the study to one of Optuna's storages; see `FinishedStudy.to_optuna`."""
        return self._ended().to_optuna(storage, name)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report as text, by default beside the model, and return where it lies."""
        return self._ended().write_report(path, search=True)

    def _ended(self) -> FinishedStudy:
        if self._finished is None:
            raise UsageError("the study has not been run yet; call run() first")
        return self._finished
