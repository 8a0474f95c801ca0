"""Weights shrink as the L2 penalty grows."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits

STRENGTHS = 10.0 ** np.arange(-5, -0.4, 0.5)


def _measure() -> dict[str, np.ndarray]:
    """Return the size of each layer's weights and the errors at each strength."""
    task = digits().few(300)
    networks = train(
        task,
        [
            {"l2": float(l2), "optimizer": "adam", "learning_rate": 0.003, "hidden_units": 64}
            for l2 in STRENGTHS
        ],
        60,
    )
    sizes = [
        [float(np.sqrt((n.last[f"weights/{layer}"] ** 2).mean())) for layer in range(3)]
        for n in networks
    ]
    return {
        "sizes": np.array(sizes),
        "train": np.array([n.error(task.x_train, task.y_train) for n in networks]),
        "dev": np.array([n.error(task.x_dev, task.y_dev) for n in networks]),
    }


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    left, right = sheet.subplots(1, 2)
    names = ("first hidden layer", "second hidden layer", "output layer")
    for name, color, sizes in zip(names, style.colors, measured["sizes"].T, strict=False):
        left.plot(STRENGTHS, sizes, "o-", markersize=3.5, color=color, label=name)
    left.set(ylabel="root mean square of the weights", title="weights")
    right.plot(STRENGTHS, 100 * measured["train"], "o-", markersize=3.5, label="train",
               color=style.colors[0])  # fmt: skip
    right.plot(STRENGTHS, 100 * measured["dev"], "s-", markersize=3.5, label="dev",
               color=style.colors[1])  # fmt: skip
    right.set(
        ylabel="error in %", title="errors of the same networks", yscale="symlog", ylim=(-0.1, 100)
    )
    right.set_yticks([0, 1, 2, 5, 10, 50, 100], ["0", "1", "2", "5", "10", "50", "100"])
    right.minorticks_off()
    for axes in (left, right):
        axes.set(xscale="log", xlabel="l2 = λ/m")
        axes.legend()


L2 = LabFigure(
    name="l2",
    shows="The stronger the penalty, the smaller the weights; too strong, and train error rises.",
    techniques=("R1",),
    measure=_measure,
    draw=_draw,
)
