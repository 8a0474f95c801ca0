"""Did a change of a network help? Scores of runs with and without it, seed by seed.

Runs of one seed share initial weights, masks and batches, so their difference is the change's
doing. If it did nothing, each difference would as well have come with the other sign: the share
of sign patterns whose mean is at least the measured one is an exact p-value, whatever the
distribution of scores (Fisher 1935, The Design of Experiments, section 21).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ._changes import Change
from ._curves import Curves, shows_learning

_AGREES = 0.05
_MAY = 0.1
_MOST_EXACT = 12  # runs: 4,096 sign patterns


@dataclass(frozen=True)
class Effect:
    """What a change did to the score; lower scores are better.

    Attributes:
        gain: mean of score without it less score with it.
        p_value: of a gain at least as large where the change does nothing, one-sided.
        runs: pairs of runs.
        without, with_it: mean scores.
        agrees: whether the cost fell as well: on noise, a score gets lower by luck wherever it
            fluctuates more, but the cost does not.
        learnt: whether the score with the change shows learning.
    """

    gain: float
    p_value: float
    runs: int
    without: float
    with_it: float
    agrees: bool = True
    learnt: bool = True

    def to_plain(self) -> dict[str, object]:
        """Return the effect for JSON."""
        return {
            "gain": self.gain,
            "p_value": self.p_value,
            "runs": self.runs,
            "without": self.without,
            "with": self.with_it,
            "cost_agrees": self.agrees,
            "shows_learning": self.learnt,
        }


@dataclass(frozen=True)
class Tried:
    """What several changes did.

    Attributes:
        changes: that there was a reason to try.
        effects: of each of them; empty where none was tried.
    """

    changes: tuple[Change, ...] = ()
    effects: tuple[Effect, ...] = ()


def effect(without: Sequence[float], with_it: Sequence[float], worst: float) -> Effect:
    """Return what a change did.

    >>> effect([0.3, 0.4, 0.5], [0.1, 0.1, 0.1], worst=0.9).p_value
    0.125

    Args:
        without: (k,) scores of the runs as they were, k from 1 to 12.
        with_it: (k,) scores of the same seeds with the change.
        worst: score that a run without a finite one counts as, at least: the constant guess's. It
            never counts as better than any run, of either side, that has one.
    """
    if not 1 <= len(without) == len(with_it) <= _MOST_EXACT:
        raise ValueError(
            f"as many runs with and without, 1 to {_MOST_EXACT}, got {len(with_it)} and "
            f"{len(without)}"
        )
    before, after = _bounded(np.array([without, with_it], np.float64), worst)
    gains = before - after
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=len(gains))))
    tolerance = 1e-12 * float(np.abs(gains).sum())
    sums: np.ndarray = signs @ gains
    least = float(gains.sum()) - tolerance
    p = float(np.count_nonzero(sums >= least)) / len(sums)
    return Effect(float(gains.mean()), p, len(gains), float(before.mean()), float(after.mean()))


def helps(found: Effect, worth: float, significant: float) -> bool:
    """Return whether a change helped by what matters, and by more than chance."""
    return _real(found) and found.gain >= worth and found.p_value <= significant


def may_help(found: Effect, worth: float, comparisons: int) -> bool:
    """Return whether a change that is not sure to help may well do so: too likely to deny it."""
    close = found.p_value * comparisons <= _MAY
    return _real(found) and found.gain >= worth and close


def best_of(effects: Sequence[Effect], worth: float, significant: float) -> int:
    """Return which of several changes to tell: of those that help, else of all, what gains most.

    A larger gain of which one run makes the most may be chance, where a smaller one is none.
    """
    sure = [n for n, found in enumerate(effects) if helps(found, worth, significant)]
    return max(sure or range(len(effects)), key=lambda n: effects[n].gain)


def agreeing(score: Effect, cost: Effect) -> Effect:
    """Return the effect on the score, with whether that on the cost agrees."""
    return replace(score, agrees=cost.gain > 0 and cost.p_value <= _AGREES)


def learning(score: Effect, cost: Effect, curves: Curves, constant: float) -> Effect:
    """Return the effect on the score; of what has learnt nothing it is luck.

    Args:
        score: what a change did to the score.
        cost: what it did to the cost.
        curves: of the network that was changed.
        constant: score of the guess that is best for the dev rows, as for `shows_learning`.
    """
    learnt = shows_learning(curves, score.with_it, constant)
    return replace(agreeing(score, cost), learnt=learnt)


def _real(found: Effect) -> bool:
    return found.agrees and found.learnt


def _bounded(scores: np.ndarray, worst: float) -> np.ndarray:
    finite = np.isfinite(scores)
    known = [float(score) for score in (*scores[finite], worst) if math.isfinite(score)]
    return np.where(finite, scores, max(known, default=0.0))
