"""Rows that an earlier study has seen, found by their hashes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PARTS = ("train", "dev", "test")


@dataclass(frozen=True)
class RowReuse:
    """Rows of a new test set that an earlier study has already used.

    Attributes:
        study: name of the earlier study.
        part: what they were there: `train`, `dev`, or `test` rows of an opened vault.
        rows: how many rows of the new test set these are.
    """

    study: str
    part: str
    rows: int


def count_known(hashes: np.ndarray, known: np.ndarray) -> int:
    """Return how many of `hashes` occur in `known`; repeated rows count each time.

    Args:
        hashes: (N,) uint64, in any order.
        known: (K,) uint64, sorted.

    >>> count_known(np.array([3, 9, 3], np.uint64), np.array([1, 3], np.uint64))
    2
    """
    if known.size == 0:
        return 0
    at = np.minimum(np.searchsorted(known, hashes), known.size - 1)
    return int(np.count_nonzero(known[at] == hashes))
