"""Deeper is not always better."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits

DEPTHS = (0, 1, 2, 3, 4, 6, 8, 11, 15)
KINDS = {"plain": 0, "residual": 2}
SEEDS, EPOCHS, UNITS = 6, 40, 32


def _measure() -> dict[str, np.ndarray]:
    """Return train and dev errors (depths, seeds) of plain and residual networks of one width."""
    task = digits()
    networks = train(
        task,
        [
            {
                "hidden_layers": depth,
                "hidden_units": [UNITS] * depth,
                "seed": seed,
                "residual": residual,
                "optimizer": "momentum",
                "learning_rate": 0.1,
            }
            for residual in KINDS.values()
            for depth in DEPTHS
            for seed in range(SEEDS)
        ],
        EPOCHS,
    )
    shape = (len(KINDS), len(DEPTHS), SEEDS)
    train_errors = np.reshape([n.error(task.x_train, task.y_train) for n in networks], shape)
    dev_errors = np.reshape([n.error(task.x_dev, task.y_dev) for n in networks], shape)
    return {
        f"{part}, {kind}": errors[place]
        for place, kind in enumerate(KINDS)
        for part, errors in (("train", train_errors), ("dev", dev_errors))
    }


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    panels = sheet.subplots(1, 2, sharey=True)
    for axes, kind in zip(panels, KINDS, strict=True):
        for color, marker, part in zip(style.colors, "os", ("train", "dev"), strict=False):
            errors = 100 * measured[f"{part}, {kind}"]
            axes.plot(DEPTHS, np.median(errors, axis=1), color=color, label=f"{part}, median")
            for seed in range(SEEDS):
                axes.plot(DEPTHS, errors[:, seed], marker, color=color, markersize=3, alpha=0.6,
                          linestyle="none")  # fmt: skip
        axes.set(xlabel="hidden layers", xticks=DEPTHS, yscale="symlog", ylim=(-0.1, 100))
        axes.set_title(f"{kind}, {UNITS} ReLU units a layer")
        axes.set_yticks([0, 1, 2, 5, 10, 50, 100], ["0", "1", "2", "5", "10", "50", "100"])
        axes.minorticks_off()
    panels[0].set_ylabel(f"error in % after {EPOCHS} epochs")
    panels[0].legend(loc="upper left")


DEPTH = LabFigure(
    name="depth",
    shows="One or two hidden layers help; many more make the dev error larger, not smaller.",
    techniques=("N10",),
    measure=_measure,
    draw=_draw,
    size=(10.0, 3.6),
)
