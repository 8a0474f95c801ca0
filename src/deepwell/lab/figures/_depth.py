"""Deeper is not always better."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits

DEPTHS = (0, 1, 2, 3, 4, 6, 8, 11, 15)
SEEDS, EPOCHS, UNITS = 6, 40, 32


def _measure() -> dict[str, np.ndarray]:
    """Return train and dev errors (depths, seeds) of plain networks of one width."""
    task = digits()
    networks = train(
        task,
        [
            {
                "hidden_layers": depth,
                "hidden_units": [UNITS] * depth,
                "seed": seed,
                "optimizer": "momentum",
                "learning_rate": 0.1,
            }
            for depth in DEPTHS
            for seed in range(SEEDS)
        ],
        EPOCHS,
    )
    shape = (len(DEPTHS), SEEDS)
    return {
        "train": np.reshape([n.error(task.x_train, task.y_train) for n in networks], shape),
        "dev": np.reshape([n.error(task.x_dev, task.y_dev) for n in networks], shape),
    }


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    axes = sheet.subplots()
    for color, marker, (name, errors) in zip(style.colors, "os", measured.items(), strict=False):
        axes.plot(DEPTHS, 100 * np.median(errors, axis=1), color=color, label=f"{name}, median")
        for seed in range(SEEDS):
            axes.plot(DEPTHS, 100 * errors[:, seed], marker, color=color, markersize=3, alpha=0.6,
                      linestyle="none")  # fmt: skip
    axes.set(xlabel="hidden layers", ylabel="error in %", xticks=DEPTHS, yscale="symlog",
             ylim=(-0.1, 100))  # fmt: skip
    axes.set_title(f"digits, {UNITS} ReLU units a layer, {EPOCHS} epochs, {SEEDS} seeds")
    axes.set_yticks([0, 1, 2, 5, 10, 50, 100], ["0", "1", "2", "5", "10", "50", "100"])
    axes.minorticks_off()
    axes.legend(loc="upper left")


DEPTH = LabFigure(
    name="depth",
    shows="One or two hidden layers help; many more plain ones train worse, not better.",
    techniques=("N10",),
    measure=_measure,
    draw=_draw,
)
