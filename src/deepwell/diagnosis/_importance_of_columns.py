"""Permutation importance: how much worse the score gets when a column's values are shuffled.

    importance = mean over shuffles of score(shuffled) - score(as it is)

on rows that were not trained on (Breiman 2001, Machine Learning 45; Fisher, Rudin and Dominici
2019, JMLR 20). All inputs that are made of a column are shuffled together, row by row. A column
that others repeat loses nothing alone, so such columns are shuffled together as well and told as
one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.records import Estimate

from ._intervals import mean_difference
from ._metrics import Metric

TIED = 0.8  # correlation from which columns are shuffled together
_Z = 1.959963984540054


@dataclass(frozen=True)
class ColumnImportance:
    """What a column, or columns that go together, are worth.

    Attributes:
        columns: their names; several where they are correlated by 0.8 or more.
        change: of the score when they are shuffled, with its interval over rows and shuffles;
            above 0 where the model needs them.
    """

    columns: tuple[str, ...]
    change: Estimate

    def to_plain(self) -> dict[str, object]:
        """Return the importance for JSON."""
        return {"columns": list(self.columns), "change": self.change.to_plain()}


@dataclass(frozen=True, eq=False)
class Judged:
    """What importance is measured by.

    Attributes:
        metric: the score; lower is better.
        predict: (n, D) inputs -> predictions as the metric takes them.
        x: (n, D) inputs.
        y: (n,) targets in the metric's terms.
        weight: (n,) sample weights; None means 1 for every row.
    """

    metric: Metric
    predict: Callable[[np.ndarray], np.ndarray]
    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None


def importance_of_columns(
    judged: Judged,
    inputs: Mapping[str, Sequence[int]],
    shuffles: int = 10,
    seed: int = 0,
    tied: float = TIED,
) -> tuple[ColumnImportance, ...]:
    """Return the importance of each column, the largest first.

    Args:
        judged: the model and the rows.
        inputs: column name -> places of its inputs among the D.
        shuffles: how often each is shuffled, at least 2.
        seed: of the shuffles.
        tied: columns with correlated inputs, at least so much in absolute value, go together;
            above 1 none do.
    """
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(len(judged.x)) for _ in range(shuffles)]
    base = judged.predict(judged.x)
    found = [
        ColumnImportance(names, _change(judged, base, places, orders, seed))
        for names, places in _together(judged.x, inputs, tied)
    ]
    return tuple(sorted(found, key=lambda one: -one.change.value))


def _change(
    judged: Judged,
    base: np.ndarray,
    places: np.ndarray,
    orders: Sequence[np.ndarray],
    seed: int,
) -> Estimate:
    """Return the mean change of the score, its interval widened by that of the shuffles."""
    metric, y, weight = judged.metric, judged.y, judged.weight
    said: list[np.ndarray] = []
    for order in orders:
        shuffled = judged.x.copy()
        shuffled[:, places] = judged.x[order][:, places]
        said.append(judged.predict(shuffled))
    if all(np.array_equal(one, base) for one in said):
        return Estimate(0.0, 0.0, 0.0)
    over_rows = mean_difference(metric, y, said, base, weight, seed)
    scores = [metric.loss(y, one, weight) for one in said]
    half = _Z * float(np.std(scores, ddof=1)) / math.sqrt(len(scores))
    value = over_rows.value
    return Estimate(
        value,
        value - math.hypot(value - over_rows.low, half),
        value + math.hypot(over_rows.high - value, half),
    )


def _together(
    x: np.ndarray, inputs: Mapping[str, Sequence[int]], tied: float
) -> list[tuple[tuple[str, ...], np.ndarray]]:
    """Return columns that are shuffled together, with the places of their inputs."""
    names = list(inputs)
    owner = np.concatenate([np.full(len(inputs[name]), i) for i, name in enumerate(names)])
    places = np.concatenate([np.asarray(inputs[name], np.intp) for name in names])
    root = np.arange(len(names))
    for i, j in _strong_pairs(x[:, places], owner, tied):
        root[root == root[j]] = root[i]
    groups: list[tuple[tuple[str, ...], np.ndarray]] = []
    for one in dict.fromkeys(root.tolist()):
        members = np.flatnonzero(root == one)
        groups.append((tuple(names[m] for m in members), places[np.isin(owner, members)]))
    return groups


def _strong_pairs(x: np.ndarray, owner: np.ndarray, tied: float) -> list[tuple[int, int]]:
    """Return pairs of columns whose inputs are correlated."""
    if tied > 1:
        return []
    centered = x.astype(np.float64) - x.mean(axis=0)
    length = np.sqrt((centered**2).sum(axis=0))
    centered /= np.where(length > 0, length, np.inf)
    strong = np.argwhere(np.abs(centered.T @ centered) >= tied)
    pairs = {(int(owner[a]), int(owner[b])) for a, b in strong}
    return sorted((a, b) for a, b in pairs if a < b)
