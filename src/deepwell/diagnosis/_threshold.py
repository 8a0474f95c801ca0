"""The decision threshold of two classes: from which probability on to say the second one.

Half is best for the error rate of right probabilities. Where classes are uneven and the other
figures count (F1, the balanced error, mistakes of unequal cost), another threshold is. It is
chosen on rows other than those it is measured on, since the best threshold of any rows flatters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.records import Estimate

from ._cross_fit import random_folds
from ._intervals import estimate, paired_difference
from .metrics._balanced_error import balanced_error
from .metrics._f1 import f1
from .metrics._metric import Metric, ratio
from .metrics._tally import Tally, weights

HALF = 0.5

Counts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Objective:
    """What a threshold is good for.

    Attributes:
        name: `f1`, `balanced_error` or `cost=5`.
        metric: the same, of decisions.
        of_counts: `(hits, false alarms, missed, rightly refused) -> loss`, arrays alike in shape.
    """

    name: str
    metric: Metric
    of_counts: Callable[[Counts], np.ndarray]


@dataclass(frozen=True)
class Threshold:
    """A decision threshold and what it changes.

    Attributes:
        objective: what it was chosen for, as in `f1`.
        label: the same in words.
        value: chosen on all rows: the second class is said where its probability is above.
        half: the loss at 0.5.
        change: of the loss, below 0 where the threshold helps: each row decided by a threshold
            that was chosen on other rows.
    """

    objective: str
    label: str
    value: float
    half: Estimate
    change: Estimate
    percent: bool

    @property
    def helps(self) -> bool:
        """Whether it is better than 0.5 on rows that did not choose it, clearly or not."""
        return self.change.value < 0

    def to_plain(self) -> dict[str, object]:
        """Return the threshold for JSON."""
        return {**vars(self), "half": self.half.to_plain(), "change": self.change.to_plain()}


def objective(name: str) -> Objective:
    """Return an objective by name: `f1`, `balanced_error`, or `cost=R`.

    R above 0 says how many false alarms weigh as much as one missed row of the second class.

    Raises:
        UsageError: when there is no such objective.
    """
    if name == "f1":
        return Objective(name, f1, _f1)
    if name == "balanced_error":
        return Objective(name, balanced_error, _balanced)
    head, _, text = name.partition("=")
    try:
        cost = float(text)
    except ValueError:
        cost = 0.0
    if head == "cost" and 0 < cost < float("inf"):
        return _cost_objective(cost)
    raise UsageError(
        f"a threshold must be for f1, balanced_error or cost=R with R above 0, got "
        f"{safe_text(name)}; cost=5 says that one missed row is as bad as five false alarms"
    )


def decided(second: np.ndarray, threshold: float) -> np.ndarray:
    """Return decisions as (n, 2) ones and zeros: the second class where `second` is above.

    >>> decided(np.array([0.2, 0.4]), 0.3).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    said = (np.asarray(second) > threshold).astype(np.float64)
    return np.stack([1 - said, said], axis=1)


def best_threshold(
    goal: Objective, y: np.ndarray, second: np.ndarray, weight: np.ndarray | None = None
) -> float:
    """Return the threshold with the least loss on these rows, of equal ones that nearest to 0.5.

    Args:
        goal: what it is for.
        y: (n,) 0 or 1.
        second: (n,) probabilities of the second class.
        weight: (n,) sample weights.
    """
    w = weights(len(y), weight)
    order = np.argsort(second, kind="stable")
    values, w, positive = second[order], w[order], (np.asarray(y) == 1)[order]
    missed = np.concatenate([[0.0], np.cumsum(w * positive)])  # below the k-th lowest
    refused = np.concatenate([[0.0], np.cumsum(w * ~positive)])
    # nothing lies below a probability of 0, so no threshold says the second class everywhere then
    between = np.concatenate([[values[0] > 0], values[1:] > values[:-1], [True]])
    inside = (values[1:] + values[:-1]) / 2
    cuts = np.concatenate([[values[0] / 2], inside, [(values[-1] + 1) / 2]])
    counts = (missed[-1] - missed, refused[-1] - refused, missed, refused)
    losses = np.where(between, goal.of_counts(counts), np.inf)
    # 0.5 itself is a cut: where it is as good as its neighbors, it stays
    at = int(np.searchsorted(values, HALF, side="right"))
    cuts[at] = HALF
    losses[at] = goal.of_counts(tuple(c[at : at + 1] for c in counts))[0]  # type: ignore[arg-type]
    best = np.flatnonzero(losses <= np.nanmin(losses) + 1e-12)
    return float(cuts[best[np.argmin(np.abs(cuts[best] - HALF))]])


def decision_threshold(
    goal: Objective,
    y: np.ndarray,
    second: np.ndarray,
    weight: np.ndarray | None = None,
    seed: int = 0,
    group: np.ndarray | None = None,
) -> Threshold:
    """Return the threshold of these rows, and what thresholds of other rows do to each row.

    Args:
        goal: what it is for.
        y: (n,) 0 or 1.
        second: (n,) probabilities of the second class.
        weight: (n,) sample weights.
        seed: of the five random parts, each decided by the threshold of the others.
        group: (n,) whole numbers, equal for rows that belong together: they are in one part, and
            are resampled together.
    """
    w = weights(len(y), weight)
    said = np.zeros((len(y), 2))
    for inside, outside in random_folds(y, seed, group):
        chosen = best_threshold(goal, y[outside], second[outside], w[outside])
        said[inside] = decided(second[inside], chosen)
    half = decided(second, HALF)
    return Threshold(
        goal.name,
        goal.metric.label,
        best_threshold(goal, y, second, w),
        estimate(goal.metric, y, half, weight, seed, group),
        paired_difference(goal.metric, y, said, half, weight, seed, group),
        goal.metric.percent,
    )


def _f1(counts: Counts) -> np.ndarray:
    hits, alarms, missed, _ = counts
    return 1 - np.nan_to_num(ratio(2 * hits, 2 * hits + alarms + missed), nan=0.0)


def _balanced(counts: Counts) -> np.ndarray:
    hits, alarms, missed, refused = counts
    rates = np.stack([ratio(missed, hits + missed), ratio(alarms, alarms + refused)])
    return np.nanmean(rates, axis=0)


def _cost_objective(cost: float) -> Objective:
    def sums(y: np.ndarray, prediction: np.ndarray, tally: Tally) -> np.ndarray:
        wrong = prediction.argmax(axis=1) != y
        paid = np.where(y == 1, cost, 1.0) * wrong
        return np.stack([tally.total(paid), tally.total(np.ones(len(y)))], axis=-1)

    def combine(sums: np.ndarray) -> np.ndarray:
        return ratio(sums[..., 0], sums[..., 1])

    def of_counts(counts: Counts) -> np.ndarray:
        hits, alarms, missed, refused = counts
        return ratio(cost * missed + alarms, hits + alarms + missed + refused)

    name = f"cost={cost:g}"
    label = f"mean cost ({cost:g} for a missed row, 1 for a false alarm)"
    metric = Metric(name, label, "classification", False, False, sums, combine, of_decisions=True)
    return Objective(name, metric, of_counts)
