"""Batch, mini-batch and stochastic descent: cost by rows seen, and what each batch costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.data._batches import epoch_order
from deepwell.execution._backends import choose_backend
from deepwell.execution._members import member_of
from deepwell.lab._figure import LabFigure
from deepwell.lab._population import Task, train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits
from deepwell.records import TrialSpec
from deepwell.training._program import Chunk
from deepwell.training._state import initial_state

EPOCHS, SHOWN = 20, 120
SIZES = {"batch: all 1,200 rows": 1200, "mini-batch: 64": 64, "stochastic: 1": 1}
RATES = {1200: 0.5, 64: 0.2, 1: 0.01}


def _configuration(batch: int) -> dict[str, Any]:
    return {"batch_size": batch, "learning_rate": RATES[batch], "optimizer": "sgd",
            "hidden_units": 64, "hidden_layers": 1, "patience": 0}  # fmt: skip


def _measure() -> dict[str, Any]:
    """Return the train cost by epoch, and the cost of each of the first batches."""
    task = digits()
    networks = train(task, [_configuration(batch) for batch in SIZES.values()], EPOCHS)
    return {
        "epochs": {n: net.train_cost for n, net in zip(SIZES, networks, strict=True)},
        "batches": {name: _batch_costs(task, batch) for name, batch in SIZES.items()},
    }


def _batch_costs(task: Task, batch: int) -> np.ndarray:
    """Return the cost of each of the first batches, before the update that it causes."""
    spec, shape = TrialSpec(_configuration(batch), seed=0), task.shape()
    member = member_of(spec, shape.inputs, shape.outputs, shape.loss)
    backend = choose_backend(None)
    bucket = backend.plan({0: member}, {0: batch}, 1, shape).buckets[0]
    session = backend.build(bucket, task.rows()).load([member], [initial_state(member)])
    costs: list[float] = []
    for epoch in range(1, SHOWN + 1):
        order = epoch_order(0, epoch, shape.train_rows, batch)
        for step in range(len(order)):
            if len(costs) == SHOWN:
                return np.array(costs)
            # Ended after each step, the "epoch" tells the cost of that one batch.
            info = session.advance(Chunk(order[step : step + 1], len(costs) + 1))
            costs.append(float(info.train_cost[0]))
    return np.array(costs)


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    left, right = sheet.subplots(1, 2, sharey=True)
    dashes = ("-", "-", "-")
    for color, dash, name in zip(style.colors, dashes, SIZES, strict=False):
        updates = -(-1200 // SIZES[name]) * EPOCHS
        wide = 0.9 if name.startswith("stochastic") else 1.8
        left.plot(np.arange(1, SHOWN + 1), measured["batches"][name], dash, color=color,
                  linewidth=wide)  # fmt: skip
        right.plot(np.arange(1, EPOCHS + 1), measured["epochs"][name], dash, color=color,
                   label=f"{name}, α = {RATES[SIZES[name]]:g}, {updates:,} updates")  # fmt: skip
    left.set(xlabel="update", ylabel="train cost (cross-entropy)", xlim=(1, SHOWN), yscale="log",
             title="cost of each batch", ylim=(8e-3, 12))  # fmt: skip
    right.set(xlabel="epoch (each row seen once)", xlim=(1, EPOCHS), title="mean of each epoch")
    right.legend(loc="upper right")


BATCH_SIZES = LabFigure(
    name="batch-sizes",
    shows="All rows: smooth, one update an epoch. One row: very noisy, 1,200 updates. "
    "Mini-batches: between.",
    techniques=("O1", "D9"),
    measure=_measure,
    draw=_draw,
    size=(9.0, 3.6),
)
