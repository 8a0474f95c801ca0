"""How much each row counts (D2): a column of sample weights, a factor for each class, or both.

A row of weight 2 counts as two rows in training, in normalization, in scores and their intervals
and in the simple models; one of weight 0 as none. A class's factor multiplies the weights of its
rows, in the cost that is minimized and in every score alike: what is trained for is what is
measured.

    balanced   factor_c = W / (C W_c), W_c the weight of the train rows of class c, W of all

All weights are divided by their mean over the train rows, so that they are 1 on average.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._safe_text import safe_text

from ._class_weight import BALANCED, LARGEST_WEIGHT
from ._column_values import as_numbers
from ._divide import Divided
from ._load_options import LoadOptions
from ._names import name_list, quoted
from ._split import DEV, TEST, TRAIN, TRAIN_DEV
from ._task import Task


@dataclass(frozen=True)
class Weighting:
    """Fitted on the train rows; the same for dev, test and any later rows.

    Attributes:
        column: name of the column of sample weights, or an empty string.
        by_class: a factor for each class in the order of the outputs; empty for none.
        mean: what weights are divided by.
        balanced: whether the factors balance the classes.
    """

    column: str = ""
    by_class: tuple[float, ...] = ()
    mean: float = 1.0
    balanced: bool = False

    @staticmethod
    def fit(
        sample: np.ndarray,
        y: np.ndarray,
        classes: Sequence[str],
        column: str | None,
        asked: str | Mapping[str, float] | None,
    ) -> Weighting:
        """Return the weighting by the train rows.

        Args:
            sample: (n,) sample weights of the train rows, ones where no column was named.
            y: (n,) their class numbers, or targets.
            classes: labels in the order of the outputs; empty for regression.
            column: name of the column of sample weights, if any.
            asked: `balanced`, or label -> factor (1 for labels that are left out), or None.

        Raises:
            UsageError: when classes are weighted in a regression, a label is unknown, or no
                weight is left.
        """
        by_class = _factors(sample, y, classes, asked)
        whole = sample * np.array(by_class)[y] if by_class else sample
        mean = float(whole.mean())
        if mean <= 0:
            raise UsageError("the weights of all train rows are 0; give some rows a weight")
        return Weighting(column or "", by_class, mean, asked == BALANCED)

    def refitted(self, sample: np.ndarray, y: np.ndarray, classes: Sequence[str]) -> Weighting:
        """Return the weighting that the same wishes give by other rows."""
        given = dict(zip(classes, self.by_class, strict=True)) if self.by_class else None
        asked = BALANCED if self.balanced else given
        return Weighting.fit(sample, y, classes, self.column or None, asked)

    @property
    def alike(self) -> bool:
        """Whether every row counts the same, whatever the data."""
        return not self.column and not self.by_class

    def weights(self, sample: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return (n,) float32 weights of rows with these sample weights and targets."""
        whole = sample * np.array(self.by_class)[y] if self.by_class else sample
        return (whole / self.mean).astype(np.float32)

    def of(self, frame: pl.DataFrame, y: np.ndarray) -> np.ndarray:
        """Return (n,) float32 weights of the rows of a table with these encoded targets."""
        return self.weights(sample_weights(frame, self.column or None), y)


def sample_weights(frame: pl.DataFrame, column: str | None) -> np.ndarray:
    """Return (n,) float64 sample weights: a column's, or ones.

    Raises:
        UsageError: when a weight is missing, negative or too large, with its row.
    """
    if column is None:
        return np.ones(frame.height)
    weight = as_numbers(frame[column])
    wrong = ~((weight >= 0) & (weight <= LARGEST_WEIGHT))
    if wrong.any():
        row = int(np.argmax(wrong))
        got = "a blank" if np.isnan(weight[row]) else f"{weight[row]:g}"
        raise UsageError(
            f"weight column {quoted(column)} must hold a number from 0 to {LARGEST_WEIGHT:g} in "
            f"every row, got {got} in row {row + 1:,}"
        )
    return weight


def fitted_weighting(
    sample: np.ndarray, y: np.ndarray, divided: Divided, task: Task, options: LoadOptions
) -> Weighting:
    """Return the weighting by the train rows, after checking that no part weighs nothing.

    Args:
        sample: (n,) sample weights of all rows.
        y: (n,) their encoded targets.
        divided: the part of each row.
        task: what is predicted.
        options: what the user said.

    Raises:
        UsageError: when the rows of a part all weigh 0, or the class weights do not fit.
    """
    train = divided.rows(TRAIN)
    weighting = Weighting.fit(
        sample[train], y[train], task.classes, options.weights, options.class_weight
    )
    for part, name in ((DEV, "dev"), (TEST, "test"), (TRAIN_DEV, "train-dev")):
        rows = divided.rows(part)
        if len(rows) and not weighting.weights(sample[rows], y[rows]).any():
            raise UsageError(f"the {name} rows all have the weight 0; give some of them a weight")
    return weighting


def weighting_notes(weighting: Weighting, classes: Sequence[str]) -> tuple[str, ...]:
    """Return what is told about the weights."""
    notes: list[str] = []
    if weighting.column:
        name = safe_text(weighting.column)
        notes.append(f"{name} weighs the rows, in training and in every score: not an input")
    if weighting.by_class:
        factors = zip(classes, weighting.by_class, strict=True)
        shown = name_list([f"{label} {factor:.3g}" for label, factor in factors], 8)
        notes.append(f"class weights {shown}: in training and in every score (--class-weight)")
    return tuple(notes)


def _factors(
    sample: np.ndarray,
    y: np.ndarray,
    classes: Sequence[str],
    asked: str | Mapping[str, float] | None,
) -> tuple[float, ...]:
    if asked is None:
        return ()
    if not classes:
        raise UsageError("`class_weight` needs classes, the target is a number; leave it out")
    if isinstance(asked, str):
        total = np.bincount(y, weights=sample, minlength=len(classes))
        present = total > 0
        balanced = total.sum() / (present.sum() * np.where(present, total, 1.0))
        return tuple(float(w) for w in np.where(present, balanced, 1.0))
    for label in asked:
        if label not in classes:
            raise UsageError(
                f"`class_weight` names the class {quoted(label)}, which the target does not have"
                f"{did_you_mean(label, classes) or ';'} classes: {name_list(classes)}"
            )
    return tuple(float(asked.get(label, 1.0)) for label in classes)
