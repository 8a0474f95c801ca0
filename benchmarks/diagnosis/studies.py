"""Deepwell diagnoses a study case: load, fit, diagnose."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import deepwell as dw
from deepwell._base._hyperparameters import complete
from deepwell.data._data import Data
from deepwell.diagnosis._metrics import METRICS
from deepwell.storage._open import open_store
from deepwell.study._baselines import fit_baselines

from .case import Case
from .diagnosed import Diagnosed, Measured, Said, refused, said_of
from .training import METRIC, configurations, deployed_score, loaded


def diagnosed(case: Case, seed: int, deep: bool = False) -> Diagnosed:
    """Return what Deepwell says about a case, as a user gets it.

    Args:
        case: as the user sets it up.
        seed: of the study.
        deep: whether the finished study is diagnosed beyond what its fit says, which takes several
            times as long as the fit of so small a network.
    """
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="deepwell-b7-") as folder:
        try:
            data = loaded(case)
            study = _asked(case, data, seed, Path(folder))
        except dw.UsageError as error:
            said, took = refused(str(error)), time.perf_counter() - began
            return Diagnosed((said,), _untrained(case, seed), took)
        try:
            result = study.run(trials=case.trials)
        except dw.StudyError as error:
            said, took = _diverged(error), time.perf_counter() - began
            return Diagnosed((said,), _without_score(case, data, seed, Path(folder)), took)
        ended = time.perf_counter()
        beyond = tuple(study.diagnose()) if deep else ()
        deeper = time.perf_counter() - ended
        best = next(t for t in study.history() if t.number == result.best_trial)
        measured = _measured(case, data, best, study.probe_records(result.best_trial), result)
        predict = study.best.predict_proba if data.task.classes else study.best.predict
        world, like_train = deployed_score(case, data, predict), math.nan
        if case.like_train is not None:
            nearer = case.with_rows(deployed=case.like_train)
            like_train = deployed_score(nearer, data, predict)
    return Diagnosed(
        said=(*said_of(result.findings), *said_of(beyond, deep=True)),
        measured=measured,
        seconds=ended - began,
        trained=result.seconds,
        deeper=deeper if deep else math.nan,
        dev=(result.dev.value, result.dev.low, result.dev.high),
        world=world,
        like_train=like_train,
    )


def fitted(case: Case, data: Data, seed: int, folder: Path) -> tuple[dw.Study, Any]:
    """Return a study of a case that has run, and its result."""
    study = _asked(case, data, seed, folder)
    return study, study.run(trials=case.trials)


def _asked(case: Case, data: Data, seed: int, folder: Path) -> dw.Study:
    """Return the study of a case, before it runs."""
    space = {n: v for n, v in case.settings.items() if isinstance(v, list)}
    fixed = {n: v for n, v in case.settings.items() if not isinstance(v, list)}
    return dw.Study(
        data,
        {**fixed, **space},
        store=folder,
        seed=seed,
        scheduler="none",
        program="native",
        best_possible=case.best_possible,
        probe_every=max(1, int(case.number("epochs")) // 6),
    )


def _diverged(error: dw.StudyError) -> Said:
    """Return that all networks diverged, which `deepwell fit` says and asks for lower rates.

    Any other error of a study is none about the case, and is raised again.
    """
    if "finite dev score" not in str(error):
        raise error
    return Said("DW408", "problem", str(error))


def _without_score(case: Case, data: Data, seed: int, folder: Path) -> Measured:
    """Return what is known of a study none of whose networks got a score, by its first one.

    Its curves end with an epoch that is no number: that in which it diverged.
    """
    with open_store(folder) as store:
        record = store.studies()[0]
        first = store.trials(record.id, curves=True)[0]
        probes = store.probes(record.id, [first.number])
    curves = {
        name: np.append(np.asarray(first.curves.get(name, ()), np.float64), math.nan)
        for name in ("train_cost", "dev_cost", "dev_score")
    }
    return Measured(
        kind=case.kind,
        **curves,
        train_score=math.nan,
        constant=fit_baselines(data, METRICS[METRIC[case.kind]], seed)[0].shown.estimate.value,
        classes=len(data.task.classes),
        probes=probes,
        start_cost=math.nan,
        x=data.train.x,
        y=data.train.y,
        settings={**first.spec.hyperparameters, "loss": data.task.loss, "output": data.task.loss},
    )


def _untrained(case: Case, seed: int) -> Measured:
    """Return what any rule may look at where data were refused: the rows, and no epoch."""
    nothing, y = np.zeros(0), case.train.y
    return Measured(
        kind=case.kind,
        train_cost=nothing,
        dev_cost=nothing,
        dev_score=nothing,
        train_score=math.nan,
        constant=math.nan,
        classes=len(np.unique(y)) if case.kind == "classification" else 0,
        probes=(),
        start_cost=math.nan,
        x=case.train.x,
        y=y,
        settings=complete(configurations(case, seed)[0]),
    )


def _measured(case: Case, data: Data, best: Any, probes: list[Any], result: Any) -> Measured:
    spec = best.spec
    settings = {**spec.hyperparameters, "loss": data.task.loss, "output": data.task.loss}
    curves = {name: np.asarray(curve, np.float64) for name, curve in best.curves.items()}
    start = result.checks.start if result.checks else None
    return Measured(
        kind=case.kind,
        train_cost=curves["train_cost"],
        dev_cost=curves["dev_cost"],
        dev_score=curves["dev_score"],
        train_score=result.train.value,
        constant=result.baselines[0].estimate.value,
        classes=len(data.task.classes),
        probes=probes,
        start_cost=float("nan") if start is None else start.loss,
        x=data.train.x,
        y=data.train.y,
        settings=settings,
    )
