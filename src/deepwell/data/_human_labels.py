"""What people said of the rows: a second label beside the target, from which nothing is learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from deepwell._base._errors import UsageError

from ._column_values import as_labels, as_numbers
from ._names import name_list, near_columns, quoted
from ._split import DEV, TRAIN
from ._task import Task


@dataclass(frozen=True, eq=False)
class HumanLabels:
    """People's answers for the rows that training may see.

    Attributes:
        column: its name.
        train, dev: (n,) float64 class numbers, or values in the target's unit; NaN where nobody
            answered.
    """

    column: str
    train: np.ndarray
    dev: np.ndarray


def human_labels(frame: pl.DataFrame, parts: np.ndarray, column: str, task: Task) -> HumanLabels:
    """Return people's answers.

    Args:
        frame: all rows as they came.
        parts: (n,) the part of each row.
        column: of their answers; not the target.
        task: what is predicted.

    Raises:
        UsageError: when there is no such column, or an answer is none that the task knows.
    """
    if column not in frame.columns:
        raise UsageError(
            f"no column {quoted(column)} for the human labels{near_columns(column, frame.columns)}"
        )
    seen = np.isin(parts, (TRAIN, DEV))
    answers = np.full(len(frame), np.nan)
    answers[seen] = _answers(frame[column].filter(pl.Series(seen)), task)
    if np.isnan(answers[seen]).all():
        raise UsageError(
            f"column {quoted(column)} has no human label in a train or dev row; leave it out"
        )
    return HumanLabels(column, answers[parts == TRAIN], answers[parts == DEV])


def _answers(series: pl.Series, task: Task) -> np.ndarray:
    if task.kind == "regression":
        return as_numbers(series)
    labels = as_labels(series)
    known = list(task.classes)
    numbers = labels.replace_strict(
        known, [float(n) for n in range(len(known))], default=None, return_dtype=pl.Float64
    )
    strange = labels.filter(labels.is_not_null() & numbers.is_null())
    if len(strange):
        raise UsageError(
            f"human labels must be one of the {len(known)} classes {name_list(known, 6)}, got "
            f"{quoted(strange[0])} in column {quoted(series.name)}; leave out what nobody knew"
        )
    return numbers.to_numpy()
