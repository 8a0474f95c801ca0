"""A study that has run: its result, trials, model, and the one act that is left, the test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import UsageError
from deepwell.diagnosis._metrics import METRICS
from deepwell.records import Improvement, LearningCurve, Opening
from deepwell.report._text_report import text_report
from deepwell.search.spaces._plain import space_from_plain
from deepwell.storage._files import write_atomic

from ._kept_study import KeptStudy
from ._observer import Observer
from ._open_test import open_sealed
from ._which import BEST

if TYPE_CHECKING:
    import optuna

    from deepwell.data._data import Data
    from deepwell.report._diagnosis import Diagnosis

    from ._calibrate import Calibrated
    from ._ensemble import Ensemble
    from ._model import Model
    from ._refit import Refit


class FinishedStudy(KeptStudy):
    """A study read back from its store; every call reads what is there now.

    Args:
        name: of the study.
        store: folder or URL; None means `./deepwell`.

    Raises:
        UsageError: when there is no such study, or it has no result.
    """

    def network(self, trial: int, data: Data | None = None) -> Model:
        """Return the network of a trial whose last state is kept, at its best epoch.

        >>> study.network(17).predict("new.csv")  # doctest: +SKIP

        Args:
            trial: its number.
            data: what `load` returned, where the study's rows came from memory.

        Raises:
            UsageError: when its state is not kept, the study has folds, or its rows cannot be read
                again.
            StudyError: when the state is gone, was cut or changed.
        """
        from ._kept_network import kept_network  # which needs a finished study itself

        return kept_network(self, self._where, trial, data)

    def refit(self, data: Data | None = None) -> Refit:
        """Train the best configuration on train and dev rows, and save it as `model-refit`.

        It takes as many update steps as the chosen network had taken at its best epoch. No rows
        are left to score it; what is to be expected of it is what was expected of the chosen one,
        or a little less. `model("refit")`, `open_test("refit")` and `deepwell predict --model
        refit` use it; nothing else changes.

        Args:
            data: what `load` returned, where the study's rows came from memory.

        Raises:
            UsageError: when the rows cannot be read again, or the study has folds.
            StudyError: when the network cannot be trained.
        """
        from ._refit import refit_study  # which needs a finished study itself

        return refit_study(self, self._where, data)

    def ensemble(self) -> Ensemble:
        """Make a model of the average of the networks that were kept for it: `model-ensemble`.

        They were chosen greedily when the study ended, and compared with the single best network
        on rows that had chosen neither (`result.ensemble`, finding DW611). `model("ensemble")`,
        `open_test("ensemble")` and `deepwell predict --model ensemble` use it; nothing else
        changes.

        Raises:
            UsageError: when the study kept no networks to average.
        """
        from ._ensemble import make_ensemble  # which needs a finished study itself

        return make_ensemble(self, self._where)

    def importance(self) -> Any:
        """Return a Polars frame: the share of each searched hyperparameter, the largest first.

        Columns: `name`; `importance`, its share of the differences between the scores that the
        hyperparameters make, 0 to 1, with the ends `low` and `high` of its 95 % interval; `total`,
        its share with all its interactions, `total_low` and `total_high`. After the single names
        come the pairs, as `learning_rate x dropout`: what two do together beyond each alone.
        Networks that a scheduler stopped are compared at the epochs that all reached
        (`docs/importance.md`).

        Raises:
            UsageError: when the trials are too few or their scores differ by luck alone; it says
                how many are needed.
        """
        from ._searched import importance_frame, searched  # which need a finished study themselves

        found = searched(self).importance
        if found.why:
            raise UsageError(f"no importance can be told of study {self._record.name}: {found.why}")
        return importance_frame(found)

    def pareto(self) -> Any:
        """Return a Polars frame of the networks that no other one beats in score, size and work.

        Columns: `number, score` (in the metric's unit), `parameters`, `multiply_adds` of a row's
        prediction, `microseconds` a row that predicting 1,000 rows takes here (the median of 7, by
        one thread and the arithmetic of a saved model), `hidden_units`; the best score first.
        """
        from ._pareto import pareto_frame  # which needs a finished study itself

        return pareto_frame(self)

    def open_test(self, which: str = BEST) -> tuple[Opening, ...]:
        """Open the sealed test set, score the model, return all openings, the new one last.

        The opening is written to the ledger, and the study's report says so from then on.

        Args:
            which: the model to score, as for `model`; the ledger names any but the best.

        Raises:
            UsageError: when the study sealed no test set, the sealed file is gone or changed, or
                there is no such model.
            StudyError: when the ledger was tampered with, or cannot be written.
        """
        sealed = self._sealed()
        if sealed is None:
            raise UsageError(
                f"study {self._record.name} has no sealed test set: its split made none"
            )
        with self._open() as opened:
            open_sealed(opened, self._record, sealed, self.model(which), self.result, which)
        self.write_report()
        return self.openings()

    def diagnose(self, data: Data | None = None) -> Diagnosis:
        """Return what is known about the error that is left, the rows read again for it.

        Args:
            data: what `load` returned, where the study's rows came from memory; None reads them
                again from their file. Where they cannot be read, the fit's findings are told and
                a note says why there is no more.

        Raises:
            UsageError: when `data` are not the study's.
        """
        from ._diagnose import diagnose_study  # which needs a finished study itself

        return diagnose_study(self, self._where, data)

    def calibrate(
        self, *, temperature: bool = True, threshold: str | None = None, data: Data | None = None
    ) -> Calibrated:
        """Store a temperature and a decision threshold with the model; predictions use them then.

        Afterwards the model has what was asked for and nothing else, so
        `calibrate(temperature=False)` takes both away.

        Args:
            temperature: whether to fit one on the dev rows (`docs/predictions.md`); it is kept
                where it lowers the log loss of rows that did not fit it.
            threshold: of two classes, what it is to be best for: `f1`, `balanced_error`, or
                `cost=R` where a missed row of the second class costs as much as R false alarms; it
                is kept where it helps rows that did not choose it.
            data: what `load` returned, where the study's rows came from memory.

        Raises:
            UsageError: for regression, a threshold for more than two classes, or rows that cannot
                be read again.
        """
        from ._calibrate import calibrate_study  # which needs a finished study itself

        return calibrate_study(self, self._where, data, temperature, threshold)

    def column_importance(self, data: Data | None = None) -> Any:
        """Return a Polars frame: what shuffling each input column does to the dev score.

        Columns: `columns` (several where they are correlated by 0.8 or more and are shuffled
        together), `change` of the score (above 0 where the model needs them), and the ends `low`
        and `high` of its interval over rows and shuffles; the largest change first.

        Args:
            data: what `load` returned, where the study's rows came from memory.

        Raises:
            UsageError: when the rows cannot be read again, or none were held out, as in a
                cross-validated study.
        """
        from ._analysis import importance_frame

        return importance_frame(self, self._where, data)

    def mislabeled(self, rate: float = 0.1, data: Data | None = None) -> Any:
        """Return a Polars frame of the rows whose labels are most likely wrong, the surest first.

        Columns: `row` (its number in the source, counted from 1), `label` (of regression the
        target), `likely` (what the networks say) and `chance_right`, the probability that the
        label is right after all.

        Args:
            rate: false-discovery rate: at most this share of the rows has a right label, in 95 of
                100 tables.
            data: what `load` returned, where the study's rows came from memory.

        Raises:
            UsageError: for a rate that is none, or rows that cannot be read again.
        """
        from ._analysis import mislabeled_frame

        return mislabeled_frame(self, self._where, data, rate)

    def learning_curve(
        self,
        data: Data | None = None,
        *,
        runs: int | None = None,
        observer: Observer | None = None,
    ) -> LearningCurve:
        """Return how the best network's score depends on the number of train rows (G5).

        Trains it on random parts of the rows and foretells the score with twice as many, with an
        interval, or says why it cannot. The curve is kept in the store, and `diagnose` tells it.

        Args:
            data: what `load` returned, where the study's rows came from memory; None reads them
                again from their file.
            runs: networks of each size, 3 to 100, each with rows and a seed of its own; None for 8.
            observer: hears of the progress.

        Raises:
            UsageError: when the rows are not to be had or not the study's, or `runs` is out of
                its range.
            KeyboardInterrupt: when a person stopped it.
        """
        from ._learning_curve import learning_curve  # which needs a finished study itself
        from ._reopened import reopen

        call = 'open_study("{}").learning_curve(load(...))'
        return learning_curve(self, reopen(self, self._where, data, call), runs, observer)

    def to_optuna(self, storage: Any, name: str | None = None) -> optuna.Study:
        """Write the study to one of Optuna's storages, as a new study there, and return that.

        Trials keep their order, states, scores and dev curves (as intermediate values), and the
        real values of what was searched; `docs/search.md` says what becomes of the scales.

        Args:
            storage: URL such as `sqlite:///FILE`, or an Optuna storage.
            name: of the new study; None takes this one's.

        Raises:
            UsageError: when Optuna is not installed, cannot write there, or has such a study.
        """
        from ._optuna_export import export_optuna

        space = space_from_plain(self._record.config["space"])  # type: ignore[arg-type]
        label = METRICS[self.result.metric].label
        rows = str(self._record.config["fingerprint"])
        return export_optuna(
            name or self._record.name, self.trials(curves=True), space, label, storage, rows
        )

    def improve(
        self,
        apply: str | None = None,
        budget: str | float | None = None,
        replicates: int | None = None,
        *,
        save: bool = True,
        data: Data | None = None,
        observer: Observer | None = None,
    ) -> Improvement:
        """Measure remedies beside the best network, and save the best of them as a new study.

        Each remedy of the recipe is trained beside the unchanged network with the same seeds,
        several times over; the best one whose gain is beyond doubt is the next to be improved, as
        long as it pays. This study stays as it is.

        Args:
            apply: code of a finding whose remedies are tried; None tries the whole recipe.
            budget: wall time such as `60s` or `5m`, or seconds; None takes a minute, or as long as
                the study took if that is more.
            replicates: networks of each remedy, at most, from 4; by default 8.
            save: whether the best configuration is trained as a new study, named after this one.
            data: what `load` returned, where the study's rows came from memory.
            observer: hears what happens.

        Raises:
            UsageError: when the rows are not to be had, the study has no such finding, or the
                budget has no room for one remedy.
            StudyError: when the best network cannot be trained again.
        """
        from ._improve import improve_study  # which needs a finished study itself
        from ._improve_subject import wanted

        asked = wanted(apply, budget, replicates, save)
        return improve_study(self, self._where, asked, data, observer)

    def report_text(self, *, search: bool = True) -> str:
        """Return what was done, found and assumed, as text.

        Args:
            search: whether what the trials say about the search is worked out and told.
        """
        from ._searched import told_search  # which needs a finished study itself

        result = self.result
        sections = [told] if search and (told := told_search(self, self._where)) else []
        trials, probes = self.trials(), self.probe_records(result.best_trial)
        return text_report(result, trials, probes, sections, self.notes("propose"))

    def write_report(self, path: str | Path | None = None, *, search: bool = False) -> Path:
        """Write the report as text, by default beside the model, and return where it lies.

        Args:
            path: of the file; None for the study's own folder.
            search: as for `report_text`; the report that a fit leaves does without.

        Raises:
            UsageError: when the file cannot be written.
        """
        file = Path(path) if path else self._folder / self._record.name / "report.txt"
        write_atomic(file, self.report_text(search=search).encode())
        return file

    def report_is_missing(self) -> bool:
        """Return whether a kill came between the result and the report."""
        return not (self._folder / self._record.name / "report.txt").exists()


def open_study(name: str, store: str | Path | None = None) -> FinishedStudy:
    """Return a study that has run, by name.

    Args:
        name: of the study.
        store: folder or URL; None means `./deepwell`.

    Raises:
        UsageError: when there is no such store or study, or the study has no result.
    """
    return FinishedStudy(name, store)
