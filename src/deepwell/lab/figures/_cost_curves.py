"""How to read a cost curve: eight trainings of one network."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits, moons

EPOCHS = 40
SAME = {"optimizer": "sgd", "hidden_units": 64, "hidden_layers": 2, "learning_rate": 0.3}
SHAPES: dict[str, dict[str, object]] = {
    "good": {},
    "far too high": {"learning_rate": 6.0},
    "too high": {"learning_rate": 2.0},
    "too low": {"learning_rate": 0.0003},
    "still falling at the end": {"learning_rate": 0.01},
    "too noisy for the batch size": {"optimizer": "adam", "batch_size": 4, "learning_rate": 0.01},
    "plateau": {"activation": "sigmoid", "hidden_layers": 5},
    "dev cost rises": {"optimizer": "adam", "learning_rate": 0.005, "batch_size": 20},
}
_TOP = 4.0


def _measure() -> dict[str, dict[str, np.ndarray]]:
    """Return the curves of each shape; the last one on 80 points of two half moons."""
    names = list(SHAPES)
    networks = train(digits(), [{**SAME, **SHAPES[n]} for n in names[:-1]], EPOCHS)
    few = train(moons(train=80, noise=0.4), [{**SAME, **SHAPES[names[-1]]}], 4 * EPOCHS)
    return {
        name: {"train": network.train_cost, "dev": network.dev_cost}
        for name, network in zip(names, [*networks, *few], strict=True)
    }


def _draw(sheet: Any, measured: dict[str, dict[str, np.ndarray]], style: Style) -> None:
    panels = sheet.subplots(2, 4)
    for axes, (name, curves) in zip(panels.flat, measured.items(), strict=True):
        here = np.flatnonzero(np.isfinite(curves["train"]))
        epochs = np.arange(1, len(curves["train"]) + 1)
        axes.plot(epochs, curves["dev"], color=style.colors[1], linewidth=1.2)
        axes.plot(epochs, curves["train"], color=style.colors[0], linewidth=1.2)
        if len(here) < len(epochs):
            axes.plot(len(here) + 1, 0.95 * _TOP, "X", color=style.colors[0], markersize=8)
        top = _TOP if name in ("far too high", "too high") else None
        axes.set(title=name, xlim=(1, len(epochs)), ylim=(0, top))
    for axes in panels[1]:
        axes.set_xlabel("epoch")
    for axes in panels[:, 0]:
        axes.set_ylabel("cost: train, dev")


COST_CURVES = LabFigure(
    name="cost-curves",
    shows="Eight shapes of a cost curve, and the one word that each of them asks for.",
    techniques=("G6",),
    measure=_measure,
    draw=_draw,
    size=(10.0, 4.6),
)
