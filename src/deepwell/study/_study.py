"""A study: all work on one data set. Knows everything, and only wires it together."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deepwell._base._constraints import IntegerInterval
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import validate
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.data._folds import make_folds
from deepwell.data._memory_budget import default_memory
from deepwell.diagnosis._metrics import METRICS, default_metric
from deepwell.execution._backend import Backend
from deepwell.execution._backends import check_program, choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.records import (
    Improvement,
    LearningCurve,
    Opening,
    PlanFacts,
    Probe,
    RateRange,
    StudyResult,
    Trial,
)
from deepwell.report._diagnosis import Diagnosis
from deepwell.search.spaces._default import default_space
from deepwell.search.spaces._distribution import plain
from deepwell.search.spaces._space import Space, with_fixed
from deepwell.storage._names import valid_name
from deepwell.storage._open import locate

from ._arrays import engine_of
from ._asked import Asked
from ._budget import parse_budget
from ._calibrate import Calibrated
from ._course import Job, Past, carry_out
from ._ensemble import Ensemble
from ._evaluate import check_defined
from ._finished import FinishedStudy, open_study
from ._image_space import augments, check_images, convolves
from ._model import Model
from ._observer import Observer
from ._probe_choice import BEST, check_numbers, checked_choice, checked_every
from ._range_test import RangeOptions, range_test, typical
from ._recording import recorded
from ._refit import Refit
from ._rounds import first_round, plan_facts
from ._settings import Settings, check_changes_come, check_networks, optimizers_of
from ._which import BEST as BEST_MODEL

_TRIALS = IntegerInterval(1, 1_000_000)


class Study:
    """All work on one data set: proposes, trains, records, decides, diagnoses.

    >>> import deepwell as dw                                           # doctest: +SKIP
    >>> study = dw.Study(dw.load("churn.csv", target="churned"))        # doctest: +SKIP
    >>> study.run(budget="60s").dev                                     # doctest: +SKIP
    Estimate(value=0.186, low=0.167, high=0.207)

    Args:
        data: what `load` returned; holds no test row.
        space: hyperparameter -> distribution, list or value; None chooses by the data's size.
        search: how configurations are proposed: `random`.
        scheduler: which networks train on at a rung: `halving` or `none`.
        name: of the study; None takes the data's name. A taken name becomes `name-2`.
        store: folder or `sqlite:///FILE`; None means `./deepwell`.
        seed: of proposals, weights, masks and batch order, at least 0.
        metric: what is selected by and reported; None means error rate or RMSE.
        best_possible: best score anything could reach, when it is known (0.02 for 2 %).
        folds: cut train and dev rows into so many folds and compare configurations by their mean
            over them (2 to 100); `trials` are then configurations. None takes the dev rows.
        fixed: hyperparameters held at one value.
        probe: which networks are looked into while they train, for `probes`: `best` (at a cost of
            about 1 %), `all`, `none`, or numbers of trials beside the best one.
        probe_every: epochs from probe to probe; None for after 1, 2, 4, 8, ... epochs.
        program: what trains: `native`, `jax`, or None for the fastest one of this machine.
        observer: hears what happens.

    Raises:
        UsageError: when a choice is unknown, a value is out of its range, the name or the store
            is impossible, or the dev rows do not define the metric.
    """

    def __init__(
        self,
        data: Data,
        space: Mapping[str, object] | None = None,
        *,
        search: str = "random",
        scheduler: str = "halving",
        name: str | None = None,
        store: str | Path | None = None,
        seed: int = 0,
        metric: str | None = None,
        best_possible: float | None = None,
        folds: int | None = None,
        fixed: Mapping[str, object] | None = None,
        probe: str | int | Sequence[int] = BEST,
        probe_every: int | None = None,
        program: str | None = None,
        observer: Observer | None = None,
    ) -> None:
        if not isinstance(data, Data):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(
                f"a study needs data that `load` returned, got {type(data).__name__}; "
                "write Study(load(table, target=...))"
            )
        self.data = data
        self.metric = METRICS[metric] if metric else default_metric(data.task.kind)
        if self.metric.task != data.task.kind:
            known = [m.name for m in METRICS.values() if m.task == data.task.kind]
            raise UsageError(
                f"the metric {self.metric.name} is for {self.metric.task}, but the task is "
                f"{data.task.kind}; choose one of {', '.join(known)}, or load the data with "
                f"task={self.metric.task}"
            )
        self.settings = Settings(
            space=_space(data, space, fixed or {}),
            search=search,
            scheduler=scheduler,
            seed=seed,
            metric=self.metric.name,
            best_possible=best_possible,
            folds=0 if folds is None else folds,
            probe=checked_choice(probe),
            probe_every=checked_every(probe_every),
        )
        check_images(self.settings.space, data.image)
        self._folds = make_folds(data, self.settings.folds) if self.settings.folds else None
        for part in range(self.settings.folds or 1):
            check_defined(data if self._folds is None else self._folds.data(part), self.metric)
        check_program(program)
        check_networks(self.settings.space, program)
        self._wanted_name = data.facts.name if name is None else valid_name(str(name))
        locate(store)  # refuses what can be no store before the work, in a dry run too
        self._store = store
        self._program = program
        self._memory = data.memory or default_memory()
        self._observer = observer or Observer()
        self._finished: FinishedStudy | None = None

    def plan(
        self,
        trials: int | None = None,
        epochs: int | None = None,
        budget: str | float | None = None,
    ) -> PlanFacts:
        """Return what `run` with the same arguments would train first; writes nothing."""
        asked, engine = self._asked(trials, epochs, budget), self._engine()
        return plan_facts(asked, engine, first_round(asked, engine), self.data)

    def run(
        self,
        trials: int | None = None,
        epochs: int | None = None,
        budget: str | float | None = None,
    ) -> StudyResult:
        """Train, and return the outcome; Ctrl-C stops between chunks and keeps the best.

        Whatever ends it early, a kill included: `deepwell.resume` goes on with the study.

        Args:
            trials: networks to train; None fills the budget, or about a minute without one.
            epochs: epochs of a full trial; None means the space's.
            budget: wall time such as `60s` or `5m`, or seconds; None means no limit.

        Raises:
            UsageError: when an argument is out of its range.
            StudyError: when no network reached a finite dev score, or the store failed.
            KeyboardInterrupt: when a person stopped before any network was scored.
        """
        asked = self._asked(trials, epochs, budget)
        data = self.data if self._folds is None else self._folds.whole
        with contextlib.closing(self._engine()) as engine:
            self._observer.on_data(data.facts)  # what cannot be trained was refused before
            asked = replace(asked, program=engine.name)
            with recorded(data, asked, self._wanted_name, self._store) as history:
                job = Job(data, asked, engine, self._observer, self._folds)
                name = carry_out(job, history, Past()).name
        self._finished = open_study(name, self._store)
        self._finished.write_report()
        result = self._finished.result
        self._observer.on_result(result)
        return result

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

    def rate_range(
        self,
        low: float = 1e-5,
        high: float = 10.0,
        *,
        rates: int = 25,
        runs: int = 4,
        epochs: int | None = None,
    ) -> RateRange:
        """Return what short trainings at many learning rates show, before any run (G7).

        The network is the one in the middle of the study's space, its rate apart; every rate has
        the same weights and batches, run by run. Nothing is recorded.

        >>> study.rate_range().recommended                              # doctest: +SKIP
        Estimate(value=0.0042, low=0.0031, high=0.0056)

        Args:
            low: the lowest rate, above 0.
            high: the highest.
            rates: how many, 5 to 1,000, evenly spaced in their logarithms.
            runs: seeds of each rate, 1 to 100.
            epochs: that each is trained; None for an eighth of the network's, 3 to 10.

        Raises:
            UsageError: when an argument is out of its range.
            KeyboardInterrupt: when a person stopped it.
        """
        options = RangeOptions(low, high, rates, runs, epochs)
        data = self.data if self._folds is None else self._folds.data(0)
        engine = engine_of(data, None, self.metric.name, self._backend(), self._memory)
        values = typical(self.settings.space)
        return range_test(engine, values, options, self.settings.seed, self._observer)

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

    def open_test(self, which: str = BEST_MODEL) -> tuple[Opening, ...]:
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

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report as text, by default beside the model, and return where it lies."""
        return self._ended().write_report(path, search=True)

    def _ended(self) -> FinishedStudy:
        if self._finished is None:
            raise UsageError("the study has not been run yet; call run() first")
        return self._finished

    def _engine(self) -> LocalEngine:
        return engine_of(self.data, self._folds, self.metric.name, self._backend(), self._memory)

    def _backend(self) -> Backend:
        space = self.settings.space
        wanted = self._program or ("jax" if convolves(space) or augments(space) else None)
        return choose_backend(wanted, optimizers_of(space))

    def _asked(self, trials: int | None, epochs: int | None, budget: str | float | None) -> Asked:
        """Return what a run with these arguments is asked to do, its program still unnamed."""
        limit, settings = parse_budget(budget), self.settings
        if epochs is not None:
            settings = replace(settings, space=with_fixed(settings.space, {"epochs": epochs}))
        check_changes_come(settings.space)
        count = _checked(trials)
        if count is not None:
            check_numbers(settings.probe, count * (settings.folds or 1))
        return Asked(settings, "", count, limit, self._memory)


def _checked(trials: int | None) -> int | None:
    number = plain(trials)
    if number is None or (isinstance(number, int) and _TRIALS.accepts(number)):
        return number
    raise UsageError(f"`trials` must be {_TRIALS.describe()}, got {safe_text(repr(trials))}")


def _space(data: Data, space: Mapping[str, object] | None, fixed: Mapping[str, object]) -> Space:
    """Return the space that was given, or the default for the data, with what is held fixed."""
    if space is not None:
        if not isinstance(space, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(
                "a space must be a mapping such as {'learning_rate': log(1e-4, 1)}, "
                f"got {type(space).__name__}"
            )
        chosen = space if isinstance(space, Space) else Space(space)
        return with_fixed(chosen, fixed)
    optimizer = str(validate("optimizer", fixed.get("optimizer", "adam")))
    rows, inputs = data.train.x.shape
    default = default_space(
        *(rows, inputs, data.task.outputs, data.task.kind, optimizer),
        image=bool(data.image),
    )
    return with_fixed(default, fixed)
