"""Batch normalization at many learning rates."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits

RATES = 10.0 ** np.arange(-3, 1.1, 0.5)
KINDS = {
    "without, He start": {"batch_norm": "none", "initializer": "he"},
    "without, LeCun start": {"batch_norm": "none", "initializer": "lecun"},
    "batch norm, He start": {"batch_norm": "before", "initializer": "he"},
    "batch norm, LeCun start": {"batch_norm": "before", "initializer": "lecun"},
}
EPOCHS, LAYERS, SHOWN = 15, 8, 3  # the rate whose curves are shown, by its place


def _measure() -> dict[str, np.ndarray]:
    """Return the train cost by epoch, (rates, epochs), with and without, from two starts."""
    networks = train(
        digits(),
        [
            {
                "learning_rate": float(rate),
                "optimizer": "sgd",
                "hidden_units": [64] * LAYERS,
                **kind,
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
    colors = np.repeat(style.colors[:2], 2)
    for place, (color, (name, costs)) in enumerate(zip(colors, measured.items(), strict=True)):
        dash = "-" if place % 2 == 0 else "--"
        left.plot(RATES, costs[:, -1], f"o{dash}", markersize=4, color=color, label=name)
        gone = ~np.isfinite(costs[:, -1])
        height = 8.0 if place % 2 == 0 else 5.0
        left.plot(RATES[gone], np.full(gone.sum(), height), "X", color=color, markersize=7)
        right.plot(epochs, costs[SHOWN], dash, color=color)
    left.set(xscale="log", yscale="log", xlabel="learning rate", ylim=(2e-3, 10),
             ylabel="train cost (cross-entropy)",
             title=f"{LAYERS} hidden layers, {EPOCHS} epochs (× diverged)")  # fmt: skip
    right.set(xlabel="epoch", xlim=(1, EPOCHS), title=f"at a learning rate of {RATES[SHOWN]:.2g}")
    left.legend(loc="lower left", fontsize=7.5)


BATCH_NORM = LabFigure(
    name="batch-norm",
    shows="With batch norm a deep network trains from a poor start too, and at rates that break "
    "plain ones.",
    techniques=("N6",),
    measure=_measure,
    draw=_draw,
    size=(9.0, 3.6),
)
