"""Exponentially weighted averages with three windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style
from deepwell.lab._weather import temperatures
from deepwell.optimization._averages import average_window, exponential_average

BETAS = (0.5, 0.9, 0.98)


def _measure() -> dict[str, Any]:
    """Return a year of temperatures and its averages."""
    days = temperatures()
    averages = {b: exponential_average(days, b, bias_correction=True) for b in BETAS}
    return {"days": days, "averages": averages}


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    axes = sheet.subplots()
    days = np.arange(1, len(measured["days"]) + 1)
    axes.plot(days, measured["days"], ".", color=style.quiet, markersize=3.5, label="one day")
    for color, (beta, average) in zip(style.colors, measured["averages"].items(), strict=False):
        window = round(average_window(beta))
        axes.plot(days, average, color=color, linewidth=1.1 if beta == BETAS[0] else 2.0,
                  label=f"β = {beta}: about {window} days")  # fmt: skip
    axes.set(xlabel="day of the year", ylabel="temperature in °C", xlim=(1, len(days)))
    axes.legend(ncols=2, loc="lower center")


AVERAGE_WINDOWS = LabFigure(
    name="average-windows",
    shows="The larger β, the smoother the average and the later it follows.",
    techniques=("O2",),
    measure=_measure,
    draw=_draw,
)
