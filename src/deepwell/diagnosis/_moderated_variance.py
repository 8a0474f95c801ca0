"""Spreads of many small groups, each drawn towards what all have in common.

A handful of seeds tells a spread badly, but the arms of an experiment have spreads of the same
order. With s_g^2 the variance of group g, of d_g degrees of freedom, and a scaled inverse
chi-square prior of d_0 degrees of freedom around s_0^2 for the true ones (Smyth 2004, Statistical
Applications in Genetics and Molecular Biology 3, sections 3 and 6.2):

    moderated = (d_0 s_0^2 + d_g s_g^2) / (d_0 + d_g), of d_0 + d_g degrees of freedom

d_0 and s_0^2 come from the mean and the spread of log s_g^2 over the groups.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_FEWEST = 3  # groups that tell how much groups differ
_MANY = 100.0  # degrees of freedom of the prior, at most: no group is taken for exactly the common
_STEPS = 50


@dataclass(frozen=True)
class Moderated:
    """Moderated variances.

    Attributes:
        variance: (G,) of each group.
        freedom: (G,) their degrees of freedom; 0 for a group that tells nothing, beside which
            there is nothing to draw it to.
    """

    variance: np.ndarray
    freedom: np.ndarray


def moderated(variance: np.ndarray, freedom: np.ndarray) -> Moderated:
    """Return the variances drawn towards their common value.

    Args:
        variance: (G,) of each group, at least 0; of a group without freedom it does not count.
        freedom: (G,) their degrees of freedom, at least 0.
    """
    known = freedom > 0
    if known.sum() < _FEWEST or not (variance[known] > 0).any():
        return Moderated(np.where(known, variance, 0.0), freedom.astype(np.float64))
    prior, common = _prior(variance[known], freedom[known])
    total = prior + freedom
    return Moderated((prior * common + freedom * np.where(known, variance, 0.0)) / total, total)


def _prior(variance: np.ndarray, freedom: np.ndarray) -> tuple[float, float]:
    """Return d_0 and s_0^2."""
    from scipy.special import digamma, polygamma  # type: ignore[import-untyped]

    least = 1e-5 * float(np.median(variance[variance > 0]))  # a spread of 0 has no logarithm
    half = freedom / 2
    expected: np.ndarray = np.asarray(digamma(half), np.float64) - np.log(half)
    logs = np.log(np.maximum(variance, least)) - expected
    of_chance: np.ndarray = np.asarray(polygamma(1, half), np.float64)
    excess = float(logs.var(ddof=1) - of_chance.mean())
    prior = min(_MANY, 2 * _inverse_trigamma(excess)) if excess > 0 else _MANY
    drawn = np.asarray(digamma(prior / 2), np.float64).item() - math.log(prior / 2)
    return prior, math.exp(float(logs.mean()) + drawn)


def _inverse_trigamma(value: float) -> float:
    """Return y with trigamma(y) = value, by Newton's method on 1 / trigamma, which is convex."""
    from scipy.special import polygamma  # type: ignore[import-untyped]

    y = 0.5 + 1.0 / value
    for _ in range(_STEPS):
        now, slope = (np.asarray(polygamma(n, y), np.float64).item() for n in (1, 2))
        step = now * (1 - now / value) / slope
        y += step
        if abs(step) < 1e-8 * y:
            break
    return y
