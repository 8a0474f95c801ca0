"""Train and dev cost part; early stopping goes back to the best epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import moons

EPOCHS, PATIENCE = 150, 40


def _measure() -> dict[str, Any]:
    """Return the curves of a network without early stopping, and where one with it ended."""
    same = {"hidden_units": 64, "optimizer": "adam", "learning_rate": 0.005, "batch_size": 20}
    task = moons(train=80, noise=0.4)
    through, stopped = train(task, [same, {**same, "patience": PATIENCE}], EPOCHS)
    return {
        "train": through.train_cost,
        "dev": through.dev_cost,
        "score": through.dev_score,
        "best": stopped.best_epoch,
        "stop": int(np.isfinite(stopped.dev_score).sum()),
    }


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    left, right = sheet.subplots(1, 2)
    epochs = np.arange(1, EPOCHS + 1)
    left.plot(epochs, measured["train"], color=style.colors[0], label="train cost")
    left.plot(epochs, measured["dev"], color=style.colors[1], label="dev cost")
    left.set(ylabel="cross-entropy", title="cost", ylim=(0, None))
    left.legend(loc="lower left")
    right.plot(epochs, 100 * measured["score"], color=style.colors[1])
    best = 100 * measured["score"][measured["best"] - 1]
    right.plot([measured["best"]], [best], "o", color=style.colors[2], markersize=7)
    right.annotate(f"best, kept: epoch {measured['best']}", (measured["best"], best),
                   xytext=(4, -14), textcoords="offset points", color=style.colors[2])  # fmt: skip
    right.axvline(measured["stop"], color=style.quiet, linestyle=":", linewidth=1.2)
    right.annotate(f"stopped: epoch {measured['stop']}", (measured["stop"], 0.04),
                   xycoords=("data", "axes fraction"), xytext=(4, 0), textcoords="offset points",
                   color=style.quiet)  # fmt: skip
    right.set(ylabel="dev error in %", title=f"patience of {PATIENCE} epochs", ylim=(12, 24))
    for axes in (left, right):
        axes.set(xlabel="epoch", xlim=(1, EPOCHS))


EARLY_STOPPING = LabFigure(
    name="early-stopping",
    shows="Train cost goes on falling while dev cost rises again; the best epoch is kept.",
    techniques=("R4",),
    measure=_measure,
    draw=_draw,
)
