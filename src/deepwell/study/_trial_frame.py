"""Trials as a person reads them: dev scores in the metric's unit, one row each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deepwell.records import Trial


def trial_frame(trials: Sequence[Trial]) -> Any:
    """Return a Polars frame, one row a trial, best first.

    Columns: `number, status, epochs, best_epoch, score` (in the metric's unit), `cost` (of the
    standardized target) and every hyperparameter; `fold` where there are folds. Where some trials
    have a value a layer and others one for all, the column is of lists.

    Args:
        trials: with dev scores in the metric's unit.
    """
    import polars as pl

    rows = [_row(trial) for trial in sorted(trials, key=Trial.rank_key)]
    listed = {name for row in rows for name, value in row.items() if isinstance(value, list)}
    for row in rows:
        row.update({n: [row[n]] for n in listed & row.keys() if not isinstance(row[n], list)})
    return pl.DataFrame(rows, infer_schema_length=None)


def in_unit(trial: Trial, scale: float) -> Trial:
    """Return a trial with its dev scores, which programs give for a standardized target, scaled."""
    curves = dict(trial.curves)
    if "dev_score" in curves:
        with np.errstate(over="ignore"):  # beyond float32 a score is infinite
            curves["dev_score"] = (curves["dev_score"] * np.float64(scale)).astype(np.float32)
    return replace(trial, score=trial.score * scale, curves=curves)


def _row(trial: Trial) -> dict[str, object]:
    values = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in trial.spec.hyperparameters.items()
    }
    return {
        "number": trial.number,
        **({"fold": trial.spec.fold} if trial.spec.folds else {}),
        "status": trial.status.value,
        "epochs": trial.epochs,
        "best_epoch": trial.best_epoch,
        "score": trial.score if math.isfinite(trial.score) else None,
        "cost": trial.cost if math.isfinite(trial.cost) else None,
        **values,
    }
