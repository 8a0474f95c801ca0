"""What batch norm steadies, and the noise that it adds: by batch size."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import Network, train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits
from deepwell.networks._forward import activations

EPOCHS, LAYER, UNIT = 20, 2, 0
BATCHES = (4, 8, 16, 32, 64, 128, 256, 512)
KINDS = {"without": "none", "with batch norm": "after"}


def _measure() -> dict[str, Any]:
    """Return a hidden unit's inputs to the third layer by epoch, and batch means by batch size."""
    task = digits()
    networks = train(
        task,
        [
            {
                "batch_norm": kind,
                "epochs": epochs,
                "learning_rate": 0.1,
                "optimizer": "sgd",
                "hidden_units": [32] * 3,
                "activation": "tanh",
            }
            for kind in KINDS.values()
            for epochs in range(1, EPOCHS + 1)
        ],
        EPOCHS,
    )
    at = [_first_layer(n, task.x_train) for n in networks]
    quantiles = np.array([np.quantile(z, (0.1, 0.5, 0.9)) for z in at])
    shifts = quantiles.reshape(len(KINDS), EPOCHS, 3)
    z = at[EPOCHS - 1]
    random = np.random.default_rng(0)
    means = [[z[random.choice(len(z), b, False)].mean() for _ in range(400)] for b in BATCHES]
    return {
        "shifts": dict(zip(KINDS, shifts, strict=True)),
        "noise": np.std(means, axis=1) / z.std(),
    }


def _first_layer(network: Network, x: np.ndarray) -> np.ndarray:
    """Return what one unit of the second hidden layer hands on, for every row."""
    return activations(network.architecture, network.last, x, LAYER)[:, UNIT]


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    *panels, right = sheet.subplots(1, 3)
    epochs = np.arange(1, EPOCHS + 1)
    for axes, color, (name, shift) in zip(
        panels, style.colors, measured["shifts"].items(), strict=False
    ):
        axes.fill_between(epochs, shift[:, 0], shift[:, 2], color=color, alpha=0.3, linewidth=0)
        axes.plot(epochs, shift[:, 1], color=color)
        axes.set(title=f"{name}: a unit's output", xlabel="epoch", ylabel="median, 10 to 90 %",
                 xlim=(1, EPOCHS))  # fmt: skip
    right.plot(BATCHES, measured["noise"], "o-", color=style.colors[2], markersize=4,
               label="measured")  # fmt: skip
    right.plot(BATCHES, 1 / np.sqrt(BATCHES), "--", color=style.quiet, label="1/√B")
    right.set(xscale="log", yscale="log", xlabel="batch size B", title="noise of a batch's mean",
              ylabel="share of the unit's spread")  # fmt: skip
    right.set_xticks(BATCHES, [str(b) for b in BATCHES])
    right.minorticks_off()
    right.legend()


BATCH_NORM_NOISE = LabFigure(
    name="batch-norm-noise",
    shows="Batch norm holds a layer's inputs where the next one expects them; small batches add "
    "noise.",
    techniques=("N6",),
    measure=_measure,
    draw=_draw,
    size=(10.5, 3.4),
)
