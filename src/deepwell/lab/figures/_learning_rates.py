"""Four regimes of the learning rate."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style, end_labels
from deepwell.lab._tasks import digits

RATES = {"too low": 0.003, "good": 0.3, "too high": 2.0, "far too high": 6.0}
EPOCHS = 40
_TOP = 10.0


def _measure() -> dict[str, np.ndarray]:
    """Return the train cost by epoch at each rate."""
    networks = train(
        digits(),
        [
            {"learning_rate": rate, "optimizer": "sgd", "hidden_units": 64, "hidden_layers": 2}
            for rate in RATES.values()
        ],
        EPOCHS,
    )
    return {name: n.train_cost for name, n in zip(RATES, networks, strict=True)}


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    axes = sheet.subplots()
    epochs = np.arange(1, EPOCHS + 1)
    axes.set(
        xlabel="epoch", ylabel="train cost (cross-entropy)", yscale="log", xlim=(1, EPOCHS),
        ylim=(1e-3, _TOP), title="plain descent, batches of 64",
    )  # fmt: skip
    order = (style.colors[0], style.colors[2], style.colors[4], style.colors[1])
    ends = []
    for color, (name, cost) in zip(order, measured.items(), strict=True):
        axes.plot(epochs, cost, color=color)
        label = f"{name}, α = {RATES[name]:g}"
        here = np.flatnonzero(np.isfinite(cost))
        if len(here) < EPOCHS:
            label += ": diverged"
            axes.plot(len(here) + 1, _TOP, "X", color=color, markersize=9, clip_on=False)
        ends.append((EPOCHS, cost[-1] if len(here) == EPOCHS else _TOP, label, color))
    end_labels(axes, ends)


LEARNING_RATES = LabFigure(
    name="learning-rates",
    shows="Too low is slow, too high jumps about and learns nothing, far too high diverges; good "
    "falls fast.",
    techniques=("O1",),
    measure=_measure,
    draw=_draw,
    size=(7.5, 3.6),
)
