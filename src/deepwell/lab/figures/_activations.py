"""The activations and their slopes."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell._base._hyperparameters import HYPERPARAMETERS
from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style
from deepwell.networks._activations import ACTIVATIONS

_STEP = 1e-6


def _measure() -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return z, g(z) and the slope g'(z) by differences, for each activation."""
    z = np.linspace(-4, 4, 801)
    curves = {}
    for name, activation in ACTIVATIONS.items():
        if activation.takes_pieces:  # of several z: no curve
            continue
        slope = HYPERPARAMETERS[activation.slope_name].default if activation.slope_name else 0.0
        at = [activation.apply(z + by, slope, np) for by in (0.0, _STEP, -_STEP)]
        curves[name] = z, at[0], (at[1] - at[2]) / (2 * _STEP)
    return curves


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    columns = 4
    rows = -(-len(measured) // columns)
    grid = sheet.subplots(rows, columns, sharex=True, squeeze=False)
    for axes, (name, (z, a, slope)) in zip(grid.flat, measured.items(), strict=False):
        axes.plot(z, a, color=style.colors[0], label="g(z)")
        axes.plot(z, slope, color=style.colors[1], linewidth=1.2, linestyle="--", label="g'(z)")
        axes.set(title=name, ylim=(-1.35, 2.2), xlim=(-4, 4))
    for axes in list(grid.flat)[len(measured) :]:
        axes.set_visible(False)
    for axes in grid[-1]:
        axes.set_xlabel("z")
    grid[0, 0].legend(loc="upper left")


ACTIVATION_CURVES = LabFigure(
    name="activations",
    shows="Where an activation is flat its slope is 0, and no gradient passes.",
    techniques=("N1",),
    measure=_measure,
    draw=_draw,
    size=(8.0, 3.8),
)
