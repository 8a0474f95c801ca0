"""Did a change of a network help? Scores of runs with and without it, seed by seed.

Runs of one seed share initial weights, masks and batches, so their difference is the change's
doing. If it did nothing, each difference would as well have come with the other sign: the share
of sign patterns whose mean is at least the measured one is an exact p-value, whatever the
distribution of scores (Fisher 1935, The Design of Experiments, section 21).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

_MOST_EXACT = 12  # runs: 4,096 sign patterns


@dataclass(frozen=True)
class Effect:
    """What a change did to the score; lower scores are better.

    Attributes:
        gain: mean of score without it less score with it.
        p_value: of a gain at least as large where the change does nothing, one-sided.
        runs: pairs of runs.
        without, with_it: mean scores.
    """

    gain: float
    p_value: float
    runs: int
    without: float
    with_it: float

    def to_plain(self) -> dict[str, object]:
        """Return the effect for JSON."""
        return {
            "gain": self.gain,
            "p_value": self.p_value,
            "runs": self.runs,
            "without": self.without,
            "with": self.with_it,
        }


def effect(without: np.ndarray, with_it: np.ndarray, worst: float) -> Effect:
    """Return what a change did.

    >>> effect(np.array([0.3, 0.4, 0.5]), np.array([0.1, 0.1, 0.1]), worst=0.9).p_value
    0.125

    Args:
        without: (k,) scores of the runs as they were, k from 1 to 12.
        with_it: (k,) scores of the same seeds with the change.
        worst: score that a run without a finite one counts as: the constant guess's.
    """
    if not 1 <= len(without) == len(with_it) <= _MOST_EXACT:
        raise ValueError(
            f"as many runs with and without, 1 to {_MOST_EXACT}, got {len(with_it)} and "
            f"{len(without)}"
        )
    before, after = (_bounded(scores, worst) for scores in (without, with_it))
    gains = before - after
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=len(gains))))
    tolerance = 1e-12 * float(np.abs(gains).sum())
    p = float(np.mean(signs @ gains >= gains.sum() - tolerance))
    return Effect(float(gains.mean()), p, len(gains), float(before.mean()), float(after.mean()))


def helps(found: Effect, worth: float, significant: float) -> bool:
    """Return whether a change helped by what matters, and by more than chance."""
    return found.gain >= worth and found.p_value <= significant


def _bounded(scores: np.ndarray, worst: float) -> np.ndarray:
    finite = worst if math.isfinite(worst) else 1.0
    return np.where(np.isfinite(scores), scores, max(finite, _largest(scores)))


def _largest(scores: np.ndarray) -> float:
    finite = scores[np.isfinite(scores)]
    return float(finite.max()) if len(finite) else -math.inf
