"""The target column as the network's output, and predictions back in the user's terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from deepwell._base._errors import UsageError
from deepwell.records import from_plain, to_plain

from ._column_values import as_labels, as_numbers
from ._moments import moments, normalize
from ._names import name_list, quoted
from ._task import Task

_LARGEST = 1e150


@dataclass(frozen=True)
class TargetEncoder:
    """Labels to class numbers, or numbers to standardized ones by the train rows.

    Attributes:
        name: of the target column.
        task: what is predicted.
        mean, scale: of the train rows' targets for regression; 0 and 1 for classes.
    """

    name: str
    task: Task
    mean: float = 0.0
    scale: float = 1.0

    @staticmethod
    def fit(target: pl.Series, task: Task, weight: np.ndarray | None = None) -> TargetEncoder:
        """Return the encoder of a target.

        Args:
            target: of the train rows, none missing.
            task: with all classes that may occur.
            weight: (n,) sample weights; ones when not given.

        Raises:
            UsageError: when numbers are so large that squared errors overflow.
        """
        if task.kind == "classification":
            return TargetEncoder(target.name, task)
        values = as_numbers(target)[:, None]
        largest = float(np.abs(values).max())
        if largest > _LARGEST:
            raise UsageError(
                f"the target {quoted(target.name)} must hold numbers of at most {_LARGEST:g} in "
                f"size, got one of {largest:.3g}, whose square is no number; rescale the target"
            )
        weight = np.ones(len(values)) if weight is None else np.asarray(weight, np.float64)
        mean, scale = moments(values, weight)
        return TargetEncoder(target.name, task, float(mean[0]), float(scale[0]) or 1.0)

    def encode(self, values: pl.Series | np.ndarray | list[Any]) -> np.ndarray:
        """Return (n,) int32 class numbers, or float32 standardized targets.

        Args:
            values: labels or numbers as in the data, none missing.

        Raises:
            UsageError: when a value is missing, or not one of the classes, or not a number.
        """
        series = values if isinstance(values, pl.Series) else pl.Series(self.name, values)
        if self.task.kind == "regression":
            numbers = as_numbers(series)
            self._refuse(np.isnan(numbers), series, "have a value in every row")
            return normalize(numbers, np.float64(self.mean), np.float64(self.scale))
        known = list(self.task.classes)
        codes = as_labels(series).replace_strict(
            known, list(range(len(known))), default=None, return_dtype=pl.Int32
        )
        expected = f"hold one of the {len(known)} classes {name_list(known, 6)}"
        self._refuse(codes.is_null().to_numpy(), series, expected)
        return codes.to_numpy().copy()

    def labels(self, indices: np.ndarray) -> np.ndarray:
        """Return (n,) label texts for (n,) class numbers."""
        return np.array(self.task.classes)[np.asarray(indices)]

    def original(self, standardized: np.ndarray) -> np.ndarray:
        """Return float64 targets in the data's unit for standardized ones of any shape."""
        return np.asarray(standardized, np.float64) * self.scale + self.mean

    def to_plain(self) -> dict[str, Any]:
        """Return the encoder as numbers, texts, lists and dictionaries for JSON."""
        return to_plain(self)

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> TargetEncoder:
        """Return the encoder that `to_plain` described."""
        return from_plain(TargetEncoder, plain)

    def _refuse(self, wrong: np.ndarray, series: pl.Series, expected: str) -> None:
        if wrong.any():
            row = int(np.argmax(wrong))
            raise UsageError(
                f"target {quoted(self.name)} must {expected}, got {quoted(series[row])} in row "
                f"{row + 1:,}"
            )
