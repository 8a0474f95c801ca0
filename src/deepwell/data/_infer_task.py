"""Classes or a number? What the target column's values say, and what they cannot say."""

from __future__ import annotations

import numpy as np
import polars as pl

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._safe_text import safe_text

from ._column_values import as_labels, as_numbers
from ._dates import dates_in, is_date_type
from ._names import count_of, name_list, quoted
from ._task import KINDS, Task

MAX_CLASSES = 1_000  # a softmax output each; beyond it the dev set has no row for most of them
CODE_CLASSES = 20  # as many different whole numbers may be class codes (digits, wine quality)
ROWS_A_CODE = 3  # and they must repeat: on average this often


def infer_task(target: pl.Series, kind: str | None) -> tuple[Task, tuple[str, ...]]:
    """Return the task, and notes on what was assumed.

    Text and true-or-false values are classes. Whole numbers are classes when there are 2, or up
    to 20 different ones that repeat at least 3 times on average; other numbers are a regression.

    Args:
        target: the target column of all rows, none missing.
        kind: `classification` or `regression` when the user said so.

    Raises:
        UsageError: when the target cannot be learned, or not as `kind`.
    """
    if kind is not None and kind not in KINDS:
        raise UsageError(
            f"`task` must be one of {', '.join(KINDS)}, got {quoted(kind)}"
            f"{did_you_mean(str(kind), KINDS)}"
        )
    name = quoted(target.name)
    if is_date_type(target.dtype) or (
        target.dtype == pl.String and kind is None and dates_in(target) is not None
    ):
        raise UsageError(
            f"target {name} holds dates, which are not predicted; give numbers, such as days, or "
            "classes"
        )
    numeric = target.dtype != pl.String and target.dtype != pl.Boolean
    chosen = kind or ("classification" if not numeric or _are_codes(target) else "regression")
    if chosen == "regression":
        _require_numbers(target)
        note = f"{safe_text(target.name)} holds numbers: regression (--task classification)"
        return Task("regression"), (note,) if kind is None else ()
    task = Task("classification", _classes(target))
    notes: tuple[str, ...] = ()
    if kind is None and numeric:
        distinct = count_of(len(task.classes), "different number")
        notes = (f"{safe_text(target.name)} holds {distinct}: classification (--task regression)",)
    return task, notes


def sorted_labels(labels: list[str]) -> tuple[str, ...]:
    """Return labels in the order of the outputs: by value when all are numbers, else by text.

    >>> sorted_labels(["10", "9", "1"])
    ('1', '9', '10')
    """
    try:
        return tuple(sorted(labels, key=lambda label: (float(label), label)))
    except ValueError:
        return tuple(sorted(labels))


def _are_codes(target: pl.Series) -> bool:
    distinct = target.unique()
    if len(distinct) <= 2:
        return True
    if len(distinct) > CODE_CLASSES or len(distinct) * ROWS_A_CODE > len(target):
        return False
    values = as_numbers(distinct)
    return bool((values == np.round(values)).all())


def _classes(target: pl.Series) -> tuple[str, ...]:
    name = quoted(target.name)
    labels = sorted(as_labels(target).unique())
    if len(labels) == 1:
        raise UsageError(
            f"target {name} has one class only, {quoted(labels[0])} in all rows; there is nothing "
            "to learn"
        )
    if len(labels) > MAX_CLASSES or 2 * len(labels) > len(target):
        raise UsageError(
            f"target {name} has {len(labels):,} different labels in {len(target):,} rows "
            f"({name_list(labels, 3)}); for classes give at most {MAX_CLASSES:,} that repeat, for "
            "numbers leave no text in the column and use --task regression"
        )
    return sorted_labels(labels)


def _require_numbers(target: pl.Series) -> None:
    values = as_numbers(target)
    if (values == values[0]).all():
        raise UsageError(
            f"target {quoted(target.name)} is {values[0]:g} in all rows; there is nothing to learn"
        )
