"""Random parts of the train rows, nested in one another: what learning curves are made of.

The rows are put into a random order in which every beginning has the classes' shares, up to less
than one row of each. The first r rows of it are the part of r rows, so that a larger part of the
same choice holds the smaller ones, as more data would.
"""

from __future__ import annotations

import numpy as np

from deepwell._base._hash import Purpose, fold, key, permutation, words


def subset_order(
    subset: int,
    strata: np.ndarray,
    weight: np.ndarray,
    together: np.ndarray | None = None,
) -> np.ndarray:
    """Return the numbers of the train rows in the order in which parts take them in.

    Of a class with n_c rows the j-th one, counted from 0 in random order, has the place
    (j + u_c) / n_c with one random u_c in [0, 1); rows come in the order of their places. Every
    row is equally likely at every place, and r rows hold r n_c / n of the class, rounded up or
    down. Rows that stay together follow one another, in a random order of the groups.

    >>> order = subset_order(1, np.repeat([0, 1], [60, 30]), np.ones(90))
    >>> np.bincount(np.repeat([0, 1], [60, 30])[order[:30]]).tolist()
    [20, 10]

    Args:
        subset: which choice, counted from 1; the same one is the same order for ever.
        strata: (n,) class numbers; zeros for a regression.
        weight: (n,) how much rows count; those of weight 0 are in no part.
        together: (n,) rows with equal numbers follow one another; None where each is on its own.

    Returns:
        (m,) int32 numbers of the m rows that count.
    """
    draws = fold(key(subset), Purpose.SUBSET)
    counting = np.flatnonzero(weight > 0)
    if together is not None and len(np.unique(together[counting])) < len(counting):
        _, block = np.unique(together[counting], return_inverse=True)
        place = np.argsort(permutation(draws, int(block.max()) + 1))
        return counting[np.argsort(place[block], kind="stable")].astype(np.int32)
    place = np.empty(len(counting))
    of_class = strata[counting]
    shuffled = permutation(draws, len(counting))
    for stratum in np.unique(of_class):
        mine = shuffled[of_class[shuffled] == stratum]
        offset = words(fold(fold(draws, 1), int(stratum)), (1,))[0] / 2.0**32
        place[mine] = (np.arange(len(mine)) + offset) / len(mine)
    return counting[np.argsort(place, kind="stable")].astype(np.int32)
