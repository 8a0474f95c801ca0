"""A network that cannot learn two rows by heart, or twenty, will learn nothing from many.

The same rows are trained on and scored, all in each batch, without dropout and penalties. They are
chosen so that a fit exists (see `apart`). Fitted means a cost below that of one row left unfitted:

    classes   log 2 v_min     whatever its weight, a row in the wrong class costs more than that
    numbers   variance v_min  a typical row at the mean costs as much

with v_min the least share of a row in the batch's weight, 1/n where all count the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepwell.training._program import Member, State
from deepwell.training._state import initial_state

from ._first_steps_bench import Bench, bare
from ._first_steps_rows import Sample
from ._first_steps_start import constant_loss

STEPS = 600  # the budget; a healthy network needs a tenth of it
_SEEDS = 3
_CALL = 15  # steps whose mean cost is looked at
RATES = (0.001, 0.003, 0.01, 0.03)  # of Adam, beside the network's own rule
RATES_OF = {
    **dict.fromkeys(("adam", "rmsprop"), (0.003, 0.01, 0.03)),
    "adagrad": (0.03, 0.1, 0.3),
    **dict.fromkeys(("sgd", "momentum"), (0.01, 0.1, 0.5)),
    **dict.fromkeys(("velocity", "nesterov"), (0.001, 0.01, 0.05)),
}


@dataclass(frozen=True)
class Fit:
    """A fit of a few rows.

    Attributes:
        found: the fields of `FewRows`.
        state: of the member that fitted best.
        moved: share of the output layer's weights that the network's own rule moves in the first
            steps; steps smaller than a weight's rounding are lost.
    """

    found: dict[str, Any]
    state: State
    moved: float


def few_rows(
    bench: Bench,
    members: Sequence[Member],
    sample: Sample,
    rows: np.ndarray,
    most: int = STEPS,
) -> Fit:
    """Fit some rows until the first of the members has done so.

    Where nothing was learned, less than one row, the same is tried from other seeds: units that are
    dead on just these rows are bad luck, not a fault.

    Args:
        bench: holds the sample.
        members: the network with several rules and rates, `tries` of it.
        sample: the rows of the bench.
        rows: those to fit, at least 2.
        most: the budget of steps.
    """
    fit = _fit(bench, members, sample, rows, most)
    for again in range(1, _SEEDS):
        if fit.found["loss"] <= fit.found["constant"] - fit.found["threshold"]:
            break
        others = [replace(m, seed=(m.seed + again) % 2**64) for m in members]
        other = _fit(bench, others, sample, rows, most)
        if other.found["loss"] < fit.found["loss"]:
            fit = replace(other, moved=fit.moved)
    return fit


def _fit(
    bench: Bench, members: Sequence[Member], sample: Sample, rows: np.ndarray, most: int
) -> Fit:
    few = Sample(sample.x[rows], sample.y[rows], sample.weight[rows])
    a = members[0].architecture
    constant = constant_loss(few, a.loss, a.outputs)
    threshold = _one_row(few, constant, a.loss)
    batches = [rows] * _CALL
    with np.errstate(over="ignore", invalid="ignore"):
        ended, costs = bench.advance(members, [None] * len(members), batches)
        moved = _kept(ended, initial_state(members[0]), f"weights/{a.layers - 1}")
        least, steps = np.fmin(costs, np.inf), _CALL
        while steps < most and not least.min() < threshold:
            ended, costs = bench.advance(members, ended, batches)
            least, steps = np.fmin(least, costs), steps + _CALL
    best = int(least.argmin())
    found = {
        "rows": len(rows),
        "fitted": bool(least[best] < threshold),
        "loss": float(least[best]),
        "threshold": float(threshold),
        "constant": constant,
        "steps": steps,
        "optimizer": members[best].optimizer,
        "learning_rate": members[best].number("learning_rate"),
    }
    return Fit(found, ended[best], moved)


def tries(member: Member, *, adam: bool) -> list[Member]:
    """Return the network with its own rule and rate, and with rates at which small fits succeed.

    Args:
        member: the network.
        adam: whether the program has other rules than the member's own: Adam then takes them.
    """
    own = bare(member, member.number("learning_rate"))
    if adam:
        return [own, *(bare(member, rate, optimizer="adam") for rate in RATES)]
    rates = RATES_OF.get(member.optimizer)
    if rates is None:  # of an unknown rule no rate is known to do
        rates = tuple(member.number("learning_rate") * factor for factor in (10.0, 100.0, 1000.0))
    return [own, *(bare(member, rate) for rate in rates)]


def _kept(states: Sequence[State], begun: State, layer: str) -> float:
    """Return the share of a layer's weights that the first member's own rule moves.

    Of those that another member moved: a weight whose input is always 0 never moves. NaN where
    there are none.
    """
    moved = [state[layer] != begun[layer] for state in states]
    others = np.any(moved[1:], axis=0)
    return float(moved[0][others].mean()) if others.any() else float("nan")


def _one_row(few: Sample, constant: float, loss: str) -> float:
    """Return what one row that is not fitted costs, by the row that weighs least."""
    share = float(few.weight.min() / few.weight.sum(dtype=np.float64))
    return share * (constant if loss == "squared" else float(np.log(2)))
