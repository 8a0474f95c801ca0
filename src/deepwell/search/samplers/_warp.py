"""Scores made fit for a Gaussian process: robust units, and a warp that is learned.

The warp is z = log(1 + y / c) of the excess y >= 0 over the best score: the scores themselves as c
grows, their logarithms as it shrinks. Costs that span decades, and the tail of networks that
diverged, then do not drown what happens near the best.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Units:
    """The units of the scores: y = (score - low) / spread."""

    low: float
    spread: float


def standardized(scores: np.ndarray) -> tuple[np.ndarray, Units]:
    """Return scores as the excess over the best, in units of the median excess, (n,).

    An infinite score becomes the worst finite one: it is known to be bad, not how bad.
    """
    known = scores[np.isfinite(scores)]
    if not len(known):
        return np.zeros_like(scores), Units(0.0, 1.0)
    low, high = float(known.min()), float(known.max())
    excess = np.clip(np.where(np.isfinite(scores), scores, high), low, high) - low
    positive = excess[excess > 0]
    spread = float(np.median(positive)) if len(positive) else 1.0
    spread = spread if math.isfinite(spread) and spread > 0 else 1.0
    return np.minimum(excess / spread, 1e12), Units(low, spread)


def warped(scores: np.ndarray, offset: float | None) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Return z, dz / d log c, sum of log z'(y) and its derivative by log c.

    Args:
        scores: y >= 0, (n,).
        offset: log c; None for z = y.
    """
    if offset is None:
        return scores, np.zeros_like(scores), 0.0, 0.0
    c = math.exp(offset)
    share = c / (scores + c)
    bend = -np.log(scores + c).sum()
    return np.log1p(scores / c), share - 1.0, float(bend), -float(share.sum())


@dataclass(frozen=True)
class Warp:
    """z = log(1 + y / c), or z = y where `offset`, which is log c, is None."""

    offset: float | None

    def forward(self, scores: np.ndarray) -> np.ndarray:
        """Return the warped scores."""
        return warped(scores, self.offset)[0]

    def back(self, z: np.ndarray) -> np.ndarray:
        """Return the scores of warped ones."""
        if self.offset is None:
            return z
        return math.exp(self.offset) * np.expm1(np.minimum(z, 700.0))
