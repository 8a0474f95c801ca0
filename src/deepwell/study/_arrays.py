"""From split data to what the engine is given: arrays of train and dev rows, nothing else."""

from __future__ import annotations

from deepwell.data._data import Data
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


def shape_of(data: Data, metric: str) -> Shape:
    """Return the data and task as programs see them."""
    return Shape(
        train_rows=len(data.train.x),
        dev_rows=len(data.dev.x),
        inputs=data.train.x.shape[1],
        outputs=data.task.outputs,
        loss=data.task.loss,
        score=metric,
    )


def score_scale(data: Data, metric: str) -> float:
    """Return the factor from a program's score to the target's unit.

    Programs see a standardized target; RMSE and MAE grow with its scale, all else does not.
    """
    return data.target_encoder.scale if metric in ("rmse", "mae") else 1.0
