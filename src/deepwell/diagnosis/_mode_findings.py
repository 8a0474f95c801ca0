"""Do train and prediction mode agree? Batch norm's averages against what batches say.

In training, batch normalization takes the moments of the batch; at prediction, averages over past
batches. Both modes must find the same rows about equally easy. How much of a difference is the
batches' own: the cost of a batch under the moments of *another* batch. Averages of many batches
that do worse than a single other batch are off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepwell.records import Estimate, Finding

from ._check_finding import Check, check_finding
from ._metrics import METRICS
from ._paired_runs import Effect, effect
from ._texts import change_text

LEVEL = 0.01


@dataclass(frozen=True)
class ModeCosts:
    """Costs of the same train batches, dropout off, one entry a batch.

    Attributes:
        trained: with the batch's own moments, as in training.
        swapped: with the moments of another batch.
        predicted: with the averages, as at prediction.
    """

    trained: np.ndarray
    swapped: np.ndarray
    predicted: np.ndarray


def mode_finding(
    costs: ModeCosts | None, gain: Estimate | None, metric: str, worth: float
) -> Finding:
    """Return DW411: `problem` where the averages are off and exact ones score better.

    Args:
        costs: of the network's batches; None without batch norm.
        gain: dev score with the averages less that with exact statistics of all train rows, on
            the same dev rows; None where the network has those, or no batch norm.
        metric: what the scores are.
        worth: smallest change of the score that matters.
    """
    source = "cost of each batch under the moments of another batch"
    change, values = "exact statistics", {"batch_norm_statistics": "exact"}
    if costs is None:
        check = Check(None, None, source)
        return check_finding(
            "DW411", "ok", "no batch moments, or exact ones at prediction", "", check
        )
    found = _worse_than_swapped(costs)
    check = Check(
        measured=found.without,
        threshold=found.with_it,
        threshold_source=source,
        change=change,
        values=values,
        p_value=found.p_value,
        more={
            "train_mode_cost": float(costs.trained.mean()),
            "batches": len(costs.trained),
            "score_gain": None if gain is None else gain.to_plain(),
            "worth": worth,
        },
    )
    detail = (
        f"cost of train batches {costs.trained.mean():.3g} in training, {found.without:.3g} at "
        f"prediction, {found.with_it:.3g} with another batch's moments"
    )
    if not averages_off(costs):
        return check_finding("DW411", "ok", "train and prediction modes agree", detail, check)
    if gain is not None and gain.low > 0 and gain.value >= worth:
        detail += f"; exact statistics: dev {METRICS[metric].label} better by " + change_text(
            gain, METRICS[metric].percent
        )
        return check_finding(
            "DW411", "problem", "train and prediction modes disagree", detail, check
        )
    return check_finding("DW411", "ok", "modes differ, but no harm", detail, check)


def averages_off(costs: ModeCosts) -> bool:
    """Return whether the averages do worse than the moments of a single other batch."""
    found = _worse_than_swapped(costs)
    return found.gain > 0 and found.p_value <= LEVEL


def _worse_than_swapped(costs: ModeCosts) -> Effect:
    return effect(
        costs.predicted.tolist(), costs.swapped.tolist(), worst=float(np.nanmax(costs.swapped))
    )
