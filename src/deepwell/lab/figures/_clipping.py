"""A cliff in the cost throws plain descent far away; a clipped gradient takes it step by step."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style
from deepwell.optimization._minimize import minimize

START, RATE, STEPS = [-1.5], 0.05, 120
RULES: dict[str, dict[str, float]] = {
    "no clipping": {},
    "clip_norm = 2": {"clip_norm": 2.0},
}
_STEEP = 40.0


def cost(w: Any) -> Any:
    """Return `(x - 1)^2 / 2` beside a wall, as repeated multiplication makes in deep networks."""
    x = w[0]
    wall = 1 / (1 + 2.718281828459045 ** (_STEEP * (x + 0.5)))
    return 0.5 * (x - 1) ** 2 + 3 * wall


def _measure() -> dict[str, Any]:
    """Return the path and the costs with and without clipping, and the cost itself."""
    x = np.linspace(-3, 6, 901)
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
        left.plot(path, cost(path[None]), "o", color=color, markersize=4, label=name)
        right.plot(path, color=color, label=name)
    left.set(xlabel="w", ylabel="cost", title="the steps on the cost", xlim=(-3, 6), ylim=(0, 9))
    right.set(xlabel="step", ylabel="w", title="where each step leads")
    right.axhline(1, color=style.quiet, linestyle=":", linewidth=1.2)
    left.legend()


CLIPPING = LabFigure(
    name="clipping",
    shows="One steep place throws plain descent far off; with a limit on its norm it walks on.",
    techniques=("O11",),
    measure=_measure,
    draw=_draw,
)
