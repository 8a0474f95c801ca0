"""The schedules of the learning rate."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style
from deepwell.optimization._learning_rate import learning_rates

EPOCHS, STEPS = 60, 20
SCHEDULES: dict[str, dict[str, Any]] = {
    "inverse_time, decay_rate 0.1": {"decay": "inverse_time", "decay_rate": 0.1},
    "exponential, factor 0.95": {"decay": "exponential"},
    "inverse_sqrt_epoch": {"decay": "inverse_sqrt_epoch"},
    "staircase, half every 15": {"decay": "staircase", "decay_every": 15},
    "cosine, 5 epochs warm-up": {"decay": "cosine", "warmup_epochs": 5.0},
    "one_cycle": {"decay": "one_cycle"},
}


def _measure() -> dict[str, np.ndarray]:
    """Return the learning rate of every step under each schedule, from 0.2."""
    return {
        name: learning_rates(STEPS, learning_rate=0.2, epochs=EPOCHS, **changes)
        for name, changes in SCHEDULES.items()
    }


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    grid = sheet.subplots(2, 3, sharex=True, sharey=True)
    at = np.arange(1, EPOCHS * STEPS + 1) / STEPS
    for axes, (name, rates) in zip(grid.flat, measured.items(), strict=True):
        for other in measured.values():
            axes.plot(at, other, color=style.faint, linewidth=1)
        axes.plot(at, rates, color=style.colors[0], linewidth=2)
        axes.set(title=name, xlim=(0, EPOCHS), ylim=(0, 0.21))
        axes.grid(visible=False)
    for axes in grid[-1]:
        axes.set_xlabel("epoch")
    for axes in grid[:, 0]:
        axes.set_ylabel("learning rate")


DECAYS_FIGURE = LabFigure(
    name="decays",
    shows="Six ways from large steps to small ones; warm-up and one-cycle begin small as well.",
    techniques=("O10",),
    measure=_measure,
    draw=_draw,
    size=(9.0, 4.4),
)
