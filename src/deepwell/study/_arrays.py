"""From split data to what the engine is given: arrays of train and dev rows, nothing else."""

from __future__ import annotations

from dataclasses import replace

from deepwell.data._data import Data
from deepwell.data._folds import Folds
from deepwell.execution._backend import Backend
from deepwell.execution._local import LocalEngine
from deepwell.execution._planner import Shape
from deepwell.training._program import TrainingRows


def training_rows(data: Data) -> TrainingRows:
    """Return the arrays that programs train on; the sealed test rows are not among them."""
    return TrainingRows(
        x_train=data.train.x,
        y_train=data.train.y,
        weight_train=data.train.weight,
        x_dev=data.dev.x,
        y_dev=data.dev.y,
        weight_dev=data.dev.weight,
        streamed=data.memory is not None,
    )


def rows_of_folds(folds: Folds) -> TrainingRows:
    """Return the arrays of all folds, each a data view."""
    views = [training_rows(replace(folds.data(f), memory=None)) for f in range(len(folds.parts))]
    return replace(views[0], others=tuple(views[1:]))


def shape_of_folds(folds: Folds, metric: str) -> Shape:
    """Return the data and task as programs see them, with the sizes of the largest fold."""
    first, *others = (shape_of(folds.data(f), metric) for f in range(len(folds.parts)))
    return replace(
        first,
        train_rows=max([first.train_rows, *(shape.train_rows for shape in others)]),
        dev_rows=max([first.dev_rows, *(shape.dev_rows for shape in others)]),
        views=len(folds.parts),
    )


def engine_of(
    data: Data, folds: Folds | None, metric: str, backend: Backend, memory: int | None
) -> LocalEngine:
    """Return the engine for the rows of a study: its split, or its folds side by side."""
    if folds is None:
        return LocalEngine(training_rows(data), shape_of(data, metric), backend, memory)
    return LocalEngine(rows_of_folds(folds), shape_of_folds(folds, metric), backend, memory)


def shape_of(data: Data, metric: str) -> Shape:
    """Return the data and task as programs see them."""
    return Shape(
        train_rows=len(data.train.x),
        dev_rows=len(data.dev.x),
        inputs=data.train.x.shape[1],
        outputs=data.task.outputs,
        loss=data.task.loss,
        score=metric,
        image=data.image,
    )


def score_scale(data: Data, metric: str) -> float:
    """Return the factor from a program's score to the target's unit.

    Programs see a standardized target; RMSE and MAE grow with its scale, all else does not.
    """
    return data.target_encoder.scale if metric in ("rmse", "mae") else 1.0
