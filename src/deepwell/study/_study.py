"""A study: all work on one data set. Knows everything, and only wires it together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deepwell._base._constraints import IntegerInterval
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import validate
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.data._memory_budget import default_memory, parse_memory
from deepwell.diagnosis._metrics import METRICS, default_metric
from deepwell.execution._backends import check_program, choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.execution._planner import Plan
from deepwell.execution._speed import remembered_rate
from deepwell.records import (
    Finding,
    Opening,
    PlanFacts,
    Progress,
    Rung,
    StudyResult,
    Trial,
    TrialSpec,
)
from deepwell.search.schedulers._registry import SCHEDULERS
from deepwell.search.spaces._default import default_space
from deepwell.search.spaces._distribution import plain
from deepwell.search.spaces._space import Space, with_fixed
from deepwell.storage._names import valid_name
from deepwell.storage._open import locate

from ._arrays import score_scale, shape_of, training_rows
from ._baselines import PendingBaselines, SimpleModel, fit_baselines
from ._bracket import Bracket, Watch, train_bracket
from ._budget import Clock, parse_budget
from ._conclude import BY_CLOCK, Run, conclude
from ._evaluate import check_defined
from ._finished import FinishedStudy, open_study
from ._history import History
from ._interrupt import BY_USER, interruptible
from ._model import Model
from ._observer import Observer
from ._proposals import propose
from ._recording import recorded
from ._settings import Settings
from ._work import (
    USUAL_TRIALS,
    default_trials,
    epochs_a_network,
    expected_seconds,
    round_size,
    seconds_a_network,
)

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
        fixed: hyperparameters held at one value.
        program: what trains: `native`, `jax`, or None for the fastest one of this machine.
        memory: budget for data, networks in training and workspaces, such as `4GB`, or bytes; None
            takes the data's, or three quarters of what is free.
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
        fixed: Mapping[str, object] | None = None,
        program: str | None = None,
        memory: str | int | None = None,
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
                f"{data.task.kind}; choose one of {', '.join(known)}"
            )
        self.settings = Settings(
            space=_space(data, space, fixed or {}),
            search=search,
            scheduler=scheduler,
            seed=seed,
            metric=self.metric.name,
            best_possible=best_possible,
        )
        check_defined(data, self.metric)
        check_program(program)
        self._wanted_name = data.facts.name if name is None else valid_name(str(name))
        locate(store)  # refuses what can be no store before the work, in a dry run too
        self._store = store
        self._program = program
        self._memory = parse_memory(memory) or data.memory or default_memory()
        self._observer = observer or Observer()
        self._finished: FinishedStudy | None = None

    def plan(
        self,
        trials: int | None = None,
        epochs: int | None = None,
        budget: str | float | None = None,
    ) -> PlanFacts:
        """Return what `run` with the same arguments would train first; writes nothing."""
        trials = _checked(trials)
        settings = self._settled(epochs)
        engine = self._engine()
        bracket, planned = self._first_bracket(settings, engine, trials, parse_budget(budget))
        return self._facts(settings, engine, bracket, planned)

    def run(
        self,
        trials: int | None = None,
        epochs: int | None = None,
        budget: str | float | None = None,
    ) -> StudyResult:
        """Train, and return the outcome; Ctrl-C stops between chunks and keeps the best.

        Args:
            trials: networks to train; None fills the budget, or about a minute without one.
            epochs: epochs of a full trial; None means the space's.
            budget: wall time such as `60s` or `5m`, or seconds; None means no limit.

        Raises:
            UsageError: when an argument is out of its range.
            StudyError: when no network reached a finite dev score, or the store failed.
            KeyboardInterrupt: when a person stopped before any network was scored.
        """
        limit = parse_budget(budget)
        trials = _checked(trials)
        settings, clock = self._settled(epochs), Clock(limit)
        self._observer.on_data(self.data.facts)
        engine = self._engine()
        try:
            with recorded(self.data, settings, self._wanted_name, self._store) as history:
                bracket, planned = self._first_bracket(settings, engine, trials, limit)
                engine.prepare(bracket.specs, planned)
                baselines = PendingBaselines(
                    lambda: fit_baselines(self.data, self.metric, settings.seed),
                    self._tell_baselines,
                )
                facts = self._facts(settings, engine, bracket, planned)
                self._observer.on_plan(facts)
                with interruptible() as interrupt:
                    watch = Watch(
                        progress=lambda progress: self._tell(progress, baselines),
                        stop=lambda: interrupt.asked or clock.over(),
                        clock=clock,
                        percent=self.metric.percent,
                        scale=score_scale(self.data, self.metric.name),
                        expected_seconds=facts.seconds or 0.0,
                    )
                    self._train(settings, engine, history, bracket, watch, trials)
                    stopped = BY_USER if interrupt.asked else ""
                    if not stopped and trials is not None and history.interrupted():
                        stopped = BY_CLOCK
                    simple = baselines.wait()
                    run = Run(self.data, settings, self.metric, facts, history, engine, simple)
                    result = conclude(run, clock.seconds(), stopped)
        finally:
            engine.close()
        self._finished = open_study(result.name, self._store)
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

    def diagnose(self) -> tuple[Finding, ...]:
        """Return what the dev rows say about the error that is left."""
        return self._ended().result.findings

    def open_test(self) -> tuple[Opening, ...]:
        """Open the sealed test set, score the best network, and return all openings so far."""
        return self._ended().open_test()

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report as text, by default beside the model, and return where it lies."""
        return self._ended().write_report(path)

    def _ended(self) -> FinishedStudy:
        if self._finished is None:
            raise UsageError("the study has not been run yet; call run() first")
        return self._finished

    def _tell(self, progress: Progress, baselines: PendingBaselines) -> None:
        baselines.tell_if_ready()
        self._observer.on_progress(progress)

    def _tell_baselines(self, fitted: tuple[SimpleModel, ...]) -> None:
        shown = tuple(simple.shown for simple in fitted)
        self._observer.on_baselines(shown, self.metric.label, self.metric.percent)

    def _engine(self) -> LocalEngine:
        shape = shape_of(self.data, self.metric.name)
        backend = choose_backend(self._program)
        return LocalEngine(training_rows(self.data), shape, backend, self._memory)

    def _settled(self, epochs: int | None) -> Settings:
        if epochs is None:
            return self.settings
        return replace(self.settings, space=with_fixed(self.settings.space, {"epochs": epochs}))

    def _first_bracket(
        self, settings: Settings, engine: LocalEngine, trials: int | None, limit: float | None
    ) -> tuple[Bracket, Plan]:
        count = trials
        if count is None:
            probe = propose(settings, [], USUAL_TRIALS[0], population=0)
            epochs = epochs_a_network(self._rungs(settings, probe))
            seconds = seconds_a_network(probe, engine.shape, epochs, engine.machine)
            count = default_trials(seconds)
            if limit is not None:
                count = max(1, min(count, round_size(limit, seconds)))
        return self._bracket(settings, engine, [], count, population=0)

    def _bracket(
        self,
        settings: Settings,
        engine: LocalEngine,
        past: Sequence[Trial],
        count: int,
        population: int,
    ) -> tuple[Bracket, Plan]:
        specs = propose(settings, past, count, population)
        rungs = self._rungs(settings, specs)
        planned = engine.plan(specs, epochs_a_network(rungs))
        return Bracket(population, specs, rungs), planned

    def _rungs(self, settings: Settings, specs: Mapping[int, TrialSpec]) -> tuple[Rung, ...]:
        longest = max(spec.whole("epochs") for spec in specs.values())
        return SCHEDULERS[settings.scheduler].rungs(len(specs), longest)

    def _train(
        self,
        settings: Settings,
        engine: LocalEngine,
        history: History,
        bracket: Bracket,
        watch: Watch,
        trials: int | None,
    ) -> None:
        """Train the first bracket, and further ones while a time budget without trials lasts."""
        scheduler = SCHEDULERS[settings.scheduler]
        history.propose(bracket)
        train_bracket(bracket, engine, history, scheduler, watch)
        while trials is None and watch.clock.budget is not None and not watch.stop():
            past = history.trials()
            count = round_size(watch.clock.left(), watch.clock.seconds() / len(past))
            if count == 0:
                return
            bracket, planned = self._bracket(settings, engine, past, count, bracket.population + 1)
            engine.prepare(bracket.specs, planned)
            history.propose(bracket)
            train_bracket(bracket, engine, history, scheduler, watch)

    def _facts(
        self, settings: Settings, engine: LocalEngine, bracket: Bracket, planned: Plan
    ) -> PlanFacts:
        epochs = epochs_a_network(bracket.rungs)
        rate = remembered_rate(engine.name)
        return PlanFacts(
            networks=len(bracket.specs),
            rungs=bracket.rungs,
            program=engine.name,
            programs=len(planned.buckets),
            cores=engine.cores,
            seconds=expected_seconds(planned, epochs, engine.machine, rate),
            space=settings.space.describe(),
            memory_bytes=self._memory,
        )


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
    default = default_space(rows, inputs, data.task.outputs, data.task.kind, optimizer)
    return with_fixed(default, fixed)
