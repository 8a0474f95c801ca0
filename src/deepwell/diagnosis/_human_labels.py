"""People's answers on the same rows: an idea of the best possible score, with its own interval."""

from __future__ import annotations

import numpy as np

from deepwell.records import Estimate, Finding

from ._best_possible import BestPossible
from ._intervals import estimate, paired_difference
from ._metrics import METRICS, Metric
from ._texts import change_text

SOURCE = "human labels"
_LEAST_PAIRED = 100  # train rows with a human label, from which the two are compared row by row


def human_best(
    metric: Metric,
    train: tuple[np.ndarray, np.ndarray, np.ndarray],
    held_out: tuple[np.ndarray, np.ndarray],
    seed: int = 0,
) -> BestPossible | None:
    """Return the best possible score as people reach it.

    Args:
        metric: what is measured.
        train: targets, the network's predictions and people's, of the train rows that people
            labeled; may be empty.
        held_out: targets and people's predictions of other rows; may be empty.
        seed: of the resampling.

    Returns:
        People's score on all these rows, and the network's train score less theirs, paired where
        at least 100 train rows have both; None where no row has a human label.
    """
    y, said, human = train
    rows = np.concatenate([y, held_out[0]]), np.concatenate([human, held_out[1]])
    if not len(rows[0]):
        return None
    paired = None
    if len(y) >= _LEAST_PAIRED and np.isfinite(said).all():
        paired = paired_difference(metric, y, said, human, seed=seed)
    return BestPossible(estimate(metric, *rows, seed=seed), SOURCE, paired)


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
