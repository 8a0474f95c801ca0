"""The curves of one network's training, and which change of its score matters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ._metrics import METRICS
from ._trend import Trend, trend

LATE, EARLY = 0.75, 0.1
SIGNIFICANT = 0.01 / 3  # three checks of one curve: together at most 1 in 100
TRIED = 0.02  # chance of a gain where a change of the training does nothing
_SHARE_WORTH = 0.01


@dataclass(frozen=True)
class Curves:
    """One network's training, an epoch an entry.

    Attributes:
        train_cost, dev_cost, dev_score: (T,); lower is better.
        best_epoch: of the best dev score, counted from 1.
        metric: what the score is.
        constant: the constant guess's dev score, in the same unit.
        dev_rows: that the scores are of.
        anneals: whether the learning rate falls to 0 at the last epoch, as by cosine decay.
        stopped_early: whether patience ended it.
        diverged: whether it ended since its cost left all bounds.
        l2: the network's penalty.
        standard_error: of the best dev score over the choice of rows, which counts classes, weights
            and groups; None takes that of rows that count alike.
        others: of the best other networks of the study, best epochs as shares of their epochs.
    """

    train_cost: np.ndarray
    dev_cost: np.ndarray
    dev_score: np.ndarray
    best_epoch: int
    metric: str
    constant: float
    dev_rows: int
    anneals: bool = False
    stopped_early: bool = False
    diverged: bool = False
    l2: float = 0.0
    standard_error: float | None = None
    others: tuple[float, ...] = ()

    @property
    def epochs(self) -> int:
        """T, epochs trained."""
        return len(self.dev_score)

    @property
    def finite(self) -> bool:
        """Whether it did not diverge, and all that was recorded is a finite number."""
        every = (self.train_cost, self.dev_cost, self.dev_score)
        return not self.diverged and all(np.isfinite(curve).all() for curve in every)

    @property
    def position(self) -> float:
        """Share of the training after which the best score came."""
        return self.best_epoch / max(1, self.epochs)


def worth(metric: str, constant: float) -> float:
    """Return the smallest change of a score that matters to a training decision.

    A hundredth of what the constant guess loses, and of metrics in [0, 1] a hundredth, 1 point.

    >>> worth("error", constant=0.9), worth("rmse", constant=50.0)
    (0.01, 0.5)
    """
    if METRICS[metric].bounded:
        return _SHARE_WORTH
    return _SHARE_WORTH * abs(constant) if math.isfinite(constant) else math.inf


def worth_source(metric: str) -> str:
    """Return in words where the smallest change that matters comes from.

    >>> worth_source("error")
    'what matters: 1 point, or a standard error of the score on the dev rows'
    """
    least = "1 point" if METRICS[metric].bounded else "1 % of the constant guess's score"
    return f"what matters: {least}, or a standard error of the score on the dev rows"


def _row_error(curves: Curves) -> float:
    """Return about what the lowest score would change by on other dev rows, one standard error.

    Where that is not known, sqrt(s (1 - s) / n) for shares and s / sqrt(2 n) for roots of mean
    squares: right for rows that count alike, not for metrics that few rows of one class carry.
    """
    finite = curves.dev_score[np.isfinite(curves.dev_score)]
    least, n = float(finite.min()) if len(finite) else curves.constant, max(1, curves.dev_rows)
    known = curves.standard_error
    if METRICS[curves.metric].bounded:
        return math.sqrt(max(0.0, least * (1 - least)) / n) if known is None else known
    known = abs(least) / math.sqrt(2 * n) if known is None else known
    # A score without a bound may be a million times the guess's: its error would hide any gain.
    return known * min(1.0, curves.constant / least) if least > 0 else known


def matters(curves: Curves) -> float:
    """Return the change of a score that matters and that is not the luck of few dev rows.

    `worth`, or a standard error of the score where that is more: as of a difference between two
    scores on the same rows that correlate by one half.
    """
    return max(worth(curves.metric, curves.constant), _row_error(curves))


def shows_learning(curves: Curves, score: float, constant: float) -> bool:
    """Return whether a mean score of several runs is one that a network of pure noise has not.

    Two standard errors below that of any constant guess: the lowest of many epochs is lower than
    the guess by luck alone, in every run alike since all are scored on the same rows.

    Args:
        curves: of the network.
        score: mean of the runs.
        constant: score of the guess that is best for these dev rows, which train rows need not
            make: by luck a network says the class that is more frequent there.
    """
    return score <= min(constant, curves.constant) - 2 * _row_error(curves)


def has_learnt(curves: Curves) -> bool:
    """Return whether the network was ever better than the constant guess: else it cannot lose it.

    Three standard errors, since the lowest of many epochs is low by luck on noise.
    """
    return float(np.min(curves.dev_score)) < curves.constant - 3 * _row_error(curves)


_NONE = Trend(0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0)


def line(curve: np.ndarray) -> Trend:
    """Return the trend of a curve, or one that says nothing where there are too few epochs."""
    return trend(curve) or _NONE


def place(curves: Curves) -> dict[str, object]:
    """Return where the best epoch lies, for the evidence of a finding."""
    late = sum(share > LATE for share in curves.others)
    return {
        "best_epoch": curves.best_epoch,
        "epochs": curves.epochs,
        "others": len(curves.others),
        "others_late": late,
        "others_early": sum(share <= EARLY for share in curves.others),
    }


def place_text(curves: Curves) -> str:
    """Return the same in words."""
    return f"best at epoch {curves.best_epoch:,} of {curves.epochs:,}"


def label(curves: Curves) -> str:
    """Return what the score is called."""
    return METRICS[curves.metric].label
