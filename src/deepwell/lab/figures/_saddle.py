"""A saddle and two minima, and a descent that lingers on the plateau between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style

START, RATE, STEPS = (-1.9, 1e-4), 0.05, 160
POINTS = {"saddle": (0.0, 0.0), "minimum": (0.0, 1.0)}


def cost(w: Any) -> Any:
    """Return `x^2/2 + (y^2 - 1)^2/4`: minima at (0, -1) and (0, 1), a saddle at (0, 0)."""
    return 0.5 * w[0] ** 2 + 0.25 * (w[1] ** 2 - 1) ** 2


def _measure() -> dict[str, Any]:
    """Return the path, its costs, and the ends of the Hessian's spectrum at both points."""
    from deepwell.checking._curvature import curvature
    from deepwell.optimization._minimize import minimize

    end = minimize(cost, list(START), learning_rate=RATE, steps=STEPS * 2, keep_path=True)
    return {
        "path": np.stack(end.path, axis=1),
        "costs": end.costs,
        "points": {
            name: (c.kind, c.smallest, c.largest)
            for name, at in POINTS.items()
            for c in [curvature(cost, list(at))]
        },
        "least": np.array(
            [curvature(cost, list(at)).smallest for at in np.stack(end.path, axis=1)[::8]]
        ),
    }


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    left, middle, right = sheet.subplots(1, 3, width_ratios=(1.25, 1, 1))
    x, y = np.linspace(-2.1, 1.2, 121), np.linspace(-1.6, 1.6, 121)
    heights = cost(np.stack(np.meshgrid(x, y)))
    left.contour(x, y, heights, levels=np.linspace(0.02, 2.2, 14), colors=style.quiet,
                 linewidths=0.7)  # fmt: skip
    left.plot(*measured["path"].T, color=style.colors[1], linewidth=2)
    for (name, at), color in zip(POINTS.items(), (style.colors[0], style.colors[2]), strict=True):
        kind, low, high = measured["points"][name]
        left.plot(*at, "o", color=color, markersize=7)
        left.annotate(f"{kind}\nλ: {low:.3g}, {high:.3g}", at, xytext=(8, -4),
                      textcoords="offset points", color=color, fontsize=8.5)  # fmt: skip
    left.set(xlabel="x", ylabel="y", title="a saddle between two minima")
    left.grid(visible=False)
    steps = np.arange(len(measured["costs"]))
    middle.plot(steps, measured["costs"], color=style.colors[1])
    middle.set(xlabel="step", ylabel="cost", title="the plateau", xlim=(0, steps[-1]))
    right.plot(steps[::8], measured["least"], color=style.colors[0])
    right.axhline(0, color=style.quiet, linewidth=1)
    right.set(xlabel="step", ylabel="smallest eigenvalue", title="what tells it from a minimum",
              xlim=(0, steps[-1]))  # fmt: skip


SADDLE = LabFigure(
    name="saddle",
    shows="A flat stretch of the cost with a negative eigenvalue is a saddle, and has a way out.",
    techniques=("O14",),
    measure=_measure,
    draw=_draw,
    size=(10.5, 3.5),
)
