"""What a wrong prediction costs: cross-entropy against squared error."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style
from deepwell.networks._losses import logistic, logistic_rows, logistic_slope


def _measure() -> dict[str, np.ndarray]:
    """Return loss and slope of one row of class 1 by its logit z."""
    z = np.linspace(-6, 6, 481)
    y = np.ones_like(z)
    p = logistic(z[:, None], np)[:, 1]
    return {
        "z": z,
        "p": p,
        "entropy": logistic_rows(z[:, None], y, np),
        "entropy slope": logistic_slope(z[:, None], y, np)[:, 0],
        "squared": (p - y) ** 2,
        "squared slope": 2 * (p - y) * p * (1 - p),
    }


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    left, right = sheet.subplots(1, 2)
    for color, dash, name, label in (
        (style.colors[0], "-", "entropy", "cross-entropy"),
        (style.colors[1], "--", "squared", "squared error of p"),
    ):
        left.plot(measured["p"], measured[name], dash, color=color, label=label)
        right.plot(measured["z"], measured[f"{name} slope"], dash, color=color, label=label)
    left.set(xlabel="predicted probability p of the true class", ylabel="loss", xlim=(0, 1),
             ylim=(0, 5))  # fmt: skip
    right.set(xlabel="logit z of the true class", ylabel="slope of the loss at z", xlim=(-6, 6))
    left.legend()


LOSSES_FIGURE = LabFigure(
    name="losses",
    shows="Sure and wrong, cross-entropy pulls with full slope; squared error hardly pulls at all.",
    techniques=("N5",),
    measure=_measure,
    draw=_draw,
)
