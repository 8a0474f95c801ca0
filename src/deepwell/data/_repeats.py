"""Do rows repeat because they were copied, or because their columns have few values?

A copied row must not lie on both sides of a split. Where columns have few values, though, rows of
different things agree by chance, and to keep those together would part the labels of an input: all
its rows of one class in train, all of another in dev. The two are told apart
by rows whose inputs agree in all columns but one. Of P pairs of rows that agree in all but column
j, which have the same value there with chance c if it is by chance,

    E = (P - P_0) c / (1 - c)

agree in j as well; P_0 is how many do. Among copies of rows with many values hardly a pair differs
in one column alone, so E is about 0; where rows agree by chance E is P_0, or less where columns
depend on each other. The column with the largest E decides, of those that vary: half of P_0 counts
as chance. A table with one input has no others to agree in: it repeats by chance where a value
comes four times in the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ._stable_hash import mix64

_LEAST_SHARE = 0.01  # of the rows: fewer repeats part no labels that matter
_LEAST_PAIRS = 10  # below which columns are not asked
_MOST_ROWS = 50_000  # that are looked at
_MOST_COLUMNS = 32
_BY_CHANCE = 0.5
_VARIES = 0.9  # pairs with the same value: a flag that hardly varies says nothing of chance
_OFTEN = 4  # times that a value of the only input comes in the mean


def split_units(
    sums: np.ndarray,
    target: np.ndarray,
    columns: int,
    words: Callable[[range], Iterator[np.ndarray]],
) -> tuple[np.ndarray, bool]:
    """Return what a split may not cut, and whether rows repeat by chance.

    Args:
        sums: (n,) uint64 sums, over the inputs and the target, of each row's words.
        target: (n,) uint64 words of the target.
        columns: how many inputs there are.
        words: gives the (n,) uint64 words of the inputs at these places; called if rows repeat.

    Returns:
        (n,) uint64 numbers, equal for copies; all different where rows repeat by chance.
    """
    repeated = len(sums) - len(np.unique(sums))
    if repeated >= _LEAST_SHARE * len(sums) and _by_chance(sums - target, columns, words):
        return np.arange(len(sums), dtype=np.uint64), True
    return mix64(sums), False


def _by_chance(
    inputs: np.ndarray, columns: int, words: Callable[[range], Iterator[np.ndarray]]
) -> bool:
    if columns <= 1:
        return len(inputs) >= _OFTEN * len(np.unique(inputs))
    rows = np.arange(len(inputs))
    if len(inputs) > _MOST_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(len(inputs), _MOST_ROWS, replace=False))
    whole = inputs[rows]
    alike = _pairs(whole)
    if alike < _LEAST_PAIRS:
        return False
    others = len(rows) * (len(rows) - 1) / 2 - alike
    if others == 0:
        return False
    for column in words(range(0, columns, -(-columns // _MOST_COLUMNS))):
        here = column[rows]
        apart = _pairs(whole - here) - alike
        chance = (_pairs(here) - alike) / others
        telling = chance <= _VARIES and apart >= _LEAST_PAIRS
        if telling and apart * chance >= _BY_CHANCE * alike * (1 - chance):
            return True
    return False


def _pairs(words: np.ndarray) -> float:
    """Return how many pairs of rows have equal words."""
    counts = np.unique(words, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1)).sum() / 2)
