"""Noise and mixup on the train rows smooth the boundary between two classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._regions import draw_regions, regions
from deepwell.lab._style import Style
from deepwell.lab._tasks import moons

SETTINGS: dict[str, dict[str, float]] = {
    "as they are": {},
    "noise of 0.2": {"input_noise": 0.2},
    "mixup of 0.4": {"mixup": 0.4},
    "both": {"input_noise": 0.2, "mixup": 0.4},
}
SEEDS = 5


def _measure() -> dict[str, Any]:
    """Return the regions of one network of each setting, and all errors (settings, seeds)."""
    task = moons(train=80, noise=0.35)
    networks = train(
        task,
        [
            {
                "hidden_units": [64, 64],
                "optimizer": "adam",
                "learning_rate": 0.005,
                "batch_size": 40,
                "seed": seed,
                **changes,
            }
            for changes in SETTINGS.values()
            for seed in range(SEEDS)
        ],
        600,
    )
    shape = (len(SETTINGS), SEEDS)
    return {
        "x": task.x_train,
        "y": task.y_train,
        "planes": [regions(n, task.x_train) for n in networks[::SEEDS]],
        "train": np.reshape([n.error(task.x_train, task.y_train) for n in networks], shape),
        "dev": np.reshape([n.error(task.x_dev, task.y_dev) for n in networks], shape),
    }


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    panels = sheet.subplots(1, len(SETTINGS))
    for i, (axes, name) in enumerate(zip(panels, SETTINGS, strict=True)):
        draw_regions(axes, measured["planes"][i], measured["x"], measured["y"], style)
        train_error, dev_error = (100 * np.median(measured[part][i]) for part in ("train", "dev"))
        axes.set(title=name, xlabel=f"error: train {train_error:.0f} %, dev {dev_error:.1f} %")


AUGMENTATION = LabFigure(
    name="augmentation",
    shows="Rows that come a little different each time leave nothing to learn by heart.",
    techniques=("D7",),
    measure=_measure,
    draw=_draw,
    size=(10.0, 2.8),
)
