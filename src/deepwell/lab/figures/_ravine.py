"""Optimizers in a ravine: one steep direction, one flat one."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style, end_labels
from deepwell.optimization._minimize import minimize

STEEP, FLAT = 25.0, 1.0
START = np.array([-9.0, 2.0])
STEPS = 60
RULES: dict[str, dict[str, float]] = {
    "sgd": {"learning_rate": 0.075},
    "momentum": {"learning_rate": 0.2, "momentum": 0.7},
    "rmsprop": {"learning_rate": 0.25, "beta2": 0.9},
    "adam": {"learning_rate": 0.6, "beta1": 0.7, "beta2": 0.9},
}


def ravine(w: Any) -> Any:
    """Return `(x^2 + 25 y^2) / 2`."""
    return 0.5 * (FLAT * w[0] ** 2 + STEEP * w[1] ** 2)


def _measure() -> dict[str, Any]:
    """Return each rule's path and costs from the same start."""
    ends = {
        name: minimize(ravine, START, optimizer=name, steps=STEPS, keep_path=True, **numbers)
        for name, numbers in RULES.items()
    }
    return {name: {"path": end.path, "costs": end.costs} for name, end in ends.items()}


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    left, right = sheet.subplots(1, 2, width_ratios=(1.7, 1))
    x, y = np.linspace(-10, 4, 141), np.linspace(-3.2, 3.2, 121)
    heights = ravine(np.stack(np.meshgrid(x, y)))
    left.contour(x, y, heights, levels=np.geomspace(0.5, 150, 9), colors=style.quiet,
                 linewidths=0.6, alpha=0.7)  # fmt: skip
    right.set(xlabel="step", ylabel="cost", yscale="log", xlim=(0, STEPS), ylim=(1e-6, 300),
              title="cost")  # fmt: skip
    ends = []
    for color, (name, run) in zip(style.colors, measured.items(), strict=False):
        left.plot(*run["path"].T, "o-", color=color, markersize=2.5, linewidth=1.2, label=name)
        right.plot(run["costs"], color=color)
        ends.append((STEPS, max(run["costs"][-1], 1e-6), name, color))
    left.plot(0, 0, "*", color=style.ink, markersize=9)
    left.set(xlabel="w₁, flat direction", ylabel="w₂, steep direction", xlim=(-10, 4),
             ylim=(-3.2, 3.2), title="paths on the contours of (w₁² + 25 w₂²)/2")  # fmt: skip
    left.grid(visible=False)
    left.legend(loc="lower right", ncols=2)
    end_labels(right, ends)


RAVINE = LabFigure(
    name="ravine",
    shows="Plain descent swings across the ravine; momentum damps the swing, RMSprop and Adam "
    "divide it away.",
    techniques=("O4", "O7", "O8"),
    measure=_measure,
    draw=_draw,
    size=(10.0, 3.6),
)
