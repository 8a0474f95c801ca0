"""A parabola minimized from its forward computation alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style

STEPS = 250
COEFFICIENTS = ((1.0, -10.0, 25.0), (1.0, -20.0, 100.0))


def parabola(w: Any, c: Any) -> Any:
    """Return `c0 w^2 + c1 w + c2`."""
    return c[0] * w**2 + c[1] * w + c[2]


def _measure() -> list[np.ndarray]:
    """Return w after each step, for both sets of coefficients."""
    from deepwell.optimization._minimize import minimize

    return [
        minimize(parabola, 0.0, data=c, learning_rate=0.01, steps=STEPS, keep_path=True).path
        for c in COEFFICIENTS
    ]


def _draw(sheet: Any, measured: list[np.ndarray], style: Style) -> None:
    left, right = sheet.subplots(1, 2)
    w = np.linspace(-1, 13, 200)
    for color, c, path in zip(style.colors, COEFFICIENTS, measured, strict=False):
        name = f"w² {c[1]:+g} w {c[2]:+g}".replace("-", "− ").replace("+", "+ ")
        left.plot(w, parabola(w, c), color=color, label=name)
        left.plot(path[::10], parabola(path, c)[::10], "o", color=color, markersize=3.5)
        right.plot(path, color=color)
        right.axhline(-c[1] / 2, color=color, linewidth=1, linestyle=":")
    left.set(xlabel="w", ylabel="cost", ylim=(-5, 110), title="every tenth step of descent")
    left.legend(loc="upper right")
    right.set(xlabel="step", ylabel="w", title="w = w* (1 − 0.98ⁿ)", xlim=(0, STEPS))


MINIMIZE = LabFigure(
    name="minimize",
    shows="Only the cost is written; coefficients come as data, and descent ends where it should.",
    techniques=("O13",),
    measure=_measure,
    draw=_draw,
)
