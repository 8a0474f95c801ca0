"""Copies across a split, exact and near, and rows with equal inputs and unlike targets.

A row that was copied and touched up a little lies far closer to its copy than chance explains.
Where rows spread smoothly in m dimensions, the nearest of the ten nearest train rows, at distance
d_1 of a dev row, and the tenth, at d_10, obey

    P(d_1 / d_10 <= t) = 1 - (1 - t^m)^9

since the nine inner ones lie in the ball of radius d_10 as if at random. The dimension comes from
the same distances, the nearest left out (Levina and Bickel 2004; with the nearest two: Facco et al.
2017): that which three quarters of the rows exceed, as it varies from place to place. A dev row is
a near copy when the chance of its ratio is below 0.01 over the number of dev rows: of a table
without copies one in 100 has a row that is called one. Where rows do not obey the law (most inputs
are categories, rows come in tight clusters), nothing is told of single copies.

Rows that come in groups of near copies, as repeated measurements of one unit do, are clusters of
a few rows each with nothing around: the j nearest train rows, and then a gap up to d_(j+1), of
chance (d_j / d_(j+1))^(j m), with m from the distances beyond it. They are told (DW204) where half
of the dev rows lie before gaps of which one row in 100 has one by chance, and inputs take many
values, so that no two rows are near by sharing categories.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepwell.records import Copies

LEVEL = 0.01  # chance of a near copy where there is none, in a whole table
NEIGHBORS = 10
_LOOKED_AT, _MOST_MATES = 20, 12  # neighbors, and those of them that a group may hold
_APART = 0.33  # of the distance to the next rows: as far as members of a group may lie apart
_MOSTLY = 0.5  # of the rows lie in groups where a table is one of groups
_MANY_VALUES = 0.2  # of the rows, in half of the inputs: no categories
_LEAST_TRAIN, _LEAST_DEV = 40, 10
_CLOSE = 0.2  # of the distance to the tenth neighbor: farther ones are no copies, whatever is rare
_PRODUCTS = 2e8  # multiply-adds of the distances
_MOST_PAIRS = 1_000_000
_ODD = 0.05  # of the ratios this share are this rare, by the law,
_ODD_MOST = 0.15  # and where so many are, the law does not hold
_CAUTIOUS = 0.75  # quantile of what rows say of 1 / dimension
_TIED = 0.2  # share of rows with as many neighbors at one distance that are too many


@dataclass(frozen=True)
class NearCopies:
    """The outcome.

    Attributes:
        count: near copies among the rows that were looked at; None where the law does not hold.
        rows: of dev that were looked at; train_rows: that these were compared with.
        dimension: m of the law; NaN where it was not estimated.
        why: nothing is told, in a few words.
        grouped: rows of dev that lie in a group of near copies with train rows.
        mates: train rows in such a group, on average.
    """

    count: int | None
    rows: int
    train_rows: int
    dimension: float
    why: str = ""
    grouped: int = 0
    mates: float = 0.0


def row_numbers(*columns: np.ndarray) -> np.ndarray:
    """Return (n,) numbers from 0 without gaps that are equal where rows are, bit for bit.

    Args:
        columns: arrays of n rows, (n,) or (n, k); 0 and -0 are equal.
    """
    return np.unique(row_words(*columns), return_inverse=True)[1]


def row_words(*columns: np.ndarray) -> np.ndarray:
    """Return (n,) uint64 hashes of rows; those of different tables may be compared.

    Args:
        columns: arrays of n rows, (n,) or (n, k), read piece by piece; 0 and -0 are equal.
    """
    words = np.zeros(len(columns[0]), np.uint64)
    draws = np.random.default_rng(0)
    for part in columns:
        wide = part.reshape(len(part), -1)
        factors = draws.integers(0, 2**63, wide.shape[1], dtype=np.uint64) * np.uint64(2) + _ONE
        step = _MOST_PAIRS // max(1, wide.shape[1]) + 1
        for first in range(0, len(wide), step):
            rows = slice(first, first + step)
            cells = wide[rows]
            if cells.dtype.kind == "f":
                cells = (cells.astype(np.float32) + np.float32(0)).view(np.uint32)
            cells = (cells.astype(np.uint64) + _ONE) * factors
            words[rows] += (cells ^ (cells >> _HALF)).sum(axis=1, dtype=np.uint64)
    return words


_ONE, _HALF = np.uint64(1), np.uint64(32)


def conflicting_rows(inputs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return (n,) whether a row's inputs come again with another target.

    No model can be right about all of them: they bound what is possible.

    Args:
        inputs: (n,) numbers that are equal where the inputs are, as `row_words` gives them.
        y: (n,) targets.
    """
    order = np.argsort(inputs, kind="stable")
    starts = np.flatnonzero(np.r_[True, inputs[order][1:] != inputs[order][:-1]])
    group = np.cumsum(np.r_[False, inputs[order][1:] != inputs[order][:-1]])
    low = np.minimum.reduceat(y[order], starts)
    high = np.maximum.reduceat(y[order], starts)
    conflicting = np.empty(len(y), bool)
    conflicting[order] = (low != high)[group]
    return conflicting


def copies_across(
    train: tuple[np.ndarray, np.ndarray],
    dev: tuple[np.ndarray, np.ndarray],
    seed: int,
    *,
    by_chance: bool = False,
) -> Copies:
    """Return how many dev rows are train rows again.

    Args:
        train: (n, D) inputs and (n,) targets.
        dev: (k, D) inputs and (k,) targets.
        seed: of the sample, where there are more rows than are compared.
        by_chance: whether rows that are equal are no copies.
    """
    inputs, whole = ([row_words(*part[:k]) for part in (train, dev)] for k in (1, 2))
    exact = np.isin(whole[1], whole[0])
    same_inputs = np.isin(inputs[1], inputs[0]) & ~exact
    near = near_copies(train[0], dev[0][~exact & ~same_inputs], seed)
    return Copies(
        rows=len(dev[1]),
        train_rows=len(train[1]),
        exact=int(exact.sum()),
        inputs=int(same_inputs.sum()),
        near=near.count,
        expected=LEVEL,
        dimension=near.dimension,
        why=near.why,
        conflicting=int(conflicting_rows(inputs[0], train[1]).sum()),
        by_chance=by_chance,
        grouped=near.grouped,
        looked_at=near.rows,
        mates=near.mates,
        looked_among=near.train_rows,
    )


def near_copies(train: np.ndarray, dev: np.ndarray, seed: int) -> NearCopies:
    """Return how many rows of dev are near copies of train rows.

    Args:
        train: (n, D) normalized inputs.
        dev: (k, D) of rows whose inputs are in no train row.
        seed: of the sample, where there are more rows than are compared.
    """
    generator = np.random.default_rng(seed)
    train, dev = _sampled(train, dev, generator)
    sizes = (len(dev), len(train))
    if len(train) < _LEAST_TRAIN or len(dev) < _LEAST_DEV:
        return NearCopies(None, *sizes, np.nan, "too few rows")
    apart = _distances(train, dev)
    nearest, further = apart[:, 0], apart[:, 1:NEIGHBORS]
    positive = (nearest > 0) & (further[:, 0] > 0)
    if (~positive).mean() > _TIED or _tied(further) > _TIED:
        return NearCopies(None, *sizes, np.nan, "too many rows are equally far apart")
    nearest, further = nearest[positive], further[positive]
    ratios = further[:, :-1] / further[:, -1:]
    spread = -np.log(np.maximum(ratios, 1e-12)).mean(axis=1)
    dimension = float(1.0 / max(float(np.quantile(spread, _CAUTIOUS)), 1e-6))
    ratio = nearest / further[:, -1]
    chance = -np.expm1((NEIGHBORS - 1) * np.log1p(-np.minimum(ratio**dimension, 1 - 1e-12)))
    found = (chance <= LEVEL / len(dev)) & (ratio < _CLOSE)
    odd = (chance <= _ODD) & ~found
    if odd.mean() > _ODD_MOST:
        why = "neighbors lie in clusters"
        return NearCopies(None, *sizes, dimension, why, *_grouped(train, apart))
    return NearCopies(int(found.sum()), *sizes, dimension, "", *_grouped(train, apart))


def _grouped(train: np.ndarray, apart: np.ndarray) -> tuple[int, float]:
    """Return how many rows lie in groups of near copies, and how many train rows with each.

    Nothing where fewer than half of the rows do, or most inputs take few values.

    Args:
        train: (n, D) inputs.
        apart: (k, 20) distances to the nearest train rows.
    """
    apart = np.maximum(apart, 1e-12)
    ratio = apart[:, :_MOST_MATES] / apart[:, 1 : _MOST_MATES + 1]
    mates = ratio.argmin(axis=1) + 1
    gap = ratio.min(axis=1)
    # beyond the gap rows spread as others do, and tell the dimension
    places = np.arange(_LOOKED_AT - 1)
    beyond = (places >= mates[:, None]).astype(np.float64)
    expected = np.cumsum((1.0 / (places + 1))[::-1])[::-1]  # of log(d_20 / d_i), times m
    logs = np.log(apart[:, -1:] / apart[:, :-1])
    spread = (logs * beyond).sum(axis=1) / (expected * beyond).sum(axis=1)
    dimension = 1.0 / max(float(np.quantile(spread, _CAUTIOUS)), 1e-6)
    chance = _MOST_MATES * gap ** (mates * dimension)
    found = (chance <= LEVEL) & (gap < _APART)
    if found.mean() < _MOSTLY or not _of_many_values(train):
        return 0, 0.0
    return int(found.sum()), float(mates[found].mean())


def _of_many_values(train: np.ndarray) -> bool:
    """Whether half of the inputs that vary take many values."""
    varying = train[:, np.ptp(train, axis=0) > 0]
    values = [len(np.unique(column)) for column in varying.T]
    return bool(values) and bool(np.median(values) >= _MANY_VALUES * len(train))


def _distances(train: np.ndarray, dev: np.ndarray) -> np.ndarray:
    """Return (k, 20) distances to the nearest train rows, ascending."""
    train, dev = train.astype(np.float32), dev.astype(np.float32)
    square = (train**2).sum(axis=1)
    found: list[np.ndarray] = []
    step = max(1, _MOST_PAIRS // len(train))
    for first in range(0, len(dev), step):
        part = dev[first : first + step]
        apart = square - 2 * (part @ train.T)  # less the part's own square, alike for all
        near = np.argpartition(apart, _LOOKED_AT, axis=1)[:, :_LOOKED_AT]
        found.append(np.sort(np.linalg.norm(train[near] - part[:, None], axis=2), axis=1))
    return np.concatenate(found).astype(np.float64)


def _tied(further: np.ndarray) -> float:
    """Return the share of rows of which two neighbors of the ten are equally far."""
    gap = np.diff(further, axis=1)
    return float((gap <= 1e-6 * further[:, 1:]).any(axis=1).mean())


def _sampled(
    train: np.ndarray, dev: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return so many rows that the distances between them are affordable.

    Dev rows are left out first: without its twin in train no copy is seen.
    """
    pairs = _PRODUCTS / max(1, train.shape[1])
    rows = int(min(len(dev), max(200, pairs / max(1, len(train)))))
    most = int(max(_LEAST_TRAIN, pairs / max(1, rows)))
    if rows < len(dev):
        dev = dev[np.sort(generator.choice(len(dev), rows, replace=False))]
    if most < len(train):
        train = train[np.sort(generator.choice(len(train), most, replace=False))]
    return train, dev
