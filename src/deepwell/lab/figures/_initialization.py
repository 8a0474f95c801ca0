"""Six ways to start the weights, for tanh and for ReLU."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style, end_labels
from deepwell.lab._tasks import digits
from deepwell.networks._initializers import INITIALIZERS

SCHEMES = [name for name in INITIALIZERS if name != "identity"]
EPOCHS = 25
_TOP = 300.0


def _measure() -> dict[str, dict[str, np.ndarray]]:
    """Return the train cost by epoch of each initializer, for each activation."""
    activations = ("tanh", "relu")
    networks = train(
        digits(),
        [
            {
                "initializer": scheme,
                "activation": activation,
                "hidden_units": [64] * 2,
                "optimizer": "sgd",
                "learning_rate": 0.1,
            }
            for activation in activations
            for scheme in SCHEMES
        ],
        EPOCHS,
    )
    costs = iter(network.train_cost for network in networks)
    return {a: {scheme: next(costs) for scheme in SCHEMES} for a in activations}


def _draw(sheet: Any, measured: dict[str, dict[str, np.ndarray]], style: Style) -> None:
    panels = sheet.subplots(1, len(measured), sharey=True)
    epochs = np.arange(1, EPOCHS + 1)
    for axes, (activation, curves) in zip(panels, measured.items(), strict=True):
        axes.set(
            title=f"2 hidden layers of 64 {activation} units",
            xlabel="epoch",
            yscale="log",
            ylim=(1e-2, _TOP),
            xlim=(1, EPOCHS),
        )
        ends = []
        for color, (scheme, cost) in zip(style.colors, curves.items(), strict=False):
            axes.plot(epochs, cost, color=color)
            gone = not np.isfinite(cost[-1])
            end = _TOP if gone else cost[-1]
            ends.append((EPOCHS, end, f"{scheme}: diverged" if gone else scheme, color))
        end_labels(axes, ends)
    panels[0].set_ylabel("train cost (cross-entropy)")


INITIALIZATION = LabFigure(
    name="initialization",
    shows="Zeros never learn, small weights late, large ones badly; LeCun, Glorot and He "
    "start at once.",
    techniques=("N2",),
    measure=_measure,
    draw=_draw,
    size=(9.0, 3.6),
)
