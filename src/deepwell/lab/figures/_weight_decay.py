"""L2 through Adam and decoupled weight decay beside it are two different things."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits

STRENGTHS = 10.0 ** np.arange(-4, 1.1, 0.5)
NAMES = {"l2": "l2, through the gradient", "weight_decay": "weight_decay, beside it (AdamW)"}


def _measure() -> dict[str, dict[str, np.ndarray]]:
    """Return the weights' size and the dev error by strength, for both, under Adam."""
    task = digits().few(300)
    found = {}
    for name in NAMES:
        networks = train(
            task,
            [
                {name: float(s), "optimizer": "adam", "learning_rate": 0.003, "hidden_units": 64}
                for s in STRENGTHS
            ],
            60,
        )
        found[name] = {
            "size": np.array([np.sqrt((n.last["weights/1"] ** 2).mean()) for n in networks], float),
            "dev": np.array([n.error(task.x_dev, task.y_dev) for n in networks]),
        }
    return found


def _draw(sheet: Any, measured: dict[str, dict[str, np.ndarray]], style: Style) -> None:
    left, right = sheet.subplots(1, 2)
    for color, marker, (name, run) in zip(style.colors, "os", measured.items(), strict=False):
        left.plot(STRENGTHS, run["size"], f"{marker}-", markersize=4, color=color,
                  label=NAMES[name])  # fmt: skip
        right.plot(STRENGTHS, 100 * run["dev"], f"{marker}-", markersize=4, color=color)
    left.set(ylabel="root mean square", title="weights of the second layer")
    right.set(ylabel="dev error in %", title="errors", yscale="log", ylim=(3, 100))
    right.set_yticks([3, 5, 10, 20, 50, 100], ["3", "5", "10", "20", "50", "100"])
    right.minorticks_off()
    for axes in (left, right):
        axes.set(xscale="log", xlabel="strength")
    left.legend()


WEIGHT_DECAY = LabFigure(
    name="weight-decay",
    shows="Adam divides the L2 term by each weight's own scale; decoupled decay shrinks all alike.",
    techniques=("R3",),
    measure=_measure,
    draw=_draw,
    size=(9.0, 3.6),
)
