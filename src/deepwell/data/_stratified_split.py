"""Random splits in which each class has its share of each part; one class makes it plain random."""

from __future__ import annotations

import dataclasses

import numpy as np

from deepwell._base._hash import Key, fold, permutation, words

from ._split import DEV, TEST, TRAIN, Split, SplitInput


def stratified_split(given: SplitInput) -> Split:
    """Return parts of exactly the wanted sizes in which classes have the shares they have overall.

    Of each class a part gets its share rounded down or up; each class with at least 3 rows gets
    a row of every part where the part has as many places as there are such classes; a class
    always keeps one row in train. Sizes deviate only where copies of a row, which stay together,
    do not fit.
    """
    counts = np.bincount(given.strata)
    test = _class_quotas(counts, counts, given.sizes.test)
    dev = _class_quotas(counts, counts - test, given.sizes.dev)
    parts = np.full(len(given.strata), TRAIN, np.int8)
    order = np.argsort(given.strata, kind="stable")
    for stratum, rows in enumerate(np.split(order, np.cumsum(counts)[:-1])):
        wanted = np.array([len(rows) - dev[stratum] - test[stratum], dev[stratum], test[stratum]])
        parts[rows] = _fill(given.units[rows], wanted, fold(given.key, stratum))
    _fill_empty_parts(parts, given)
    return Split(parts)


def random_split(given: SplitInput) -> Split:
    """Return parts of exactly the wanted sizes, drawn at random.

    Sizes deviate only where copies of a row, which stay together, do not fit.
    """
    one_class = np.zeros_like(given.strata)
    return stratified_split(dataclasses.replace(given, strata=one_class))


def _class_quotas(counts: np.ndarray, free: np.ndarray, total: int) -> np.ndarray:
    """Return how many rows of each class go to a part of `total` rows.

    Largest remainders: each class gets its share rounded down, then the classes cut most get one
    more. One row of each class stays free for train.
    """
    share = total * counts / counts.sum()
    most = np.maximum(free - 1, 0)
    least = ((counts >= 3) & (most > 0) & (total > 0)).astype(np.int64)
    if least.sum() > total:
        rare_first = np.argsort(counts, kind="stable")
        least[rare_first[np.cumsum(least[rare_first]) <= least.sum() - total]] = 0
    quota = np.clip(np.floor(share).astype(np.int64), least, most)
    while quota.sum() < total and (quota < most).any():
        lack = np.where(quota < most, share - quota, -np.inf)
        chosen = np.argsort(-lack, kind="stable")[: total - quota.sum()]
        quota[chosen[quota[chosen] < most[chosen]]] += 1
    while quota.sum() > total:
        excess = np.where(quota > least, quota - share, -np.inf)
        quota[np.argmax(excess)] -= 1
    return quota


def _fill(units: np.ndarray, wanted: np.ndarray, draw: Key) -> np.ndarray:
    """Return the part of each row of one class: units whole, parts as full as wanted."""
    _, unit, sizes = np.unique(units, return_inverse=True, return_counts=True)
    part_of_unit = np.full(len(sizes), TRAIN, np.int8)
    left = wanted.copy()
    order = permutation(draw, len(sizes))
    copied = order[sizes[order] > 1]
    chances = words(fold(draw, 1), (len(sizes),)) / 2.0**32
    for one in copied:
        part = _draw_part(left, int(sizes[one]), float(chances[one]))
        part_of_unit[one] = part
        left[part] -= sizes[one]
    single = order[sizes[order] == 1]
    tests = single[: max(left[TEST], 0)]
    devs = single[len(tests) : len(tests) + max(left[DEV], 0)]
    part_of_unit[tests] = TEST
    part_of_unit[devs] = DEV
    return part_of_unit[unit]


def _fill_empty_parts(parts: np.ndarray, given: SplitInput) -> None:
    """Give an empty part the smallest unit of the part that has most to spare.

    Parts stay empty only where nearly all rows are copies of a few.
    """
    wanted = np.array([given.sizes.train, given.sizes.dev, given.sizes.test])
    for part in np.flatnonzero((np.bincount(parts, minlength=len(wanted)) == 0) & (wanted > 0)):
        spare = np.bincount(parts, minlength=len(wanted)) - wanted
        for donor in np.argsort(-spare, kind="stable"):
            units, sizes = np.unique(given.units[parts == donor], return_counts=True)
            if len(units) > 1:
                parts[given.units == units[np.argmin(sizes)]] = part
                break


def _draw_part(left: np.ndarray, size: int, chance: float) -> int:
    """Return a part with room for `size` rows, by chance in proportion to its room."""
    room = np.where(left >= size, left, 0)
    if not room.any():
        return int(np.argmax(left))
    return int(np.searchsorted(np.cumsum(room) / room.sum(), chance, side="right"))
