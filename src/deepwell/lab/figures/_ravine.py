"""Optimizers in a ravine: one steep direction, one flat one."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style, end_labels

STEEP, FLAT = 25.0, 1.0
START = np.array([-9.0, 2.0])
STEPS = 60
RULES: dict[str, dict[str, float]] = {
    "sgd": {"learning_rate": 0.075},
    "momentum": {"learning_rate": 0.2, "momentum": 0.7},
    "velocity": {"learning_rate": 0.02, "momentum": 0.8},
    "nesterov": {"learning_rate": 0.02, "momentum": 0.8},
    "adagrad": {"learning_rate": 1.5},
    "rmsprop": {"learning_rate": 0.25, "beta2": 0.9},
    "adam": {"learning_rate": 0.6, "beta1": 0.7, "beta2": 0.9},
}
PANELS = (("sgd", "momentum", "velocity", "nesterov"), ("adagrad", "rmsprop", "adam"))


def ravine(w: Any) -> Any:
    """Return `(x^2 + 25 y^2) / 2`."""
    return 0.5 * (FLAT * w[0] ** 2 + STEEP * w[1] ** 2)


def _measure() -> dict[str, Any]:
    """Return each rule's path and costs from the same start."""
    from deepwell.optimization._minimize import minimize

    ends = {
        name: minimize(ravine, START, optimizer=name, steps=STEPS, keep_path=True, **numbers)
        for name, numbers in RULES.items()
    }
    return {name: {"path": end.path, "costs": end.costs} for name, end in ends.items()}


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    *panels, right = sheet.subplots(1, 3, width_ratios=(1.3, 1.3, 1))
    colors = dict(zip(RULES, style.colors, strict=True))
    x, y = np.linspace(-10, 4, 141), np.linspace(-3.4, 3.4, 121)
    heights = ravine(np.stack(np.meshgrid(x, y)))
    titles = ("rules with one rate for all", "rules that divide by the gradient's size")
    for axes, names, title in zip(panels, PANELS, titles, strict=True):
        axes.contour(x, y, heights, levels=np.geomspace(0.5, 150, 9), colors=style.quiet,
                     linewidths=0.6, alpha=0.7)  # fmt: skip
        for name in names:
            axes.plot(*measured[name]["path"].T, "o-", color=colors[name], markersize=2.5,
                      linewidth=1.2, label=name)  # fmt: skip
        axes.plot(0, 0, "*", color=style.ink, markersize=9)
        axes.set(xlabel="w₁, flat direction", ylabel="w₂, steep direction", xlim=(-10, 4),
                 ylim=(-3.4, 3.4), title=title)  # fmt: skip
        axes.grid(visible=False)
        axes.legend(loc="lower right", ncols=2)
    right.set(xlabel="step", ylabel="cost", yscale="log", xlim=(0, STEPS), ylim=(1e-6, 300),
              title="cost")  # fmt: skip
    ends = []
    for name, run in measured.items():
        right.plot(run["costs"], color=colors[name], linewidth=1.4)
        ends.append((STEPS, max(run["costs"][-1], 1e-6), name, colors[name]))
    end_labels(right, ends)


RAVINE = LabFigure(
    name="ravine",
    shows="Plain descent swings across the ravine; momentum damps the swing, dividing rules go "
    "along it.",
    techniques=("O4", "O5", "O6", "O7", "O8"),
    measure=_measure,
    draw=_draw,
    size=(12.0, 3.6),
)
