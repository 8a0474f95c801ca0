"""Ranks of scores, some of them equal."""

from __future__ import annotations

import numpy as np


def middle_ranks(score: np.ndarray) -> np.ndarray:
    """Return ranks from 0 in which equal scores share their mean."""
    number, count = np.unique(score, return_inverse=True, return_counts=True)[1:]
    return (np.cumsum(count) - (count + 1) / 2)[number]
