"""Errors of numerical derivatives against their step, and what a gradient check sees."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style, end_labels

STEPS = np.logspace(-11, -0.5, 43)
L2 = 0.01


def _measure() -> dict[str, Any]:
    """Return errors by step: of theta^3 at 1, and relative ones of a network's whole gradient."""
    from deepwell.checking._derivative import one_sided_derivative, two_sided_derivative

    def cube(theta: float) -> float:
        return theta**3

    errors = {
        "one-sided": [abs(one_sided_derivative(cube, 1.0, float(e)) - 3) for e in STEPS],
        "two-sided": [abs(two_sided_derivative(cube, 1.0, float(e)) - 3) for e in STEPS],
    }
    gradient = _backward(_START, L2)
    checked = {
        "right": gradient,
        "without the penalty": _backward(_START, 0.0),
        "twice too large": 2 * gradient,
    }
    slopes = [_two_sided(float(e)) for e in STEPS]
    relative = {
        name: [
            float(np.linalg.norm(s - g) / (np.linalg.norm(s) + np.linalg.norm(g))) for s in slopes
        ]
        for name, g in checked.items()
    }
    return {"errors": errors, "relative": relative}


_RNG = np.random.default_rng(0)
_X, _Y = _RNG.normal(size=(30, 4)), _RNG.normal(size=30)
_START = 0.5 * _RNG.normal(size=24)  # (4, 4) weights, 4 biases, 4 weights of the output


def _forward(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a = np.tanh(_X @ theta[:16].reshape(4, 4) + theta[16:20])
    return a, a @ theta[20:] - _Y


def _cost(theta: np.ndarray) -> float:
    """Return a small network's mean squared error and penalty."""
    return float((_forward(theta)[1] ** 2).mean() + L2 / 2 * (theta**2).sum())


def _backward(theta: np.ndarray, l2: float) -> np.ndarray:
    a, apart = _forward(theta)
    out = 2 * apart / len(_Y)
    inner = out[:, None] * theta[20:] * (1 - a**2)
    return np.concatenate([(_X.T @ inner).ravel(), inner.sum(0), a.T @ out]) + l2 * theta


def _two_sided(step: float) -> np.ndarray:
    moves = step * np.eye(len(_START))
    return np.array([_cost(_START + e) - _cost(_START - e) for e in moves]) / (2 * step)


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    left, right = sheet.subplots(1, 2)
    limits = {"xscale": "log", "yscale": "log", "xlim": (STEPS[0], STEPS[-1]), "xlabel": "step ε"}
    for axes, lines, title in (
        (left, measured["errors"], "derivative of θ³ at 1: error"),
        (right, measured["relative"], "gradient of a network: relative error of the check"),
    ):
        axes.set(**limits, ylim=(1e-12, 3), title=title)
        for name, color in zip(lines, style.colors, strict=False):
            axes.plot(STEPS, np.maximum(lines[name], 1e-12), color=color)
        ends = [
            (STEPS[-1], lines[name][-1], name, c)
            for name, c in zip(lines, style.colors, strict=False)
        ]
        end_labels(axes, ends)
    for height, name in ((1e-7, "great"), (1e-5, "look"), (1e-3, "worry")):
        right.axhline(height, color=style.quiet, linewidth=0.8, linestyle=":")
        right.text(1e-6, height * 1.3, name, color=style.quiet, fontsize=8.5)


NUMERICAL_DERIVATIVE = LabFigure(
    name="numerical-derivative",
    shows="The two-sided error falls with ε², the one-sided with ε, until rounding takes over.",
    techniques=("C1", "C2"),
    measure=_measure,
    draw=_draw,
    size=(10.0, 3.6),
)
