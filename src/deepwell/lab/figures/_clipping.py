"""A wall in the cost throws plain descent far back; a clipped gradient stays where it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style

START, RATE, STEPS = [2.0], 0.4, 120
RULES: dict[str, dict[str, float]] = {
    "no clipping": {},
    "clip_norm = 0.5": {"clip_norm": 0.5},
}
_SLOPE, _WALL = 0.3, 60.0


def cost(w: Any) -> Any:
    """Return a gentle slope down to 0 and a steep wall behind it, as deep networks have."""
    size = (w[0] ** 2 + 1e-4) ** 0.5
    return _SLOPE * (w[0] + size) / 2 + _WALL * ((w[0] - size) / 2) ** 2


def _measure() -> dict[str, Any]:
    """Return the path and the costs with and without clipping, and the cost itself."""
    from deepwell.optimization._minimize import minimize

    x = np.linspace(-0.6, 6, 901)
    runs = {
        name: minimize(cost, START, learning_rate=RATE, steps=STEPS, keep_path=True, **changes)
        for name, changes in RULES.items()
    }
    return {
        "x": x,
        "cost": cost(x[None]),
        "paths": {name: np.asarray(run.path[0]) for name, run in runs.items()},
        "costs": {name: run.costs for name, run in runs.items()},
    }


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    left, right = sheet.subplots(1, 2)
    left.plot(measured["x"], measured["cost"], color=style.ink, linewidth=1.2)
    for color, (name, path) in zip(style.colors, measured["paths"].items(), strict=False):
        left.plot(path, cost(path[None]), "o", color=color, markersize=3.5, label=name)
        right.plot(path, color=color, label=name)
    left.set(
        xlabel="w", ylabel="cost", title="the steps on the cost", xlim=(-0.6, 6), ylim=(-0.1, 4)
    )
    right.set(xlabel="step", ylabel="w", title="where each step leads")
    right.axhline(0, color=style.quiet, linestyle=":", linewidth=1.2)
    left.legend()


CLIPPING = LabFigure(
    name="clipping",
    shows="A wall throws plain descent far back, again and again; with a limit it stays near.",
    techniques=("O11",),
    measure=_measure,
    draw=_draw,
)
