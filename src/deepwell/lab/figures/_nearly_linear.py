"""A large lambda keeps a tanh network where tanh is a straight line."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import Network, train
from deepwell.lab._style import Style
from deepwell.lab._tasks import wave

STRENGTHS = 10.0 ** np.arange(-4, 0.1, 0.5)
SHOWN = (0, 4, 6)


def _measure() -> dict[str, np.ndarray]:
    """Return the fitted curves, and the share of each that no straight line explains."""
    task = wave()
    networks = train(
        task,
        [
            {
                "l2": float(l2),
                "activation": "tanh",
                "hidden_units": [32],
                "optimizer": "adam",
                "learning_rate": 0.01,
                "batch_size": 60,
            }
            for l2 in STRENGTHS
        ],
        1_500,
    )
    x = np.linspace(-2, 2, 201, dtype=np.float32)[:, None]
    curves = np.stack([n.predict(x) for n in networks])
    return {
        "x": x[:, 0],
        "curves": curves,
        "bent": np.array([_unexplained(x[:, 0], curve) for curve in curves]),
        "largest": np.array([_largest_input_of_tanh(n, x) for n in networks]),
        "rows": np.stack([task.x_train[:, 0], task.y_train]),
    }


def _unexplained(x: np.ndarray, y: np.ndarray) -> float:
    """Return the share of the variance of y that the best straight line leaves."""
    line = np.polyval(np.polyfit(x, y, 1), x)
    return float(((y - line) ** 2).sum() / max(((y - y.mean()) ** 2).sum(), 1e-12))


def _largest_input_of_tanh(network: Network, x: np.ndarray) -> float:
    """Return the largest |z| of the hidden layer over x."""
    z = x @ network.last["weights/0"] + network.last["biases/0"]
    return float(np.abs(z).max())


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    left, middle, right = sheet.subplots(1, 3, width_ratios=(1.3, 1, 1))
    left.plot(*measured["rows"], ".", color=style.quiet, markersize=4)
    for color, i in zip(style.colors, SHOWN, strict=False):
        left.plot(measured["x"], measured["curves"][i], color=color,
                  label=f"l2 = {STRENGTHS[i]:.2g}")  # fmt: skip
        for axes, key in ((middle, "bent"), (right, "largest")):
            scale = 100 if key == "bent" else 1
            axes.plot(STRENGTHS[i], scale * measured[key][i], "o", color=color, markersize=9)
    left.set(xlabel="x", ylabel="y", title="train rows and three networks")
    left.legend(loc="upper left")
    middle.plot(STRENGTHS, 100 * measured["bent"], ".-", color=style.ink, linewidth=1.2, zorder=1)
    middle.set(ylabel="variance of the curve in %", title="what no straight line explains")
    right.plot(STRENGTHS, measured["largest"], ".-", color=style.ink, linewidth=1.2, zorder=1)
    right.axhline(0.5, color=style.quiet, linestyle=":", linewidth=1.2)
    right.text(STRENGTHS[0], 0.55, "below, tanh is a line within 8 %", fontsize=8,
               color=style.quiet, va="bottom")  # fmt: skip
    right.set(ylabel="largest |z|", title="input of the tanh layer", yscale="log")
    for axes in (middle, right):
        axes.set(xscale="log", xlabel="l2 = λ/m")


NEARLY_LINEAR = LabFigure(
    name="nearly-linear",
    shows="Small weights keep z near 0, where tanh is a line: the network becomes one too.",
    techniques=("R6",),
    measure=_measure,
    draw=_draw,
    size=(10.5, 3.5),
)
