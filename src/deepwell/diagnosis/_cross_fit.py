"""Cross-fitting: what is chosen on some rows is measured on others, and every row is measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

PARTS = 5


def random_folds(y: np.ndarray, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give the rows of each of five random parts, with the same shares of classes, and the others.

    Args:
        y: (n,) class numbers; n at least 2.
        seed: of the draw.

    Yields:
        Rows that are measured, and rows that choose; a part without rows is left out.
    """
    order = np.random.default_rng(seed).permutation(len(y))
    by_class = order[np.argsort(np.asarray(y)[order], kind="stable")]
    part = np.empty(len(y), np.intp)
    part[by_class] = np.arange(len(y)) % PARTS
    for one in range(min(PARTS, len(y))):
        yield np.flatnonzero(part == one), np.flatnonzero(part != one)
