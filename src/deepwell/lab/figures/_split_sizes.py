"""The shares of train, dev and test rows by the size of the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.data._split_sizes import split_sizes
from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style


def _measure() -> dict[str, np.ndarray]:
    """Return the number of rows and the three shares."""
    rows = np.unique(np.geomspace(100, 1e8, 181).round().astype(int))
    sizes = [split_sizes(int(m)) for m in rows]
    return {
        "rows": rows,
        "shares": np.array([[s.train, s.dev, s.test] for s in sizes]) / rows[:, None],
    }


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    axes = sheet.subplots()
    shares = 100 * measured["shares"].T
    axes.stackplot(measured["rows"], shares, colors=style.colors[:3], alpha=0.8)
    axes.set(xscale="log", xlim=(100, 1e8), ylim=(0, 100), xlabel="rows", ylabel="share in %")
    axes.grid(visible=False)
    for name, x, y in (("train", 3e3, 28), ("dev", 1.2e3, 69), ("test", 1.2e3, 89)):
        axes.text(x, y, name, color=style.back, fontsize=11, weight="bold")
    for m in (1e4, 1e6, 4e6):
        axes.axvline(m, color=style.back, linewidth=1, linestyle=":")


SPLIT_SIZES = LabFigure(
    name="split-sizes",
    shows="Small data give 60/20/20; beyond 50,000 rows dev and test need an ever smaller share.",
    techniques=("D1",),
    measure=_measure,
    draw=_draw,
)
