"""Do two sets of rows come from the same place? A classifier tries to tell them apart (D5).

Ridge regression of the label "other set" on the inputs and their squares is fitted without a fifth
of the rows and scores that fifth, for each fifth, and

    AUC = P(score of a row of the other set > score of a train row),  pairs within a fifth

is 0.5 in the mean where labels mean nothing, whatever the sizes: fifths hold each label in its
share, and given the fifths every choice of labels within them is equally likely. So the same score
of shuffled labels is an exact test. Labels are shuffled by unit: copies of a row, or the rows of
a group, were dealt out together and stay so.

The p-value is that of sequential Monte Carlo (Besag and Clifford 1991): shuffles are drawn until
10 of them reach the AUC, p = 10 / shuffles, or 399 are drawn, p = (1 + reached) / 400. It is
valid at every size, and clean rows cost some twenty shuffles.

Telling two samples apart by a classifier: Friedman 2003, "On multivariate goodness-of-fit and
two-sample testing". Variance of the AUC: DeLong, DeLong and Clarke-Pearson 1988, for units of
several rows as Obuchowski 1997 sums it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

FOLDS = 5
MOST_SHUFFLES = 399
REACHED = 10
LEAST_UNITS = 8  # of each set: below it no AUC can be told from chance at 1 in 100
_BATCHES = (39, 120, 240)  # shuffles at a time, 399 in all
_PENALTY = 0.1  # of the mean second moment, beside the share of features to rows
_CONSTANT = 1e-9
_CLIP = 4.0  # standard deviations: a few outliers may not decide the direction
_WIDEST = 256  # features of a fit; more are summed up at random
_PRODUCTS = 2e8  # multiply-adds of the second moments
_MOST_ROWS = 20_000
_Z = 1.959963984540054


@dataclass(frozen=True)
class DomainTest:
    """The outcome.

    Attributes:
        auc, low, high: with its 95 % interval.
        p_value: as above; permutations: shuffles it was counted on.
        rows: of the first and of the other set that were used; units: among them.
    """

    auc: float
    low: float
    high: float
    p_value: float
    permutations: int
    rows: tuple[int, int]
    units: tuple[int, int]


def domain_test(
    train: np.ndarray,
    other: np.ndarray,
    units: tuple[np.ndarray, np.ndarray],
    seed: int,
) -> DomainTest | None:
    """Return how well two sets of rows are told apart; None where there are too few to tell.

    Args:
        train: (n, D) inputs, normalized.
        other: (k, D) inputs of the other set.
        units: (n,) and (k,) whole numbers: rows of a set with equal numbers were dealt out as one.
        seed: of the sampling, the fifths and the shuffles.
    """
    generator = np.random.default_rng(seed)
    width = _features(train.shape[1])
    first = _sampled(len(train), len(other), width, generator)
    second = _sampled(len(other), len(train), width, generator)
    blocks = [
        np.unique(one[rows], return_inverse=True)[1]
        for one, rows in zip(units, (first, second), strict=True)
    ]
    counts = (int(blocks[0].max(initial=-1)) + 1, int(blocks[1].max(initial=-1)) + 1)
    x = _prepared(np.concatenate([train[first], other[second]]), generator)
    if min(counts) < LEAST_UNITS or not x.shape[1]:
        return None
    unit = np.concatenate([blocks[0], blocks[1] + counts[0]])
    label = np.repeat(np.array([0.0, 1.0], np.float32), (len(first), len(second)))
    case = _case(x, unit, label, counts, generator)
    labels = case.label[:, None]
    scores = _scores(case, labels)
    observed = float(_pooled_auc(case, scores, labels)[0])
    p_value, shuffles, by_chance = _p_value(case, observed, generator)
    auc, deviation = _auc_with_deviation(case, scores[:, 0])
    # Folds share the rows that they are fitted on, which the pairs alone do not show.
    deviation = max(deviation, by_chance * 2 * math.sqrt(auc * (1 - auc)))
    return DomainTest(
        auc,
        max(0.0, auc - _Z * deviation),
        min(1.0, auc + _Z * deviation),
        p_value,
        shuffles,
        (len(first), len(second)),
        counts,
    )


@dataclass(frozen=True)
class _Case:
    """Rows in the order of their folds.

    Attributes:
        x: (n, F) features.
        unit: (n,) number of each row's unit, those of train first.
        label: (n,) 0 for train, 1 for the other set.
        starts: (FOLDS + 1,) first row of each fold, and the end.
        counts: units of both labels.
        fold_of_unit: (sum of counts,).
        solve: of each fold, the inverse of the others' penalized second moments.
    """

    x: np.ndarray
    unit: np.ndarray
    label: np.ndarray
    starts: np.ndarray
    counts: tuple[int, int]
    fold_of_unit: np.ndarray
    solve: tuple[np.ndarray, ...]

    def folds(self) -> list[slice]:
        return [slice(a, b) for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)]


def _case(
    x: np.ndarray,
    unit: np.ndarray,
    label: np.ndarray,
    counts: tuple[int, int],
    generator: np.random.Generator,
) -> _Case:
    """Return rows dealt into folds, each label's units evenly, and the fits prepared."""
    fold_of_unit = np.concatenate([generator.permutation(k) % FOLDS for k in counts])
    fold = fold_of_unit[unit]
    order = np.lexsort((generator.random(len(unit)), fold))  # ties in score: broken by chance
    starts = np.searchsorted(fold[order], np.arange(FOLDS + 1))
    case = _Case(x[order], unit[order], label[order], starts, counts, fold_of_unit, ())
    moments = [case.x[rows].T @ case.x[rows] for rows in case.folds()]
    whole: np.ndarray = np.sum(moments, axis=0)
    n, width = len(x), x.shape[1]
    invert: Any = np.linalg.inv  # its types are unknown for arrays of any type
    penalty = np.float32(n * (_PENALTY + width / n)) * np.eye(width, dtype=np.float32)
    solve = tuple(invert(whole - one + penalty) for one in moments)
    return replace(case, solve=solve)


def _scores(case: _Case, labels: np.ndarray) -> np.ndarray:
    """Return (n, B) scores of each row by the fits to the other folds' labels (n, B)."""
    y = labels - labels.mean(axis=0)
    sums = [case.x[rows].T @ y[rows] for rows in case.folds()]
    whole: np.ndarray = np.sum(sums, axis=0)
    parts = zip(case.folds(), sums, case.solve, strict=True)
    return np.concatenate([case.x[rows] @ (solve @ (whole - one)) for rows, one, solve in parts])


def _pooled_auc(case: _Case, scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return (B,) shares of the pairs within a fold in which the other set's row is higher."""
    wins = np.zeros(labels.shape[1])
    pairs = np.zeros(labels.shape[1])
    for rows in case.folds():
        order = np.argsort(scores[rows].T, axis=1)
        sorted_labels = np.take_along_axis(np.ascontiguousarray(labels[rows].T), order, axis=1)
        high = sorted_labels.sum(axis=1, dtype=np.float64)
        ranks = sorted_labels @ np.arange(order.shape[1], dtype=np.float64)
        wins += ranks - high * (high - 1) / 2
        pairs += high * (order.shape[1] - high)
    return wins / np.maximum(pairs, 1.0)


def _p_value(
    case: _Case, observed: float, generator: np.random.Generator
) -> tuple[float, int, float]:
    """Return the chance of such an AUC under shuffled labels, their number and deviation."""
    label_of_unit = np.repeat(np.array([0.0, 1.0], np.float32), case.counts)
    reached = drawn = 0
    seen: list[np.ndarray] = []
    for batch in _BATCHES:
        shuffled = np.tile(label_of_unit, (batch, 1))
        for fold in range(FOLDS):
            here = np.flatnonzero(case.fold_of_unit == fold)
            shuffled[:, here] = generator.permuted(shuffled[:, here], axis=1)
        labels = np.ascontiguousarray(shuffled.T[case.unit])
        seen.append(_pooled_auc(case, _scores(case, labels), labels))
        above = np.flatnonzero(seen[-1] >= observed)
        if reached + len(above) >= REACHED:
            place = drawn + int(above[REACHED - reached - 1]) + 1
            return REACHED / place, place, _deviation(seen)
        reached += len(above)
        drawn += batch
    return (1 + reached) / (1 + drawn), drawn, _deviation(seen)


def _deviation(aucs: Sequence[np.ndarray]) -> float:
    """Return the root mean square of what AUCs of shuffled labels differ from 0.5."""
    return float(np.sqrt(np.mean((np.concatenate(aucs) - 0.5) ** 2)))


def auc_of_units(
    train: np.ndarray, other: np.ndarray, units: tuple[np.ndarray, np.ndarray]
) -> tuple[float, float]:
    """Return the AUC of scores of two sets, ties counting half, and its deviation by units.

    Args:
        train: (n,) scores of train rows.
        other: (k,) of the other set's.
        units: (n,) and (k,) whole numbers, equal for rows that were dealt out as one.
    """
    numbers = [np.unique(one, return_inverse=True)[1] for one in units]
    counts = (int(numbers[0].max()) + 1, int(numbers[1].max()) + 1)
    unit = np.concatenate([numbers[0], numbers[1] + counts[0]])
    label = np.repeat(np.array([0.0, 1.0], np.float32), (len(train), len(other)))
    ends = np.array([0, len(unit)])
    case = _Case(np.zeros((len(unit), 0)), unit, label, ends, counts, np.zeros(sum(counts)), ())
    return _auc_with_deviation(case, np.concatenate([train, other]))


def _auc_with_deviation(case: _Case, score: np.ndarray) -> tuple[float, float]:
    """Return the AUC, ties counting half, and its standard deviation by units."""
    n = len(score)
    won = np.zeros(n)
    pairs = 0.0
    for rows in case.folds():
        part, high = score[rows], case.label[rows] > 0
        sides = [np.sort(part[~high]), np.sort(part[high])]
        middle = [
            (np.searchsorted(side, part, "left") + np.searchsorted(side, part, "right")) / 2
            for side in sides
        ]
        won[rows] = np.where(high, middle[0], len(sides[1]) - middle[1])
        pairs += float(len(sides[0]) * len(sides[1]))
    if not pairs:
        return 0.5, 0.5
    high = case.label > 0
    auc = float(won[high].sum() / pairs)
    # What a row wins less what one of its fold would win in the mean, summed by unit.
    variance = 0.0
    for side in (high, ~high):
        against = np.zeros(n)
        for rows in case.folds():
            against[rows] = np.count_nonzero(side[rows] ^ True)
        off = np.where(side, won - auc * against, 0.0)
        by_unit = np.bincount(case.unit, off)
        units = len(np.unique(case.unit[side]))
        variance += float((by_unit**2).sum()) * units / max(1, units - 1) / pairs**2
    return auc, math.sqrt(variance)


def _prepared(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return (n, F) float32: inputs and their squares, each of mean 0 and deviation 1.

    Whatever is fitted here looks at all rows alike, never at labels.
    """
    x = np.clip(x, -_CLIP, _CLIP, dtype=np.float32)
    inputs = x.shape[1]
    if inputs > _WIDEST:
        x = _summed(x, generator)
    elif _features(inputs) > inputs:
        x = np.concatenate([x, x * x], axis=1)
    spread = x.std(axis=0, dtype=np.float64)
    kept = spread > _CONSTANT
    if not kept.all():
        x, spread = x[:, kept], spread[kept]
    x = x - x.mean(axis=0, dtype=np.float64).astype(np.float32)
    return x / spread.astype(np.float32)


def _summed(x: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return (n, _WIDEST) sums of the columns with random signs, each in one sum."""
    n, inputs = x.shape
    share = -(-inputs // _WIDEST)
    signs = generator.choice(np.array([-1.0, 1.0], np.float32), inputs)
    order = generator.permutation(inputs)
    padded = np.zeros((n, share * _WIDEST), np.float32)
    padded[:, :inputs] = x[:, order] * signs
    return padded.reshape(n, _WIDEST, share).sum(axis=2)


def _features(inputs: int) -> int:
    """Return how many features there are: inputs, and their squares where these are few."""
    return 2 * inputs if 2 * inputs <= _WIDEST else min(inputs, _WIDEST)


def _sampled(rows: int, others: int, width: int, generator: np.random.Generator) -> np.ndarray:
    """Return the rows of one set that are used: all, or a sample in which both sets have room."""
    most = int(min(_MOST_ROWS, _PRODUCTS / max(1, width) ** 2))
    own = max(most // 2, most - others)
    return np.arange(rows) if rows <= own else np.sort(generator.choice(rows, own, replace=False))
