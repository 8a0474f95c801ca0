"""People's answers on the same rows: an idea of the best possible score, with its own interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.records import Estimate, Finding

from ._best_possible import BestPossible
from ._intervals import estimate, paired_difference
from ._metrics import METRICS, Metric
from ._texts import change_text

SOURCE = "human labels"
_LEAST_PAIRED = 100  # train rows with a human label, from which the two are compared row by row


@dataclass(frozen=True, eq=False)
class Answered:
    """Rows that people labeled.

    Attributes:
        y: (n,) targets, class numbers or values.
        human: (n, C) or (n,) what people said, as the metric takes it.
        weight: (n,) sample weights; None where all count alike.
        group: (n,) whole numbers, equal for rows that belong together; None for rows of their own.
    """

    y: np.ndarray
    human: np.ndarray
    weight: np.ndarray | None = None
    group: np.ndarray | None = None


def human_best(
    metric: Metric,
    train: Answered,
    said: np.ndarray,
    held_out: Sequence[Answered],
    seed: int = 0,
) -> BestPossible | None:
    """Return the best possible score as people reach it.

    Args:
        metric: what is measured.
        train: the train rows that people labeled; may be none.
        said: what the network says of these.
        held_out: other rows that people labeled; may be none.
        seed: of the resampling.

    Returns:
        People's score on all these rows, and the network's train score less theirs, paired where
        at least 100 train rows have both; None where no row has a human label.
    """
    parts = [one for one in (train, *held_out) if len(one.y)]
    if not parts:
        return None
    paired, y = None, train.y
    if len(y) >= _LEAST_PAIRED and np.isfinite(said).all():
        paired = paired_difference(metric, y, said, train.human, train.weight, seed, train.group)
    rows = (np.concatenate([p.y for p in parts]), np.concatenate([p.human for p in parts]))
    weight = None
    if any(p.weight is not None for p in parts):
        own = [np.ones(len(p.y)) if p.weight is None else p.weight for p in parts]
        weight = np.concatenate(own)
    known = [p.group for p in parts if p.group is not None]
    group = np.concatenate(known) if len(known) == len(parts) else None
    return BestPossible(estimate(metric, *rows, weight, seed, group), SOURCE, paired)


def compare_with_people(metric: str, difference: Estimate, rows: int) -> list[Finding]:
    """Return DW119: the network against people on the same dev rows.

    Args:
        metric: name of the metric.
        difference: network less people, paired; below 0 the network is better.
        rows: dev rows with a human label.
    """
    told = METRICS[metric]
    level, claim = "unsure", "not clearly better or worse than people"
    if difference.high < 0:
        level, claim = "ok", "better than people"
    elif difference.low > 0:
        level, claim = "problem", "worse than people"
    change = change_text(difference, told.percent)
    detail = f"difference in {told.label} {change} on {rows:,} dev rows that people labeled"
    evidence: dict[str, object] = {
        "metric": metric,
        "difference": difference.to_plain(),
        "rows": rows,
    }
    return [Finding("DW119", level, claim, detail, evidence)]
