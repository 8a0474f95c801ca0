"""What a user brings to a study: rows of three parts, and the settings of one network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a table.

    Attributes:
        x: (n, D) float64; NaN is a missing value.
        y: (n,) class indices or values.
        group: (n,) unit that a row belongs to, such as a patient; empty where each row is its own.
    """

    x: np.ndarray
    y: np.ndarray
    group: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.y)

    def take(self, chosen: np.ndarray) -> Rows:
        """Return the rows of these places, or of this mask."""
        group = self.group[chosen] if len(self.group) else self.group
        return Rows(self.x[chosen], self.y[chosen], group)

    def plus(self, other: Rows) -> Rows:
        """Return these rows and others below them."""
        parts = zip((self.x, self.y, self.group), (other.x, other.y, other.group), strict=True)
        return Rows(*(np.concatenate(pair) for pair in parts))


@dataclass(frozen=True, eq=False)
class Case:
    """A study of one configuration, as a user would set it up.

    Attributes:
        task: name of its task.
        kind: `classification` or `regression`.
        train, dev: what the user has.
        deployed: rows of the world that the model is made for; nobody sees them but the harness.
        settings: hyperparameters of the network; a list is searched.
        options: further options of `deepwell.load`.
        trials: networks that the user trains; 1 unless the fault lies in searching.
        best_possible: best dev score that anything could reach, where the user knows it.
        like_train: rows of the world that train rows are from, where dev rows and those of
            `deployed` are from another.
    """

    task: str
    kind: str
    train: Rows
    dev: Rows
    deployed: Rows
    settings: Mapping[str, object]
    options: Mapping[str, object] = field(default_factory=dict)
    trials: int = 1
    best_possible: float | None = None
    like_train: Rows | None = None

    def number(self, name: str) -> float:
        """Return a setting that is one number."""
        value = self.settings[name]
        assert isinstance(value, int | float), f"{name} is {value!r}"
        return value

    def with_settings(self, **values: object) -> Case:
        """Return the case with other hyperparameters."""
        return replace(self, settings={**self.settings, **values})

    def with_rows(self, **parts: Rows) -> Case:
        """Return the case with other rows."""
        return replace(self, **parts)
