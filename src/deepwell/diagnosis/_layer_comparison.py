"""One layer of a network against the same layer of its healthy twins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ._layer_symptoms import PER_LAYER, Symptom


@dataclass(frozen=True)
class Compared:
    """One layer against its twins: chance of so much, what the chance allows, beyond all."""

    p_value: float
    limit: float
    beyond_all: bool


_NOTHING = Compared(1.0, math.nan, False)


def compare(symptom: Symptom, here: float, there: np.ndarray, units: int, level: float) -> Compared:
    """Return how unlike its twins' a layer's figure is.

    Args:
        symptom: that the figures are of.
        here: the network's figure.
        there: its twins', NaN for unknown.
        units: of the layer.
        level: chance that is allowed.
    """
    there = there[np.isfinite(there)]
    if not math.isfinite(here) or len(there) < 2:
        return _NOTHING
    beyond = bool((symptom.sign * (here - there) > 0).all())
    if symptom.unit_share:
        p, limit = share_test(here, there, units, level)
    else:
        p, limit = ratio_test(symptom.sign, here, there, level)
    return Compared(p, limit, beyond)


def ratio_test(sign: int, here: float, there: np.ndarray, level: float) -> tuple[float, float]:
    """Return p-value and limit of one more value like the twins' (t prediction interval).

    Logarithms of norms of sums of many terms are near normal. Few twins that happen to agree
    would make a needle's width a symptom, so their spread counts as a factor of 2 at least: what
    the gate asks of a single layer.
    """
    from scipy.special import stdtr, stdtrit  # type: ignore[import-untyped]

    k = len(there)
    spread = max(float(there.std(ddof=1)), math.log10(PER_LAYER)) * math.sqrt(1 + 1 / k)
    t = sign * (here - float(there.mean())) / spread
    limit = float(there.mean()) + sign * float(stdtrit(k - 1, 1 - level)) * spread
    return float(stdtr(k - 1, -t)), limit


def share_test(here: float, there: np.ndarray, units: int, level: float) -> tuple[float, float]:
    """Return p-value and limit of a share of units, by Fisher's exact test.

    Of all units of the layer, the network's and its twins', as many are affected as there are;
    how likely is it that the network has so many of them?
    """
    k = len(there)
    affected, others = round(here * units), round(float(there.sum()) * units)
    p = _hypergeometric(affected, units, affected + others, (k + 1) * units)
    low, high = -1, units  # the share of all units has a chance of at most `level`, or none has
    while high - low > 1:
        middle = (low + high) // 2
        if _hypergeometric(middle, units, middle + others, (k + 1) * units) <= level:
            high = middle
        else:
            low = middle
    limit = high
    return p, limit / units


def _hypergeometric(seen: int, drawn: int, marked: int, total: int) -> float:
    """Return P(X >= seen) of the marked among `drawn` of `total`, of which `marked` are marked."""
    most = min(drawn, marked)
    base = _log_choose(total, drawn)
    terms = [
        _log_choose(marked, n) + _log_choose(total - marked, drawn - n) - base
        for n in range(seen, most + 1)
        if drawn - n <= total - marked
    ]
    return min(1.0, sum(math.exp(term) for term in terms))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
