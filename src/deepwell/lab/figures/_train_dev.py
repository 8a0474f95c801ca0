"""Which gap is variance, and which is mismatch."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import Task, train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits

SEEDS = 8
SETS = ("train", "train-dev", "dev")
_SETTINGS = {"hidden_units": 64, "optimizer": "adam", "learning_rate": 0.003}


def _measure() -> dict[str, np.ndarray]:
    """Return the errors (seeds, sets) where dev is of the same kind, and where it is not."""
    task = digits()
    held = Task(task.x_train[:900], task.y_train[:900], task.x_train[900:], task.y_train[900:], 10)
    networks = train(held, [{**_SETTINGS, "seed": seed} for seed in range(SEEDS)], 40)
    noise = np.random.default_rng(0).normal(0, 1.2, task.x_dev.shape)
    other = (task.x_dev + noise).astype(np.float32)
    found = {}
    for name, x_dev in (("dev of the same kind", task.x_dev), ("dev with noisy pixels", other)):
        rows = ((held.x_train, held.y_train), (held.x_dev, held.y_dev), (x_dev, task.y_dev))
        found[name] = np.array(
            [[n.error(x.astype(np.float32), y) for x, y in rows] for n in networks]
        )
    return found


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    panels = sheet.subplots(1, 2, sharey=True)
    highest = 100 * max(errors.max() for errors in measured.values())
    for axes, (name, errors) in zip(panels, measured.items(), strict=True):
        middle = 100 * np.median(errors, axis=0)
        axes.plot(range(3), middle, color=style.quiet, linewidth=1.2)
        for place in range(3):
            axes.plot([place] * SEEDS, 100 * errors[:, place], "o", color=style.colors[place],
                      markersize=5, alpha=0.8)  # fmt: skip
        for place, gap in ((0.5, "variance"), (1.5, "mismatch")):
            left = int(place)
            axes.text(place, (middle[left] + middle[left + 1]) / 2 + 0.05 * highest,
                      f"{gap}\n{middle[left + 1] - middle[left]:+.1f} points", ha="center",
                      va="bottom", fontsize=8.5)  # fmt: skip
        axes.set_xticks(range(3), SETS)
        axes.set(title=name, xlim=(-0.4, 2.4), ylim=(-1, 1.15 * highest))
    panels[0].set_ylabel("error in %")


TRAIN_DEV = LabFigure(
    name="train-dev",
    shows="The step from train to train-dev is variance, the one from train-dev to dev mismatch.",
    techniques=("D4",),
    measure=_measure,
    draw=_draw,
)
