"""The contours of a cost with inputs of unlike scales, and after normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style

STEPS = 25


def cost(w: Any, rows: Any) -> Any:
    """Return the mean squared error of a linear model without intercept."""
    x, y = rows
    return ((x @ w - y) ** 2).mean()


def _measure() -> dict[str, dict[str, Any]]:
    """Return contours and the path of descent at the best fixed rate, before and after."""
    random = np.random.default_rng(5)
    x = random.normal(size=(200, 2)) * np.array([1.0, 5.0])
    y = x @ np.array([2.0, 0.4]) + random.normal(0, 0.1, 200)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    return {"as they come": _descent(x, y), "normalized": _descent(scaled, y - y.mean())}


def _descent(x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    from deepwell.checking._curvature import curvature
    from deepwell.optimization._minimize import minimize

    best = np.linalg.lstsq(x, y, rcond=None)[0]
    start = best + np.array([-2.5, 1.6])
    around = curvature(cost, best, data=(x, y))
    rate = 2 / (around.largest + around.smallest)  # the fixed rate that comes nearest
    end = minimize(cost, start, data=(x, y), learning_rate=rate, steps=STEPS, keep_path=True)
    across, up = (best[i] + np.linspace(-3, 3, 121) for i in (0, 1))
    grid = np.stack(np.meshgrid(across, up), axis=-1)
    heights = ((grid @ x.T - y) ** 2).mean(axis=-1)
    return {
        "across": across, "up": up, "heights": heights, "path": end.path, "best": best,
        "rate": rate, "condition": around.largest / around.smallest, "costs": end.costs,
    }  # fmt: skip


def _draw(sheet: Any, measured: dict[str, dict[str, Any]], style: Style) -> None:
    panels = sheet.subplots(1, 2)
    for axes, (name, m) in zip(panels, measured.items(), strict=True):
        levels = m["heights"].min() + np.geomspace(0.1, 250, 11)
        axes.contour(m["across"], m["up"], m["heights"], levels=levels, colors=style.quiet,
                     linewidths=0.7)  # fmt: skip
        axes.plot(*m["path"].T, "o-", color=style.colors[1], markersize=3, linewidth=1.1)
        axes.plot(*m["best"], "*", color=style.ink, markersize=9)
        axes.set(title=f"inputs {name}: α = {m['rate']:.2g}", xlabel="w₁", ylabel="w₂")  # fmt: skip
        axes.set_box_aspect(1)
        axes.grid(visible=False)
        axes.text(0.02, 0.03, f"largest over smallest curvature: {m['condition']:.1f}",
                  transform=axes.transAxes, fontsize=8.5, color=style.ink,
                  bbox={"facecolor": style.back, "edgecolor": "none", "pad": 1.5})  # fmt: skip


NORMALIZATION = LabFigure(
    name="normalization",
    shows="Unlike scales make long narrow valleys that allow only small rates; normalized inputs "
    "make round ones.",
    techniques=("D6",),
    measure=_measure,
    draw=_draw,
    size=(8.0, 4.6),
)
