"""Is the gradient too noisy for the batch size? Larger batches at the same rate, tried.

A train cost that jumps about has two causes. Steps that are too long jump whatever they are
computed from; the noise of small batches goes away with larger ones. So the same network is
trained with batches four times as large, at the same rate and for as many epochs, that is with a
quarter of the steps: where it does better all the same, noise was in the way (Smith, Kindermans,
Ying & Le 2018, "Don't decay the learning rate, increase the batch size": the noise of descent
goes with rate over batch size). Where a lower rate does better still, that is told instead.

Batch norm on fewer than 16 rows is a second sign: its means and variances are then as noisy as
they are informative, and the error rises (Wu and He 2018, "Group Normalization", section 1).
"""

from __future__ import annotations

from collections.abc import Sequence

from deepwell.records import Finding, Trial

from ._check_finding import Check, check_finding
from ._curves import Curves, worth_source
from ._metrics import METRICS
from ._paired_runs import Effect, helps
from ._rate_findings import rough
from ._texts import figure_text

LARGER = 4  # times the batch size: halves the noise
LEVEL = 0.02
NORMED = 16  # rows of a batch below which batch norm's statistics are mostly noise
_NEIGHBOURS = 4  # networks of larger batches from which on the search has answered the question


def sign_of_noise(curves: Curves, constant_cost: float, batch: int, *, normed: bool) -> str:
    """Return in words why batches may be too small, nothing where they are not. A gate.

    Args:
        curves: of the network.
        constant_cost: train cost of the constant guess.
        batch: its batch size.
        normed: whether it has batch norm.
    """
    if rough(curves.train_cost, constant_cost):
        return "train cost rough"
    return f"batch norm on {batch} rows" if normed and batch < NORMED else ""


def larger_batch(batch: int, rows: int, *, normed: bool) -> int:
    """Return the batch size to try; 0 where the rows allow none.

    Args:
        batch: its batch size.
        rows: train rows, of which a batch may be a quarter at most.
        normed: whether it has batch norm, which gets 32 rows or more.
    """
    larger = max(LARGER * batch, 2 * NORMED if normed and batch < NORMED else 0)
    return larger if LARGER * larger <= rows else 0


def searched_batches(others: Sequence[Trial], best: Trial) -> bool:
    """Return whether four configurations or more with larger batches came out no better.

    Args:
        others: configurations that say something about their batches; of folds one each.
        best: the best one.
    """
    batch = best.spec.whole("batch_size")
    return sum(t.spec.whole("batch_size") >= 2 * batch for t in others) >= _NEIGHBOURS


def noise_finding(
    metric: str, sign: str, cure: Effect | None, batch: int | None, worth: float
) -> Finding:
    """Return DW415: `problem` for a sign of noise where larger batches do better.

    Args:
        metric: what the scores are.
        sign: of noise, by `sign_of_noise`.
        cure: what larger batches did; None where they were not tried.
        batch: the larger size; 0 where there was none to try, None where such networks cannot be.
        worth: smallest change of the score that matters.
    """
    change = f"batches of {batch}" if batch else ""
    check = Check(
        measured=None if cure is None else cure.gain,
        threshold=worth,
        threshold_source=worth_source(metric),
        change=change,
        values={"batch_size": batch} if batch else {},
        p_value=None if cure is None else cure.p_value,
        more={"change_effect": None if cure is None else cure.to_plain()},
    )
    if not sign:
        return check_finding("DW415", "ok", "train cost not rough", "", check)
    if batch is None:
        why = "no other batch size was tried for such a network"
        return check_finding("DW415", "unsure", sign, why, check)
    if not batch:
        why = "the search tried larger batches, or few rows allow none"
        return check_finding("DW415", "ok", sign, why, check)
    if cure is None:
        why = "larger batches would take more than a hundredth of the study's time"
        return check_finding("DW415", "unsure", sign, why, check)
    percent, label = METRICS[metric].percent, METRICS[metric].label
    before, after = (figure_text(score, percent) for score in (cure.without, cure.with_it))
    detail = (
        f"{sign}: dev {label} {before}, {after} with batches of {batch}: {cure.runs} pairs of runs"
    )
    if helps(cure, worth, LEVEL):
        return check_finding("DW415", "problem", "too noisy for the batch size", detail, check)
    return check_finding("DW415", "ok", f"{sign}, but larger ones do no better", detail, check)
