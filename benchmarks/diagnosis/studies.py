"""Deepwell diagnoses a study case: load, fit, diagnose."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import deepwell as dw
from deepwell.data._data import Data

from .case import Case
from .diagnosed import Diagnosed, Measured, Said, refused, said_of
from .training import deployed_score, loaded


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
            study, result = fitted(case, data, seed, Path(folder))
        except dw.UsageError as error:
            return Diagnosed((refused(str(error)),), None, time.perf_counter() - began)
        except dw.StudyError as error:
            return Diagnosed((_broke(str(error)),), None, time.perf_counter() - began)
        ended = time.perf_counter()
        told = tuple(study.diagnose()) if deep else result.findings
        deeper = time.perf_counter() - ended
        best = next(t for t in study.history() if t.number == result.best_trial)
        measured = _measured(case, data, best, study.probe_records(result.best_trial), result)
        predict = study.best.predict_proba if data.task.classes else study.best.predict
        world = deployed_score(case, data, predict)
    return Diagnosed(
        said=said_of(told, result.findings),
        measured=measured,
        seconds=ended - began,
        trained=result.seconds,
        deeper=deeper if deep else math.nan,
        dev=(result.dev.value, result.dev.low, result.dev.high),
        world=world,
    )


def fitted(case: Case, data: Data, seed: int, folder: Path) -> tuple[dw.Study, Any]:
    """Return a study of a case that has run, and its result."""
    space = {n: v for n, v in case.settings.items() if isinstance(v, list)}
    fixed = {n: v for n, v in case.settings.items() if not isinstance(v, list)}
    study = dw.Study(
        data,
        {**fixed, **space},
        store=folder,
        seed=seed,
        scheduler="none",
        program="native",
        best_possible=case.best_possible,
        probe_every=max(1, int(case.number("epochs")) // 6),
    )
    return study, study.run(trials=case.trials)


def _broke(message: str) -> Said:
    """Return that no network could be scored, which `deepwell fit` says with its reason."""
    return Said("DW408", "problem", message)


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
