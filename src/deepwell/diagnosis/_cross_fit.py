"""Cross-fitting: what is chosen on some rows is measured on others, and every row is measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

PARTS = 5


def random_folds(
    y: np.ndarray, seed: int = 0, group: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give the rows of each of five random parts, with the same shares of classes, and the others.

    Args:
        y: (n,) class numbers; n at least 2.
        seed: of the draw.
        group: (n,) whole numbers; rows of one number are in one part, where there are two groups
            or more, and a group goes by the class of its first row. None for rows of their own.

    Yields:
        Rows that are measured, and rows that choose; a part without rows is left out.
    """
    y, unit = np.asarray(y), np.arange(len(y))
    if group is not None and len(np.unique(group)) > 1:
        _, first, unit = np.unique(group, return_index=True, return_inverse=True)
        y = y[first]
    order = np.random.default_rng(seed).permutation(len(y))
    by_class = order[np.argsort(y[order], kind="stable")]
    part = np.empty(len(y), np.intp)
    part[by_class] = np.arange(len(y)) % PARTS
    for one in range(min(PARTS, len(y))):
        yield np.flatnonzero(part[unit] == one), np.flatnonzero(part[unit] != one)
