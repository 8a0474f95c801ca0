"""Monte Carlo dropout: the spread of many thinned networks tells where they know little."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import wave
from deepwell.networks._monte_carlo import sampled_predictions

SAMPLES = 200


def _measure() -> dict[str, np.ndarray]:
    """Return mean and spread over inputs within and beyond the train rows."""
    task = wave()
    (network,) = train(
        task,
        [
            {
                "dropout": 0.1,
                "hidden_units": [64, 64],
                "optimizer": "adam",
                "learning_rate": 0.005,
                "batch_size": 60,
            }
        ],
        3_000,
    )
    x = np.linspace(-5, 5, 301, dtype=np.float32)
    sampled = sampled_predictions(network.architecture, network.last, x[:, None], SAMPLES)
    return {
        "x": x,
        "mean": sampled.mean,
        "spread": sampled.spread,
        "rows": np.stack([task.x_train[:, 0], task.y_train]),
    }


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    axes = sheet.subplots()
    x, mean, spread = (measured[name] for name in ("x", "mean", "spread"))
    for times, alpha in ((2, 0.2), (1, 0.3)):
        low, high = mean - times * spread, mean + times * spread
        axes.fill_between(x, low, high, color=style.colors[0], alpha=alpha, linewidth=0,
                          label=f"± {times} standard deviations")  # fmt: skip
    axes.plot(x, mean, color=style.colors[0], label=f"mean of {SAMPLES} networks")
    axes.plot(*measured["rows"], ".", color=style.colors[1], markersize=5, label="train rows")
    axes.set(xlabel="x", ylabel="y", xlim=(-5, 5))
    axes.legend(loc="upper left", ncols=2)


DROPOUT_ENSEMBLE = LabFigure(
    name="dropout-ensemble",
    shows="Away from the train rows the thinned networks disagree, and say so.",
    techniques=("N9",),
    measure=_measure,
    draw=_draw,
)
