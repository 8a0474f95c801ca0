"""Would more data help? The best network trained on parts of its rows, in one population (G5).

Each run has a random order of the train rows of its own, of which a part of r rows is the first r,
and a seed of its own: so the variation between runs counts both the choice of rows and chance.
All networks take as many update steps as the best one did, whatever their rows, and keep their
best epoch, as it did: with as many epochs instead, few rows would mean few steps, and the curve
would credit to rows what longer training brings.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwell._base._constraints import IntegerInterval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.data._folds import make_folds
from deepwell.data._pool import Pool
from deepwell.data._subsets import subset_order
from deepwell.diagnosis._curve_means import CurveScores
from deepwell.diagnosis._curves import worth
from deepwell.diagnosis._learning_curve import (
    LEAST_RUNS,
    LEAST_SIZES,
    Extrapolation,
    extrapolate,
)
from deepwell.diagnosis._metrics import METRICS, Metric
from deepwell.diagnosis.metrics._tally import by_unit
from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.networks._forward import predictions
from deepwell.records import (
    CurvePoint,
    LearningCurve,
    Progress,
    StudyResult,
    Trial,
    TrialSpec,
    from_plain,
    to_plain,
)
from deepwell.training._state import best_parameters

from ._arrays import shape_of, training_rows
from ._cross_validate import architecture_for, normalized
from ._evaluate import targets
from ._interrupt import interruptible
from ._observer import Observer
from ._reopened import Reopened

if TYPE_CHECKING:
    from ._finished import FinishedStudy

EVENT = "learning curve"
RUNS = 8
_RUNS = IntegerInterval(LEAST_RUNS, 100)
_STEPS = 9  # sizes, each the half of the one before the one before
_LEAST_ROWS = 10
_LEAST_OF_CLASS = 3  # rows, on average over the classes
_GROUPS = 500  # of dev rows, each left out once
_GROUP_SPLIT = "group"
_SHARE_OF_SCORE = 0.1


def learning_curve(
    study: FinishedStudy,
    reopened: Reopened,
    runs: int | None = None,
    observer: Observer | None = None,
) -> LearningCurve:
    """Return the learning curve of a study's best network, and keep it in the study's store.

    Args:
        study: that has a result.
        reopened: the same with its rows.
        runs: networks of each size, 3 to 100; None for 8.
        observer: hears of the progress.

    Raises:
        UsageError: when `runs` is out of its range.
        KeyboardInterrupt: when a person stopped it.
    """
    wanted = RUNS if runs is None else runs
    if not _RUNS.accepts(wanted):
        raise UsageError(f"`runs` must be {_RUNS.describe()}, got {safe_text(repr(runs))}")
    began = time.perf_counter()
    found = _learning_curve(study, reopened, wanted, observer or Observer())
    found = replace(found, seconds=time.perf_counter() - began)
    study.note(EVENT, to_plain(found))
    return found


def recorded_curve(study: FinishedStudy) -> LearningCurve | None:
    """Return the learning curve that was measured last; None where there is none."""
    told = study.notes(EVENT)
    return from_plain(LearningCurve, told[-1]) if told else None


def _learning_curve(
    study: FinishedStudy, reopened: Reopened, runs: int, observer: Observer
) -> LearningCurve:
    result, data = reopened.result, reopened.data
    best = next(t for t in study.trials() if t.number == result.best_trial)
    views = _views(data, reopened.settings.folds)
    orders = [_orders(view, runs_of_view(runs, len(views))) for view in views]
    found = LearningCurve(
        metric=result.metric,
        points=(),
        trial=best.number,
        epochs=best.epochs,
        dev_rows=sum(len(view.dev) for view in views),
    )
    if isinstance(refused := _sizes_or_refusal(result, data, orders), str):
        return replace(found, refusal=refused)
    measured: list[_Measured] = []
    with interruptible() as interrupt:
        for place, (view, order) in enumerate(zip(views, orders, strict=True)):
            work = _Work(reopened, best, view, order, refused, place, len(views))
            measured.append(_train(work, observer, lambda: interrupt.asked))
    scores = np.concatenate([one.scores for one in measured])
    metric = METRICS[result.metric]
    bounded = _bounded(scores, result)
    fold, by_group = _folds_and_groups(measured, bounded.mean(axis=0))
    found = replace(found, worth=_worth(result, float(bounded[:, -1].mean())))
    curve = CurveScores(
        sizes=np.array(refused),
        scores=bounded,
        by_group=by_group,
        worth=found.worth,
        least_variance=2 / found.dev_rows**2 if metric.bounded else 0.0,
        fold=fold,
    )
    return _told(found, curve, extrapolate(curve, reopened.settings.seed))


def _folds_and_groups(
    measured: Sequence[_Measured], means: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the fold of each run, and the means without each group of dev rows, a fold's own.

    With one run a fold, or a fold without a finite score, runs count as having dev rows each of
    their own, whose luck they count already.
    """
    folds, (runs, sizes) = len(measured), measured[0].scores.shape
    if folds == 1:
        return None, measured[0].by_group
    if runs == 1 or not all(len(one.by_group) for one in measured):
        return None, np.zeros((0, sizes))
    moved = [(one.by_group - one.by_group.mean(axis=0)) / folds for one in measured]
    return np.repeat(np.arange(folds), runs), means + np.concatenate(moved)


def runs_of_view(runs: int, views: int) -> int:
    """Return the runs that each fold has, so that all have about as many as were asked for."""
    return -(-runs // views)


def _told(found: LearningCurve, curve: CurveScores, said: Extrapolation) -> LearningCurve:
    points = tuple(
        CurvePoint(int(rows), score, len(curve.scores))
        for rows, score in zip(curve.sizes, said.points, strict=True)
    )
    return replace(
        found,
        points=points,
        twice=said.twice,
        gain=said.gain,
        refusal=said.refusal,
        families=dict(said.families or {}),
        held_out=said.held_out,
        p_monotone=said.p_monotone,
        p_fit=said.p_fit,
    )


def _worth(result: StudyResult, score: float) -> float:
    """Return the gain that more rows are worth having for: 1 point, or a tenth of the score."""
    constant = max((b.estimate.value for b in result.baselines), default=float("inf"))
    return min(worth(result.metric, constant), _SHARE_OF_SCORE * abs(score))


def _bounded(scores: np.ndarray, result: StudyResult) -> np.ndarray:
    """Return the scores, a network without a finite one as bad as the worst that has one."""
    finite = scores[np.isfinite(scores)]
    constant = [b.estimate.value for b in result.baselines if np.isfinite(b.estimate.value)]
    worst = max([*finite.tolist(), *constant], default=1.0)
    return np.where(np.isfinite(scores), scores, worst)


def _views(data: Data, folds: int) -> list[Data]:
    if not folds:
        return [data]
    made = make_folds(data, folds)
    return [made.data(fold) for fold in range(folds)]


def _orders(data: Data, runs: int) -> list[np.ndarray]:
    """Return the train rows in the order of each run."""
    y = data.train.y
    strata = y if data.task.kind == "classification" else np.zeros(len(y), np.int64)
    together = _groups(data)
    return [subset_order(n, strata, data.train.weight, together) for n in range(1, runs + 1)]


def _groups(data: Data) -> np.ndarray | None:
    """Return which train rows come together, where the rows are split by groups."""
    if data.facts.split != _GROUP_SPLIT or not isinstance(data.pool, Pool):
        return None
    together = data.pool.together[data.pool.train]
    return together if len(together) == len(data.train) else None


def _sizes_or_refusal(
    result: StudyResult, data: Data, orders: Sequence[Sequence[np.ndarray]]
) -> list[int] | str:
    """Return the sizes, rising, or why there is no curve, as the end of a sentence."""
    if len(data.train) < result.data.sizes[0] and not result.folds:
        return "the train rows do not fit in memory"
    if data.facts.split == _GROUP_SPLIT and _groups(data) is None:
        return "rows come in groups, and which row is of which was not kept"
    rows = min(len(order) for orders_of_view in orders for order in orders_of_view)
    least = max(_LEAST_ROWS, _LEAST_OF_CLASS * len(data.task.classes))
    sizes = sorted({round(rows * 2 ** (-step / 2)) for step in range(_STEPS)})
    sizes = [size for size in sizes if size >= least]
    if sum(size <= rows / 2 for size in sizes) < LEAST_SIZES - 1:
        return f"{rows:,} train rows are too few, {6 * least:,} would do"
    return sizes


@dataclass(frozen=True, eq=False)
class _Work:
    """What is trained on the rows of one split: its `place` among `places`."""

    reopened: Reopened
    best: Trial
    data: Data
    orders: Sequence[np.ndarray]
    sizes: Sequence[int]
    place: int
    places: int

    def specs(self) -> dict[int, TrialSpec]:
        """Return a network for each run and size, run by run."""
        spec = self.best.spec
        values: dict[str, Any] = {
            **spec.hyperparameters,
            "patience": 0,
            "epochs": self.best.epochs,
        }
        runs = range(1, len(self.orders) + 1)
        each = [
            TrialSpec(
                *(values, spec.seed + run, spec.order_seed, spec.dtype), rows=size, subset=run
            )
            for run in runs
            for size in self.sizes
        ]
        return dict(enumerate(each))

    def part(self, spec: TrialSpec) -> np.ndarray:
        """Return the numbers of the rows that a network trains on."""
        return self.orders[spec.subset - 1][: spec.rows]


@dataclass(frozen=True, eq=False)
class _Measured:
    """(R, S) scores, and (G, S) their means without each group of dev rows."""

    scores: np.ndarray
    by_group: np.ndarray


def _train(work: _Work, observer: Observer, stop: Callable[[], bool]) -> _Measured:
    """Train all networks of one split and score them on its dev rows."""
    specs, metric = work.specs(), work.reopened.metric
    parts = {(spec.rows, spec.subset): work.part(spec) for spec in specs.values()}
    rows = replace(training_rows(replace(work.data, memory=None)), parts=parts)
    shape = replace(shape_of(work.data, metric.name), views=len(parts))
    backend = choose_backend(work.reopened.result.program, [str(work.best.spec["optimizer"])])
    with contextlib.closing(LocalEngine(rows, shape, backend, work.data.memory)) as engine:
        engine.prepare(specs, engine.plan(specs, work.best.epochs))
        for progress in _progress(engine, specs, work, stop):
            observer.on_progress(progress)
        if stop():
            raise KeyboardInterrupt("stopped by the user before there was a learning curve")
        return _scored(engine, specs, work, metric)


def _progress(
    engine: LocalEngine, specs: Mapping[int, TrialSpec], work: _Work, stop: Callable[[], bool]
) -> Iterator[Progress]:
    began, done = time.perf_counter(), 0
    total = len(specs) * work.best.epochs
    for record in engine.train(list(specs), work.best.epochs, stop):
        done += len(record.trials)
        share = (work.place + done / total) / work.places
        spent = time.perf_counter() - began
        yield Progress(
            phase="training",
            rung=work.place + 1,
            rungs=work.places,
            alive=len(specs),
            networks=len(specs),
            share=share,
            best=None,
            seconds_left=spent * (total / done - 1 + (work.places - work.place - 1) * total / done),
        )


def _scored(
    engine: LocalEngine, specs: Mapping[int, TrialSpec], work: _Work, metric: Metric
) -> _Measured:
    data = work.data
    y, weight = targets(data, data.dev), np.asarray(data.dev.weight, np.float64)
    tally = by_unit(weight, data.dev.group, _GROUPS)
    groups = tally.groups
    shape = len(work.orders), len(work.sizes)
    scores, without = np.full(shape, np.nan), np.full((*shape, groups), np.nan)
    for number, state in engine.states(list(specs)).items():
        if not np.isfinite(state["best_score"]):
            continue
        spec = specs[number]
        spec = spec.during(int(state["best_epoch"]))
        said = _predicted(best_parameters(state), spec, work)
        place = np.unravel_index(number, shape)
        scores[place] = metric.loss(y, said, weight)
        with np.errstate(over="ignore", invalid="ignore"):
            sums = metric.sums(y, said, tally)
            without[place] = metric.combine(sums.sum(axis=0) - sums)
    with np.errstate(invalid="ignore"):
        defined = np.asarray(np.isfinite(without).all(axis=2))
        mean = [
            without[defined[:, s], s].mean(axis=0) for s in range(shape[1]) if defined[:, s].any()
        ]
    by_group = np.stack(mean, axis=1) if len(mean) == shape[1] else np.zeros((0, shape[1]))
    return _Measured(scores, by_group)


def _predicted(parameters: Mapping[str, np.ndarray], spec: TrialSpec, work: _Work) -> np.ndarray:
    """Return what a network says of the dev rows."""
    data, part = work.data, work.part(spec)
    kept = normalized(parameters, spec, replace(data, train=data.train.part(part)))
    raw = predictions(architecture_for(spec, data, data.dev.x.shape[1]), kept, data.dev.x)
    return raw if data.task.kind == "classification" else data.target_encoder.original(raw)
