"""Scores of a network and of simple models on the same rows, and what they mean."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from deepwell._base._errors import UsageError
from deepwell.data._data import Data
from deepwell.data._rows import Rows
from deepwell.diagnosis._baselines import BaselinePrediction
from deepwell.diagnosis._intervals import estimate, paired_difference
from deepwell.diagnosis._metrics import Metric
from deepwell.records import Baseline, Estimate

from ._model import Model


@dataclass(frozen=True)
class Scored:
    """A model's predictions on train and dev rows with their scores, and that on train-dev."""

    train_prediction: np.ndarray
    dev_prediction: np.ndarray
    train: Estimate
    dev: Estimate
    train_dev: Estimate | None = None


def targets(data: Data, rows: Rows) -> np.ndarray:
    """Return the target in its own terms: class indices, or values in the original unit."""
    if data.task.kind == "classification":
        return rows.y
    return data.target_encoder.original(rows.y)


def check_defined(data: Data, metric: Metric) -> None:
    """Raise `UsageError` for a metric that the dev rows do not define, whatever is predicted."""
    classes, rows = len(data.task.classes), len(data.dev)
    anything = np.zeros((rows, classes) if classes else rows)
    if math.isnan(metric.loss(targets(data, data.dev), anything, data.dev.weight)):
        raise UsageError(
            f"{metric.label} is not defined on dev rows of one class alone (there are {rows:,}); "
            "choose another metric, or more dev rows"
        )


def score_model(data: Data, model: Model, metric: Metric, seed: int) -> Scored:
    """Return the model's scores on all train, dev and train-dev rows."""
    scored = score_predictions(
        data, model.outputs(data.train.x), model.outputs(data.dev.x), metric, seed
    )
    rows = data.train_dev
    if rows is None:
        return scored
    said = model.outputs(rows.x)
    return replace(scored, train_dev=_score(data, rows, said, metric, seed))


def score_predictions(
    data: Data, train: np.ndarray, dev: np.ndarray, metric: Metric, seed: int
) -> Scored:
    """Return the scores of predictions on all train and dev rows."""
    return Scored(
        train,
        dev,
        _score(data, data.train, train, metric, seed),
        _score(data, data.dev, dev, metric, seed),
    )


def score_baseline(data: Data, baseline: BaselinePrediction, metric: Metric, seed: int) -> Baseline:
    """Return a simple model's score on the dev rows."""
    return Baseline(baseline.name, _score(data, data.dev, baseline.prediction_dev, metric, seed))


def difference_on_dev(
    data: Data, metric: Metric, first: np.ndarray, second: np.ndarray, seed: int
) -> Estimate:
    """Return score(first) - score(second) of predictions of the dev rows, taken row by row."""
    dev = data.dev
    y = targets(data, dev)
    return paired_difference(metric, y, first, second, dev.weight, seed, dev.group)


def _score(data: Data, rows: Rows, said: np.ndarray, metric: Metric, seed: int) -> Estimate:
    return estimate(metric, targets(data, rows), said, rows.weight, seed, rows.group)
