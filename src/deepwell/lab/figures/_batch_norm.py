"""Batch normalization at many learning rates."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits

RATES = 10.0 ** np.arange(-3, 1.1, 0.5)
KINDS = {"without": "none", "with batch norm": "before"}
EPOCHS, SHOWN = 15, 3  # the rate whose curves are shown, by its place


def _measure() -> dict[str, np.ndarray]:
    """Return the train cost by epoch, (rates, epochs), with and without."""
    networks = train(
        digits(),
        [
            {
                "batch_norm": kind,
                "learning_rate": float(rate),
                "optimizer": "sgd",
                "hidden_units": [64] * 4,
            }
            for kind in KINDS.values()
            for rate in RATES
        ],
        EPOCHS,
    )
    costs = np.reshape([n.train_cost for n in networks], (len(KINDS), len(RATES), EPOCHS))
    return dict(zip(KINDS, costs, strict=True))


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    left, right = sheet.subplots(1, 2, sharey=True)
    epochs = np.arange(1, EPOCHS + 1)
    for color, marker, (name, costs) in zip(style.colors, "os", measured.items(), strict=False):
        left.plot(RATES, costs[:, -1], f"{marker}-", markersize=4, color=color, label=name)
        gone = ~np.isfinite(costs[:, -1])
        left.plot(RATES[gone], np.full(gone.sum(), 9.0), "X", color=color, markersize=8)
        right.plot(epochs, costs[SHOWN], color=color, label=name)
    left.set(xscale="log", yscale="log", xlabel="learning rate", ylim=(1e-4, 10),
             ylabel="train cost (cross-entropy)",
             title=f"after {EPOCHS} epochs (× diverged)")  # fmt: skip
    right.set(xlabel="epoch", xlim=(1, EPOCHS), title=f"at a learning rate of {RATES[SHOWN]:.2g}")
    left.legend(loc="lower left")


BATCH_NORM = LabFigure(
    name="batch-norm",
    shows="With batch norm a deep network trains faster, and at rates that break the plain one.",
    techniques=("N6",),
    measure=_measure,
    draw=_draw,
    size=(9.0, 3.6),
)
