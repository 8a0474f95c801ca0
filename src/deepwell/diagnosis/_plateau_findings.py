"""Does the train cost stand still above what the same rows allow?

Every training ends flat; a plateau is flat too high. How high that is, healthy twins tell: on
pure noise they stand still at the same cost, and there is nothing to find.
"""

from __future__ import annotations

import math

import numpy as np

from deepwell.records import Finding

from ._check_finding import Check, check_finding
from ._curves import Curves
from ._metrics import METRICS
from ._paired_runs import Effect, helps
from ._texts import figure_text
from ._trend import trend

FLAT = 0.01  # of the constant guess's cost: a fall in the second half that is next to nothing
LEVEL = 0.02
_HIGH = 0.75  # share of that cost from which on a flat curve asks for twins: a gate


def fall_in_second_half(curves: Curves) -> float:
    """Return by how much a line through the second half of the train cost falls; NaN if unknown."""
    found = trend(curves.train_cost[curves.epochs // 2 :])
    return -found.change if found is not None else math.nan


def stands_still(curves: Curves, constant_cost: float) -> bool:
    """Return whether the train cost is flat and high: a reason to train twins, not a verdict."""
    last = float(np.mean(curves.train_cost[-max(1, curves.epochs // 8) :]))
    fall = fall_in_second_half(curves)
    return fall <= FLAT * constant_cost and last >= _HIGH * constant_cost


def plateau_finding(
    curves: Curves,
    constant_cost: float,
    worth: float,
    harm: Effect | None,
    change: tuple[str, dict[str, object]],
) -> Finding:
    """Return DW410: `problem` for a cost that stands still where healthy twins' scores are better.

    Args:
        curves: of the network.
        constant_cost: train cost of the constant guess.
        worth: smallest change of the score that matters.
        harm: gain of healthy twins over the network; None when none were trained.
        change: what would test it, in words and as hyperparameters.
    """
    fall = fall_in_second_half(curves)
    last = float(curves.train_cost[-1]) if curves.epochs else math.nan
    check = Check(
        measured=fall if math.isfinite(fall) else None,
        threshold=FLAT * constant_cost,
        threshold_source="1 % of the constant guess's cost, over the second half",
        change=change[0],
        values=change[1],
        p_value=None if harm is None else harm.p_value,
        more={
            "train_cost": last if math.isfinite(last) else None,
            "constant_cost": constant_cost,
            "harm": None if harm is None else harm.to_plain(),
            **({"change_effect": harm.to_plain()} if harm is not None and change[1] else {}),
            "worth": worth,
        },
    )
    if not stands_still(curves, constant_cost):
        return check_finding("DW410", "ok", "train cost no plateau", "", check)
    detail = f"train cost {last:.3g}, a constant guess's {constant_cost:.3g}, flat in the last half"
    if harm is None:
        return check_finding("DW410", "unsure", "plateau", f"{detail}; no twins trained", check)
    percent = METRICS[curves.metric].percent
    detail += (
        f"; dev {METRICS[curves.metric].label} {figure_text(harm.without, percent)}, healthy twins "
        f"{figure_text(harm.with_it, percent)}"
    )
    if helps(harm, worth, LEVEL):
        return check_finding("DW410", "problem", "plateau", detail, check)
    return check_finding("DW410", "ok", "train cost flat, as its twins' is", detail, check)
