"""A person lowers the learning rate of a live run."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.data._batches import epoch_order
from deepwell.execution._backends import choose_backend
from deepwell.execution._members import member_of
from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits
from deepwell.records import TrialSpec
from deepwell.training._program import Chunk
from deepwell.training._state import initial_state

EPOCHS, NUDGE, FACTOR = 40, 20, 0.1
RATE = 0.3


def _measure() -> dict[str, np.ndarray]:
    """Return the train cost by epoch of the same network, left alone and nudged."""
    task = digits().few(600)
    spec = TrialSpec(
        {
            "learning_rate": RATE,
            "optimizer": "sgd",
            "hidden_units": 64,
            "dropout": 0.3,
            "batch_size": 16,
            "patience": 0,
        },
        seed=0,
    )
    shape = task.shape()
    member = member_of(spec, shape.inputs, shape.outputs, shape.loss)
    backend = choose_backend(None)
    bucket = backend.plan({0: member, 1: member}, {0: 16, 1: 16}, EPOCHS, shape).buckets[0]
    session = backend.build(bucket, task.rows()).load([member] * 2, [initial_state(member)] * 2)
    costs = []
    for epoch in range(1, EPOCHS + 1):
        if epoch == NUDGE + 1:
            session.change(1, {"learning_rate": FACTOR * RATE})
        info = session.advance(Chunk(epoch_order(0, epoch, shape.train_rows, 16), epoch))
        costs.append(info.train_cost)
    alone, nudged = np.transpose(costs)
    return {"left alone": alone, f"α × {FACTOR:g} after epoch {NUDGE}": nudged}


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    axes = sheet.subplots()
    epochs = np.arange(1, EPOCHS + 1)
    for color, dash, (name, costs) in zip(
        style.colors, ("--", "-"), measured.items(), strict=False
    ):
        axes.plot(epochs, costs, dash, color=color, label=name)
    axes.axvline(NUDGE, color=style.quiet, linestyle=":", linewidth=1.2)
    axes.set(xlabel="epoch", ylabel="train cost (cross-entropy)", yscale="log", xlim=(1, EPOCHS))
    axes.legend()


CHANGE_BY_HAND = LabFigure(
    name="change-by-hand",
    shows="A lower rate in the middle of a live run settles the cost at once.",
    techniques=("O12",),
    measure=_measure,
    draw=_draw,
)
