"""The same number of draws on a linear and on a logarithmic scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style
from deepwell.search.spaces._log import log
from deepwell.search.spaces._one_minus_log import one_minus_log
from deepwell.search.spaces._uniform import uniform

DRAWS = 25
_SPACES = {
    "learning rate α in 0.0001..1": (
        {"uniform": uniform(1e-4, 1.0), "log": log(1e-4, 1.0)},
        lambda values: values,
        ([1e-4, 1e-3, 1e-2, 1e-1, 1], ["0.0001", "0.001", "0.01", "0.1", "1"]),
    ),
    "momentum β in 0.9..0.999": (
        {"uniform": uniform(0.9, 0.999), "one_minus_log": one_minus_log(0.9, 0.999)},
        lambda values: 1 - values,
        ([1e-1, 1e-2, 1e-3], ["0.9", "0.99", "0.999"]),
    ),
}


def _measure() -> dict[str, dict[str, np.ndarray]]:
    """Return the values that the same random numbers become on each scale."""
    units = np.random.default_rng(3).random(DRAWS)
    return {
        title: {name: np.array([d.from_unit(u) for u in units]) for name, d in kinds.items()}
        for title, (kinds, _, _) in _SPACES.items()
    }


def _draw(sheet: Any, measured: dict[str, dict[str, np.ndarray]], style: Style) -> None:
    panels = sheet.subplots(len(measured), 1)
    for axes, (title, kinds) in zip(panels, measured.items(), strict=True):
        _, place, (ticks, labels) = _SPACES[title]
        for row, (color, values) in enumerate(zip(style.colors, kinds.values(), strict=False)):
            axes.plot(place(values), np.full(DRAWS, row), "|", color=color, markersize=16,
                      markeredgewidth=1.8)  # fmt: skip
        axes.set(title=f"{title}: {DRAWS} draws", xscale="log", ylim=(-0.6, len(kinds) - 0.4))
        axes.set_yticks(range(len(kinds)), list(kinds))
        axes.set_xticks(ticks, labels)
        axes.minorticks_off()
        axes.grid(visible=False, axis="y")
        axes.set_xlim(ticks[0] * 1.3 if ticks[0] > ticks[-1] else ticks[0] / 1.3,
                      ticks[-1] / 1.3 if ticks[0] > ticks[-1] else ticks[-1] * 1.3)  # fmt: skip


SAMPLING_SCALES = LabFigure(
    name="sampling-scales",
    shows="Uniform draws crowd into the last decade; logarithmic ones give each decade its share.",
    techniques=("H1",),
    measure=_measure,
    draw=_draw,
    size=(8.0, 3.4),
)
