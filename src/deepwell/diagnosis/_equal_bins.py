"""Bins of probabilities with equal counts of rows."""

from __future__ import annotations

import numpy as np

BINS = 10
_LEAST_IN_BIN = 10


def equal_bins(said: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Return the bin of each probability: bounds at quantiles, equal values together.

    Args:
        said: (n,) probabilities.
        bins: at most so many, each of 10 rows or more where the values differ.
    """
    wanted = max(1, min(bins, len(said) // _LEAST_IN_BIN))
    bounds = np.quantile(said, np.linspace(0, 1, wanted + 1)[1:-1])
    return np.searchsorted(bounds, said)
