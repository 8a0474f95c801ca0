"""Permutation importance: how much worse the score gets when a column's values are shuffled.

    importance = mean over shuffles of score(shuffled) - score(as it is)

on rows that were not trained on (Breiman 2001, Machine Learning 45; Fisher, Rudin and Dominici
2019, JMLR 20). All inputs that are made of a column are shuffled together, row by row. A column
that others repeat loses nothing alone, so such columns are shuffled together as well and told as
one.

A row counts twice in the score of shuffled columns: where its target is compared, and where its
values stand in another row. The estimate is a mean over pairs of rows, a U-statistic (Hoeffding
1948, Annals of Mathematical Statistics 19), and varies with both, so a row is resampled with what
it gave to others as well:

    influence of row r = its change when given others' values + others' change when given its own

Each row's two means are of a few pairs, one a shuffle, and their noise is in that spread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.records import Estimate

from ._intervals import for_few, grouped, resampled_groups
from ._metrics import Metric
from .metrics._tally import Tally

_STEP = 1e-5  # of the largest sum
TIED = 0.8  # correlation from which columns are shuffled together


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
        group: (n,) whole numbers, equal for rows that belong together; None for rows of their own.
    """

    metric: Metric
    predict: Callable[[np.ndarray], np.ndarray]
    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None
    group: np.ndarray | None = None


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

    Returns:
        Nothing where there are fewer than two rows, or groups of them: none could be drawn anew.
    """
    together = judged.group
    if len(judged.x if together is None else np.unique(together)) < 2:
        return ()
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
    """Return the mean change of the score with its interval."""
    metric, y, weight = judged.metric, judged.y, judged.weight
    generator = np.random.default_rng(seed)
    by_row = grouped(base, weight, generator, judged.group)
    before = metric.sums(y, base, by_row)
    taken: list[np.ndarray] = []  # sums of each shuffle, by the row that takes values
    given: list[np.ndarray] = []  # and by the row that gives them
    changed = False
    for order in orders:
        shuffled = judged.x.copy()
        shuffled[:, places] = judged.x[order][:, places]
        said = judged.predict(shuffled)
        changed = changed or not np.array_equal(said, base)
        by_giver = Tally(by_row.weight, by_row.group[order], by_row.groups)
        taken.append(metric.sums(y, said, by_row))
        given.append(metric.sums(y, said, by_giver) - metric.sums(y, base, by_giver))
    if not changed:
        return Estimate(0.0, 0.0, 0.0)
    pairs = _Pairs(metric, before, np.stack(taken), np.stack(given))
    found = resampled_groups(pairs.means(), pairs.change, generator)
    wider = math.sqrt(pairs.share_of_spread()) * for_few(by_row.groups)
    low, high = (found.value + wider * (end - found.value) for end in (found.low, found.high))
    return Estimate(found.value, low, high)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Sums over the pairs of rows that were looked at.

    Attributes:
        metric: of the score.
        before: (G, q) of the rows as they are.
        taken: (K, G, q) of each shuffle, by the row whose target is compared.
        given: (K, G, q) what its values changed in the rows that got them.
    """

    metric: Metric
    before: np.ndarray
    taken: np.ndarray
    given: np.ndarray

    def means(self) -> np.ndarray:
        """Return (G, 3 q) what is resampled."""
        return np.concatenate([self.taken.mean(0), self.before, self.given.mean(0)], axis=-1)

    def change(self, sums: np.ndarray) -> np.ndarray:
        """Return the change of the score by the sums over resampled rows."""
        q = self.before.shape[-1]
        taken, before, given = sums[..., :q], sums[..., q : 2 * q], sums[..., 2 * q :]
        after = taken + given - self.given.mean(0).sum(0)
        return self.metric.combine(after) - self.metric.combine(before)

    def share_of_spread(self) -> float:
        """Return how much of the rows' variance is that of the estimate, to first order.

        A row's two means are of K pairs each, whose own noise of variance w / K makes rows look
        more unlike than they are. The pairs' noise is in the estimate too, but once: of the two,
        the larger is taken off.
        """
        after = _slopes(self.metric, self.taken.mean(0).sum(0))
        taken, given = self.taken @ after, self.given @ after  # (K, G)
        before = self.before @ _slopes(self.metric, self.before.sum(0))
        spread = float((taken.mean(0) + given.mean(0) - before).var(ddof=1))
        noise = [float(one.var(axis=0, ddof=1).mean()) / len(one) for one in (taken, given)]
        if not spread > 0:
            return 1.0
        return min(1.0, max(1.0 - max(noise) / spread, min(noise) / spread))


def _slopes(metric: Metric, total: np.ndarray) -> np.ndarray:
    """Return (q,) the slopes of the score in each of the sums, by central differences."""
    step = _STEP * max(float(np.abs(total).max()), 1e-300)
    ends = total + step * np.stack([np.eye(len(total)), -np.eye(len(total))])
    with np.errstate(invalid="ignore"):
        up, down = metric.combine(ends)
    return np.nan_to_num((up - down) / (2 * step), nan=0.0, posinf=0.0, neginf=0.0)


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
