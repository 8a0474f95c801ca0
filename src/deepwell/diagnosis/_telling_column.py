"""Does one column give the target away? What each column alone says of it, and all others.

Rows are put in the order of the column, equal values in any order. Where the column says nothing,
the targets of neighbors are as unlike as those of any two rows; where it says all, they are alike:

    left = mean difference of neighbors' targets / mean difference of any two rows' targets

The difference of classes is 0 or 1, that of numbers the difference of their ranks: 1 - left is
the coefficient of Chatterjee 2021 ("A new coefficient of correlation"), for categories that of
Goodman and Kruskal. It needs no fit, knows no shape, and finds any function of one column.

All other columns together are a ridge regression on them and their squares, each row scored by a
fit to other rows; what is left then is measured in the order of its scores (of several classes: of
the likeliest one). Where the next best column alone leaves less than that, this counts.

Rows of a group, as of one patient, are neighbors by all that they share, and so have one target.
Of a table of many groups one row of each is looked at; few groups are too few for that, and of them
all rows are, so that a column with one value for each group may then look telling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepwell.records import TellingColumn

from ._encoded_columns import CATEGORY, TEXT, EncodedColumn, EncodedTable

LOOKED_INTO = 0.3  # what a column leaves, from which the others are asked
LEAST_ROWS = 50
_MOST_ROWS = 5_000
_CELLS = 1_000_000
_FOLDS = 5
_PENALTY = 0.01
_WIDEST = 500  # inputs of the model of all others
_CLIP = 4.0
_AFFINE = 0.999  # squared correlation of a column that is the target but for its unit
_GAP = 3.0  # of the largest step within a class, between classes of a column that codes them
_CLUMPS = 3.0  # times both deviations, between the means of classes that a column codes
_LEAST_CLUMPS = 3
_IN_ORDER = 0.999


@dataclass(frozen=True, eq=False)
class Target:
    """The target of train rows.

    Attributes:
        y: (n,) class numbers, or values.
        classes: how many; 0 for numbers.
    """

    y: np.ndarray
    classes: int

    def rows(self, chosen: np.ndarray) -> Target:
        return Target(self.y[chosen], self.classes)


def telling_column(
    x: np.ndarray,
    target: Target,
    table: EncodedTable,
    seed: int,
    group: np.ndarray | None = None,
) -> tuple[TellingColumn | None, int]:
    """Return the column that leaves least of the target alone, and how many were scored.

    The others are asked, and what kind of column it is, where it leaves at most 0.3; else
    `others_left` is None. None where rows are too few, or where there is no other column.

    Args:
        x: (n, D) inputs of the train rows, in the order of the table.
        target: of the same rows.
        table: the columns of the inputs.
        seed: of the order of equal values and of the sample.
        group: (n,) whole numbers, equal for rows that belong together; None for rows of their own.
    """
    generator = np.random.default_rng(seed)
    most = min(_MOST_ROWS, max(LEAST_ROWS, _CELLS // max(1, x.shape[1])))
    chosen = np.arange(len(x)) if group is None else _one_of_each(group, generator)
    if len(chosen) > most:
        chosen = np.sort(generator.choice(chosen, most, replace=False))
    order = generator.permutation(len(chosen))
    x, target = np.asarray(x[chosen])[order], target.rows(chosen[order])
    columns = [column for column in table.columns if column.kind != TEXT]
    if len(x) < LEAST_ROWS or len(columns) < 2 or _spread(target) == 0:
        return None, 0
    left = _left_of_all(x, target, table, columns)
    best = columns[int(np.argmin(left))]
    least = float(left.min())
    if least > LOOKED_INTO:
        return TellingColumn(best.name, least, None), len(columns)
    key = _key(x, table, best)
    blanks = _blanks_tell(x, target, table, best)
    alone = np.sort(left)[1]
    others = min(float(alone), others_left(x, target, best))
    copy = _is_copy(key, target) if best.kind == CATEGORY else _is_coded(key, target)
    return (
        TellingColumn(best.name, least, others, copy, blanks, _ordered(key, order)),
        len(columns),
    )


def _one_of_each(group: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the place of a random row of each group; of all rows where groups are too few."""
    order = generator.permutation(len(group))
    first = np.unique(group[order], return_index=True)[1]
    return np.sort(order[first]) if len(first) >= LEAST_ROWS else np.arange(len(group))


def left_of(key: np.ndarray, target: Target) -> float:
    """Return the share of the target's spread that is left in the order of `key`, at least 0.

    >>> left_of(np.arange(6.0), Target(np.array([0, 0, 0, 1, 1, 1]), 2))
    0.0
    >>> round(left_of(np.arange(6.0), Target(np.array([0, 0, 1, 0, 1, 1]), 2)), 3)
    1.0

    Args:
        key: (n,) values, NaN for blanks, which are a value of their own; equal ones in any order.
        target: of the rows.
    """
    return float(_left(np.argsort(key, kind="stable")[:, None], target)[0])


def others_left(x: np.ndarray, target: Target, column: EncodedColumn) -> float:
    """Return what a model on all inputs but those of one column leaves of the target."""
    kept = np.ones(x.shape[1], bool)
    kept[column.first : column.first + column.width] = False
    rest = np.clip(x[:, np.flatnonzero(kept)[:_WIDEST]].astype(np.float64), -_CLIP, _CLIP)
    if 2 * rest.shape[1] <= _WIDEST:
        rest = np.concatenate([rest, rest**2], axis=1)
    wanted = np.eye(target.classes)[target.y] if target.classes else target.y[:, None]
    wanted = wanted - wanted.mean(axis=0)
    scores = np.zeros(wanted.shape)
    solve: Any = np.linalg.solve  # its types are unknown for arrays of any type
    for fold in range(_FOLDS):
        out = np.arange(len(x)) % _FOLDS == fold  # rows come in random order
        inside = rest[~out] - rest[~out].mean(axis=0)
        moments = inside.T @ inside
        moments[np.diag_indices_from(moments)] += _PENALTY * len(inside) + rest.shape[1]
        weights = solve(moments, inside.T @ wanted[~out])
        scores[out] = (rest[out] - rest[~out].mean(axis=0)) @ weights
    said = scores.argmax(axis=1).astype(np.float64) if target.classes > 2 else scores[:, -1]
    return left_of(said, target)


def _left_of_all(
    x: np.ndarray, target: Target, table: EncodedTable, columns: Sequence[EncodedColumn]
) -> np.ndarray:
    keys = np.stack([_key(x, table, column) for column in columns], axis=1)
    return _left(np.argsort(keys, axis=0, kind="stable"), target)


def _left(order: np.ndarray, target: Target) -> np.ndarray:
    """Return (M,) shares left in each of M orders of the rows (n, M)."""
    if target.classes:
        sorted_y = target.y[order]
        unlike = (sorted_y[1:] != sorted_y[:-1]).mean(axis=0)
        return np.maximum(unlike - _least_steps(target), 0.0) / _spread(target)
    ranks = np.argsort(np.argsort(target.y, kind="stable"), kind="stable")
    steps = np.abs(np.diff(ranks[order], axis=0)).mean(axis=0)
    return np.maximum(steps - 1.0, 0.0) / _spread(target)  # a perfect order steps by 1


def _spread(target: Target) -> float:
    """Return the mean difference of any two rows' targets, less that of a perfect order."""
    n = len(target.y)
    if target.classes:
        counts = np.bincount(target.y, minlength=target.classes).astype(np.float64)
        unlike = float(1.0 - (counts * (counts - 1)).sum() / (n * (n - 1)))
        return max(0.0, unlike - _least_steps(target))
    return 0.0 if target.y.min() == target.y.max() else (n + 1) / 3.0 - 1.0


def _least_steps(target: Target) -> float:
    """Return the share of neighbors of unlike classes where each class is in one piece."""
    return (len(np.unique(target.y)) - 1) / (len(target.y) - 1)


def _key(x: np.ndarray, table: EncodedTable, column: EncodedColumn) -> np.ndarray:
    if column.kind == CATEGORY:
        return table.codes(x, column).astype(np.float64)
    return table.values(x, column)


def _blanks_tell(x: np.ndarray, target: Target, table: EncodedTable, column: EncodedColumn) -> bool:
    if column.blank is None or column.kind == CATEGORY:  # whose blanks are a category
        return False
    blank = (table.unit(x, column.first + column.blank) > 0.5).astype(np.float64)
    return left_of(blank, target) <= 2 * left_of(table.values(x, column), target) + 0.01


def _is_copy(key: np.ndarray, target: Target) -> bool:
    """Whether values are classes under other names, one for one."""
    pairs = np.unique(np.stack([key, target.y]), axis=1)
    different = len(np.unique(key)), len(np.unique(target.y))
    return bool(target.classes) and pairs.shape[1] == different[0] == different[1]


def _is_coded(key: np.ndarray, target: Target) -> bool:
    """Whether numbers are the target but for their unit, or code its classes with gaps between."""
    if np.isnan(key).any():
        return False
    if not target.classes:
        return bool(np.corrcoef(key, target.y)[0, 1] ** 2 >= _AFFINE)
    order = np.argsort(key, kind="stable")
    changes = target.y[order][1:] != target.y[order][:-1]
    steps = np.diff(key[order])
    if changes.sum() != len(np.unique(target.y)) - 1:
        return False
    wide = steps[changes].min() > _GAP * steps[~changes].max(initial=0.0)
    return bool(wide or _clumped(key, target.y))


def _clumped(key: np.ndarray, y: np.ndarray) -> bool:
    """Whether the values of each class lie around one of their own, far from the next class's.

    Of three classes or more: two that one column parts may be nature's doing.

    Of a column that is cut into classes the next means are at most 1.7 times as far apart as both
    standard deviations together, however the cuts lie: that is two uniform pieces side by side.
    """
    classes = np.unique(y)
    mean = np.array([key[y == c].mean() for c in classes])
    spread = np.array([key[y == c].std() for c in classes])
    if len(classes) < _LEAST_CLUMPS:
        return False
    order = np.argsort(mean)
    apart = np.diff(mean[order])
    return bool((apart >= _CLUMPS * (spread[order][1:] + spread[order][:-1])).all())


def _ordered(key: np.ndarray, place: np.ndarray) -> bool:
    """Whether values rise or fall with the place of their row in the table."""
    if np.isnan(key).any() or len(np.unique(key)) < 0.9 * len(key):
        return False
    ranks = np.argsort(np.argsort(key, kind="stable"), kind="stable")
    return bool(abs(np.corrcoef(ranks, place)[0, 1]) >= _IN_ORDER)
