"""The first days of an average, with and without bias correction."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style
from deepwell.lab._weather import temperatures
from deepwell.optimization._averages import exponential_average

BETA, DAYS = 0.98, 150


def _measure() -> dict[str, np.ndarray]:
    """Return temperatures, the raw and the corrected average of the first days."""
    days = temperatures()[:DAYS]
    return {
        "days": days,
        "raw": exponential_average(days, BETA),
        "corrected": exponential_average(days, BETA, bias_correction=True),
    }


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    axes = sheet.subplots()
    days = np.arange(1, DAYS + 1)
    axes.plot(days, measured["days"], ".", color=style.quiet, markersize=3.5, label="one day")
    axes.plot(days, measured["corrected"], color=style.colors[0],
              label="with bias correction, v / (1 - β^t)")  # fmt: skip
    axes.plot(days, measured["raw"], color=style.colors[1], linestyle="--",
              label="without: starts at 0")  # fmt: skip
    axes.set(xlabel="day of the year", ylabel="temperature in °C", xlim=(1, DAYS),
             title=f"β = {BETA}")  # fmt: skip
    axes.legend(loc="upper left")


BIAS_CORRECTION = LabFigure(
    name="bias-correction",
    shows="Without correction the first averages are too near to 0; later both are the same.",
    techniques=("O3",),
    measure=_measure,
    draw=_draw,
)
