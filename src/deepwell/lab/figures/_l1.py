"""L1 makes weights sparse; L2 makes them small."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits

STRENGTHS = 10.0 ** np.arange(-5, -1.4, 0.5)
BINS = np.linspace(-7, 0.5, 61)
SMALL = 1e-3


def _measure() -> dict[str, Any]:
    """Return, for both penalties, the share of small weights, the dev errors and all sizes."""
    task = digits()
    found = {}
    for penalty in ("l1", "l2"):
        networks = train(
            task,
            [
                {
                    penalty: float(strength),
                    "optimizer": "sgd",
                    "learning_rate": 0.1,
                    "hidden_units": 64,
                    "hidden_layers": 1,
                    "decay": "inverse_time",
                    "decay_rate": 0.1,
                }
                for strength in STRENGTHS
            ],
            150,
        )
        weights = [
            np.concatenate([n.last[f"weights/{layer}"].ravel() for layer in (0, 1)])
            for n in networks
        ]
        found[penalty] = {
            "small": np.array([(np.abs(w) < SMALL).mean() for w in weights]),
            "dev": np.array([n.error(task.x_dev, task.y_dev) for n in networks]),
            "sizes": np.log10(np.abs(weights[len(STRENGTHS) // 2]) + 1e-7),
        }
    return found


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    left, middle, right = sheet.subplots(1, 3)
    for color, (penalty, run) in zip(style.colors, measured.items(), strict=False):
        left.plot(STRENGTHS, 100 * run["small"], "o-", markersize=3.5, color=color, label=penalty)
        middle.plot(STRENGTHS, 100 * run["dev"], "o-", markersize=3.5, color=color, label=penalty)
        right.hist(run["sizes"], BINS, color=color, histtype="step", linewidth=1.6, label=penalty)
    left.set(ylabel="share in %", title=f"weights below {SMALL:g}", ylim=(0, 100))
    middle.set(ylabel="dev error in %", title="errors", ylim=(0, 20))
    strength = STRENGTHS[len(STRENGTHS) // 2]
    right.set(xlabel="log₁₀ |w|", ylabel="weights", title=f"sizes at λ/m = {strength:.2g}",
              yscale="log")  # fmt: skip
    for axes in (left, middle):
        axes.set(xscale="log", xlabel="λ/m")
    left.legend()


L1 = LabFigure(
    name="l1",
    shows="L1 drives most weights to nothing and leaves few; L2 shrinks all and removes few.",
    techniques=("R2",),
    measure=_measure,
    draw=_draw,
    size=(10.0, 3.4),
)
