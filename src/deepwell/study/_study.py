"""A study: all work on one data set. Knows everything, and only wires it together."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import validate
from deepwell.data._data import Data
from deepwell.data._folds import make_folds
from deepwell.data._memory_budget import default_memory
from deepwell.diagnosis._metrics import METRICS, default_metric
from deepwell.execution._backend import Backend
from deepwell.execution._backends import check_program, choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.records import Observation, PlanFacts, RateRange, StudyResult
from deepwell.search.samplers._named import sampler_named
from deepwell.search.spaces._distribution import plain
from deepwell.search.spaces._space import Space, with_fixed
from deepwell.storage._names import valid_name
from deepwell.storage._open import locate

from ._arrays import engine_of
from ._asked import Asked
from ._budget import parse_budget
from ._course import Job, Past, carry_out
from ._evaluate import check_defined
from ._finished import FinishedStudy, open_study
from ._first_tried import first_tried
from ._given import settled
from ._image_space import augments, check_images, convolves
from ._live import LiveStudy
from ._more import More, checked_trials
from ._observer import Observer
from ._probe_choice import BEST, check_numbers, checked_choice, checked_every
from ._range_test import RangeOptions, range_test, typical
from ._recording import recorded
from ._resume import resume
from ._rounds import next_round, plan_facts, sizes_ahead
from ._settings import (
    SEARCH,
    Settings,
    check_changes_come,
    check_networks,
    optimizers_of,
    search_by_time,
)
from ._starting_space import starting_space
from ._study_file import StudyFile, as_file
from ._study_outcome import StudyOutcome
from ._warm import within
from ._warm_start import warm_start as read_warm_start

if TYPE_CHECKING:
    import optuna


class Study(StudyOutcome):
    """All work on one data set: proposes, trains, records, decides, diagnoses.

    >>> import deepwell as dw                                           # doctest: +SKIP
    >>> study = dw.Study(dw.load("churn.csv", target="churned"))        # doctest: +SKIP
    >>> study.run(budget="60s").dev                                     # doctest: +SKIP
    Estimate(value=0.186, low=0.167, high=0.207)

    Args:
        data: what `load` returned; holds no test row.
        space: hyperparameter -> distribution, list or value; None chooses by the data's size.
        search: how configurations are proposed: `random`, `grid`, `quasi-random`, `halton`,
            `coarse-to-fine`, `bayesian`, `tpe`, or `optuna:NAME` for a sampler of Optuna's. None
            takes `random`, and `tpe` where a budget alone says how many networks there will be,
            the native program trains them and the scheduler waits at its rungs and copies none.
        scheduler: which networks train on at a rung: `none`, `halving`, `hyperband`, `asha`,
            `median`, `patience`, `extrapolate` or `pbt`.
        name: of the study; None takes the data's name. A taken name becomes `name-2`.
        store: folder or URL; None means `./deepwell`.
        seed: of proposals, weights, masks and batch order, at least 0.
        metric: what is selected by and reported; None means error rate or RMSE.
        best_possible: best score anything could reach, when it is known (0.02 for 2 %).
        folds: cut train and dev rows into so many folds and compare configurations by their mean
            over them (2 to 100); `trials` are then configurations. None takes the dev rows.
        fixed: hyperparameters held at one value.
        constraints: what must hold between the values of a network, as in
            `["hidden_units * hidden_layers <= 256"]`, beside the space's own constraints.
        warm_start: an earlier study of the same store and metric: what it found is known to the
            sampler from the start, and its best configurations are tried first. Its name; or a
            study of Optuna's, `optuna:STORAGE#STUDY`, or observations as of `optuna_history`.
        probe: which networks are looked into while they train, for `probes`: `best` (at a cost of
            about 1 %), `all`, `none`, or numbers of trials beside the best one.
        probe_every: epochs from probe to probe; None for after 1, 2, 4, 8, ... epochs.
        checkpoints: whose last states are kept, for `FinishedStudy.network`: `best`, a number of
            the best networks, or `all`.
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
        search: str | None = None,
        scheduler: str = "halving",
        name: str | None = None,
        store: str | Path | None = None,
        seed: int = 0,
        metric: str | None = None,
        best_possible: float | None = None,
        folds: int | None = None,
        fixed: Mapping[str, object] | None = None,
        constraints: Sequence[str] = (),
        warm_start: str | optuna.Study | Sequence[Observation] | None = None,
        probe: str | int | Sequence[int] = BEST,
        probe_every: int | None = None,
        checkpoints: str | int = "best",
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
            space=starting_space(data, space, fixed or {}, constraints),
            search=SEARCH if search is None else search,
            scheduler=scheduler,
            seed=seed,
            metric=self.metric.name,
            best_possible=best_possible,
            folds=0 if folds is None else folds,
            probe=checked_choice(probe),
            probe_every=checked_every(probe_every),
            checkpoints=checkpoints,
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
        self._any_search = search is None
        self._memory = data.memory or default_memory()
        self._observer = observer or Observer()
        self._warm = None
        if warm_start is not None:
            self._warm = read_warm_start(warm_start, store, data, self.metric.name)
        self._given: list[Mapping[str, object]] = []
        self._ran = self.settings
        self._later: Settings | None = None
        self._finished: FinishedStudy | None = None
        self._begun: str | None = None

    def enqueue(self, values: Mapping[str, object]) -> None:
        """Try a configuration of your own, before those that the sampler proposes.

        It is an ordinary trial, recorded as proposed by you. After a run, the next `run` goes on
        with the same study.

        >>> study.enqueue({"learning_rate": 0.01, "hidden_units": [64, 32]})  # doctest: +SKIP

        Args:
            values: name -> value of the hyperparameters that matter to you; the others are drawn
                from the space. They may lie outside of its ranges, but must obey its constraints.

        Raises:
            UsageError: when a name is unknown, or a value or their combination is not allowed.
        """
        settings = self._later or self._ran
        whole = Space(settled(settings.space, values, settings.seed, len(self._given)))
        check_images(whole, self.data.image)
        check_networks(whole, self._program)
        self._given.append({name: validate(name, plain(value)) for name, value in values.items()})

    def narrow(
        self,
        space: Mapping[str, object] | None = None,
        *,
        constraints: Sequence[str] = (),
        search: str | None = None,
    ) -> None:
        """Change the space or the sampler of a study that has run; the next `run` goes on with it.

        The study keeps its trials, and the sampler goes by those that lie in the new space, be it
        narrower or wider. What changed is recorded.

        >>> study.narrow({"learning_rate": dw.log(1e-3, 1e-2)})        # doctest: +SKIP
        >>> study.run(trials=64)                                       # doctest: +SKIP

        Args:
            space: entries that take the place of the space's, or join them; a whole `Space` takes
                the place of all.
            constraints: what must hold from now on, beside the space's own constraints.
            search: the sampler from now on.

        Raises:
            UsageError: when the study has not been run, or the new space cannot be.
        """
        self._ended()
        more = More(space=space, constraints=constraints, search=search)
        later = more.settings(self._later or self._ran)
        check_images(later.space, self.data.image)
        check_networks(later.space, self._program)
        self._later = later

    def plan(
        self,
        trials: int | None = None,
        epochs: int | None = None,
        budget: str | float | None = None,
        *,
        until_settled: bool = False,
    ) -> PlanFacts:
        """Return what `run` with the same arguments would train first; writes nothing."""
        asked, engine = self._asked(trials, epochs, budget), self._engine()
        asked = replace(asked, until_settled=until_settled)
        sizes = sizes_ahead(asked, engine)
        first = next_round(asked, engine, [], sizes[0], population=0)
        return plan_facts(asked, engine, first, self.data, sizes)

    def as_file(
        self,
        trials: int | None = None,
        epochs: int | None = None,
        budget: str | float | None = None,
        *,
        until_settled: bool = False,
    ) -> StudyFile:
        """Return what `run` with the same arguments is asked to do, as sections of a file."""
        asked = replace(self._asked(trials, epochs, budget), program=self._program or "")
        asked = replace(asked, until_settled=until_settled)
        return as_file(asked, self.data.origin, self._wanted_name)

    def run(
        self,
        trials: int | None = None,
        epochs: int | None = None,
        budget: str | float | None = None,
        *,
        until_settled: bool = False,
    ) -> StudyResult:
        """Train, and return the outcome; Ctrl-C stops between chunks and keeps the best.

        A second run is a new study, unless `narrow` or `enqueue` asked the first one for more.
        Whatever ends it early, a kill included: `deepwell.resume` goes on with the study.

        Args:
            trials: networks to train; None fills the budget, or about a minute without one.
            epochs: epochs of a full trial; None means the space's.
            budget: wall time such as `60s` or `5m`, or seconds; None means no limit.
            until_settled: end earlier where one more round of networks is not expected to pay
                (finding DW703); it is asked between rounds, so networks then come in rounds.

        Raises:
            UsageError: when an argument is out of its range.
            StudyError: when no network reached a finite dev score, or the store failed.
            KeyboardInterrupt: when a person stopped before any network was scored.
        """
        if self._finished is not None and (self._later or self._given):
            return self._run_on(self._finished, trials, epochs, budget)
        asked = replace(self._asked(trials, epochs, budget), until_settled=until_settled)
        data = self.data if self._folds is None else self._folds.whole
        with contextlib.closing(self._engine()) as engine:
            self._observer.on_data(data.facts)  # what cannot be trained was refused before
            asked = replace(asked, program=engine.name)
            with recorded(data, asked, self._wanted_name, self._store) as history:
                self._begun = history.record.name
                job = Job(data, asked, engine, self._observer, self._folds)
                name = carry_out(job, history, Past()).name
        self._given.clear()
        self._ran = asked.settings
        self._finished = open_study(name, self._store)
        self._finished.write_report()
        result = self._finished.result
        self._observer.on_result(result)
        return result

    def _run_on(
        self,
        finished: FinishedStudy,
        trials: int | None,
        epochs: int | None,
        budget: str | float | None,
    ) -> StudyResult:
        """Go on with the study that has run, by what `narrow` and `enqueue` asked for."""
        later = self._later or self._ran
        space = later.space if epochs is None else with_fixed(later.space, {"epochs": epochs})
        self._finished = resume(
            *(finished.result.name, self.data),
            store=self._store,
            budget=budget,
            trials=trials,
            space=space,
            search=later.search,
            given=tuple(self._given),
            observer=self._observer,
        )
        self._ran, self._later = replace(later, space=space), None
        self._given.clear()
        return self._finished.result

    @property
    def started(self) -> bool:
        """Whether a run has begun, in this thread or another one: the study has its name."""
        return self._begun is not None

    @property
    def live(self) -> LiveStudy:
        """The study while `run` is at work in another thread, to be changed by hand.

        From another process, `open_live(name)` gives the same.

        Raises:
            UsageError: when no run has begun.
        """
        if self._begun is None:
            raise UsageError("the study has not begun; call run() first, in another thread")
        return LiveStudy(self._begun, self._store)

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

    def _engine(self) -> LocalEngine:
        return engine_of(self.data, self._folds, self.metric.name, self._backend(), self._memory)

    def _backend(self) -> Backend:
        spaces = [self.settings.space, *(Space(values) for values in self._given)]
        for_images = any(convolves(space) or augments(space) for space in spaces)
        optimizers = [name for space in spaces for name in optimizers_of(space)]
        return choose_backend(self._program or ("jax" if for_images else None), optimizers)

    def _asked(self, trials: int | None, epochs: int | None, budget: str | float | None) -> Asked:
        """Return what a run with these arguments is asked to do, its program still unnamed."""
        limit, settings = parse_budget(budget), self.settings
        if epochs is not None:
            settings = replace(settings, space=with_fixed(settings.space, {"epochs": epochs}))
        check_changes_come(settings.space)
        count = wanted = checked_trials(trials)
        if self._any_search and limit is not None and count is None:
            by = search_by_time(settings.scheduler, self._backend().name)
            settings = replace(settings, search=by)
        size = sampler_named(settings.search).size
        if count is None and limit is None and size is not None:
            count = size(settings.space, None)[0]  # all of them
        if count is not None:
            check_numbers(settings.probe, count * (settings.folds or 1))
        warm = None if self._warm is None else within(self._warm, settings.space)
        given = first_tried(settings, self._given, count, warm)
        return Asked(
            settings, "", count, limit, self._memory, given=given, warm=warm, points=wanted
        )
