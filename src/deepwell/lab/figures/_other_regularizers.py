"""Max-norm, label smoothing and gradient noise beside none of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits

SEEDS = 16
SETTINGS: dict[str, dict[str, float]] = {
    "none": {},
    "max_norm 1": {"max_norm": 1.0},
    "label_smoothing 0.1": {"label_smoothing": 0.1},
    "gradient_noise 0.01": {"gradient_noise": 0.01},
}


def _measure() -> dict[str, np.ndarray]:
    """Return the dev errors (seeds,) of each setting; the same seeds for all."""
    task = digits().few(200)
    networks = train(
        task,
        [
            {
                "seed": seed,
                "hidden_units": 64,
                "optimizer": "momentum",
                "learning_rate": 0.2,
                "batch_size": 32,
                **changes,
            }
            for changes in SETTINGS.values()
            for seed in range(SEEDS)
        ],
        80,
    )
    errors = np.reshape([n.error(task.x_dev, task.y_dev) for n in networks], (-1, SEEDS))
    return dict(zip(SETTINGS, errors, strict=True))


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    axes = sheet.subplots()
    for row, (color, (_, errors)) in enumerate(zip(style.colors, measured.items(), strict=False)):
        places = row + 0.06 * (np.argsort(np.argsort(errors)) - (SEEDS - 1) / 2) / 2
        axes.plot(100 * errors, places, "o", color=color, markersize=4, alpha=0.8)
        axes.plot(100 * np.median(errors), row, "|", color=style.ink, markersize=26,
                  markeredgewidth=2)  # fmt: skip
    axes.set_yticks(range(len(measured)), list(measured))
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="dev error in %",
             title=f"digits, 200 train rows: {SEEDS} seeds and their median")  # fmt: skip


OTHER_REGULARIZERS = LabFigure(
    name="other-regularizers",
    shows="Each moves the dev error a little; whether it helps must be measured on the task.",
    techniques=("R5",),
    measure=_measure,
    draw=_draw,
)
