"""Splits in which no group (a patient, a customer, a machine) is in two parts."""

from __future__ import annotations

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._hash import fold, permutation

from ._names import count_of
from ._split import DEV, PARTS, TEST, TRAIN, Split, SplitInput

CANDIDATES = 32  # random orders that are tried; the best balanced one is taken
CROWDED = 0.5  # groups joined by copied rows may not hold more than this share of the rows


def group_split(given: SplitInput) -> Split:
    """Return parts made of whole groups, near the wanted sizes and shares of classes.

    Groups are laid in random order and cut where test and dev are full; of 32 orders the one with
    sizes and class shares nearest to the wanted is taken. Groups that hold copies of the same
    row are joined, unless that would join nearly all of them.

    Raises:
        UsageError: when there is no group column, or fewer groups than parts.
    """
    if given.groups is None:
        raise UsageError("a split by group needs the group column; give --group COLUMN")
    groups, notes = joined_groups(given.groups, given.units)
    _, group = np.unique(groups, return_inverse=True)
    count = int(group.max()) + 1
    wanted = np.array([given.sizes.train, given.sizes.dev, given.sizes.test])
    needed = int((wanted > 0).sum())
    if count < needed:
        raise UsageError(
            f"a split by group needs at least {needed} groups, got {count}; choose another split "
            "or another column"
        )
    classes = int(given.strata.max()) + 1
    table = np.bincount(group * classes + given.strata, minlength=count * classes)
    table = table.reshape(count, classes)
    candidates = [
        _cut(permutation(fold(given.key, trial), count), table.sum(axis=1), wanted)
        for trial in range(CANDIDATES)
    ]
    candidates.append(_largest_first(table.sum(axis=1), wanted))
    best = min(candidates, key=lambda part_of_group: _imbalance(part_of_group, table, wanted))
    return Split(best[group], notes)


def _cut(order: np.ndarray, sizes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the part of each group: a group goes where the middle of its rows falls."""
    ends = np.cumsum(sizes[order])
    middles = ends - sizes[order] / 2
    parts = np.full(len(order), TRAIN, np.int8)
    parts[order[middles < wanted[TEST] + wanted[DEV]]] = DEV
    parts[order[middles < wanted[TEST]]] = TEST
    return parts


def _largest_first(sizes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the part of each group, each going where most rows are still missing."""
    parts = np.full(len(sizes), TRAIN, np.int8)
    left = wanted.astype(np.float64)
    empty = {int(part) for part in np.flatnonzero(wanted)}
    for placed, one in enumerate(np.argsort(-sizes, kind="stable")):
        must_fill = len(empty) >= len(sizes) - placed
        part = max(empty if must_fill else (TRAIN, DEV, TEST), key=lambda p: left[p])
        parts[one] = part
        left[part] -= sizes[one]
        empty.discard(part)
    return parts


def _imbalance(part_of_group: np.ndarray, table: np.ndarray, wanted: np.ndarray) -> float:
    """Return how far sizes and class shares are off; infinite when a wanted part is empty."""
    total = table.sum()
    overall = table.sum(axis=0) / total
    score = 0.0
    for part in np.flatnonzero(wanted):
        inside = table[part_of_group == part].sum(axis=0)
        if inside.sum() == 0:
            return float("inf")
        score += abs(inside.sum() - wanted[part]) / total
        score += float(np.abs(inside / inside.sum() - overall).sum()) / len(PARTS)
    return score


def joined_groups(groups: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return groups with those that share a copied row made one, and a note where it cannot be."""
    pairs = np.unique(np.stack([units, groups]), axis=1)
    repeated, times = np.unique(pairs[0], return_counts=True)
    crossing = repeated[times > 1]
    if not len(crossing):
        return groups, ()
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, group = np.unique(groups, return_inverse=True)
    _, unit = np.unique(units, return_inverse=True)
    size = len(names) + int(unit.max()) + 1
    edges = coo_array((np.ones(len(groups)), (group, unit + len(names))), shape=(size, size))
    _, label = connected_components(edges, directed=False)
    joined = label[group]
    largest = int(np.bincount(joined).max())
    if largest > CROWDED * len(groups) and largest > int(np.bincount(group).max()):
        rows = int(np.isin(units, crossing).sum())
        note = (
            f"{count_of(rows, 'row')} with equal content in different groups: left in their "
            "groups, since keeping them together would join nearly all groups"
        )
        return groups, (note,)
    return joined, ()
