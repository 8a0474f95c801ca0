"""Regularization and the boundary between two classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._regions import draw_regions, regions
from deepwell.lab._style import Style
from deepwell.lab._tasks import moons

SETTINGS: dict[str, dict[str, float]] = {
    "no regularization": {},
    "l2 = 0.01": {"l2": 0.01},
    "l2 = 0.1, too much": {"l2": 0.1},
    "dropout 0.5": {"dropout": 0.5},
}


def _measure() -> dict[str, Any]:
    """Return each network's regions and its errors."""
    task = moons(train=80, noise=0.35)
    networks = train(
        task,
        [
            {
                "hidden_units": [64, 64],
                "optimizer": "adam",
                "learning_rate": 0.005,
                "batch_size": 40,
                **changes,
            }
            for changes in SETTINGS.values()
        ],
        600,
    )
    return {
        "x": task.x_train,
        "y": task.y_train,
        "planes": [regions(n, task.x_train) for n in networks],
        "train": np.array([n.error(task.x_train, task.y_train) for n in networks]),
        "dev": np.array([n.error(task.x_dev, task.y_dev) for n in networks]),
    }


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    panels = sheet.subplots(1, len(SETTINGS))
    for i, (axes, name) in enumerate(zip(panels, SETTINGS, strict=True)):
        draw_regions(axes, measured["planes"][i], measured["x"], measured["y"], style)
        errors = f"train {100 * measured['train'][i]:.0f} %, dev {100 * measured['dev'][i]:.1f} %"
        axes.set(title=name, xlabel=f"error: {errors}")


BOUNDARIES = LabFigure(
    name="boundaries",
    shows="Without regularization the boundary bends around single rows; too much of it makes it "
    "straight.",
    techniques=("R1", "N7"),
    measure=_measure,
    draw=_draw,
    size=(10.0, 2.8),
)
