"""Dropout rates: train cost rises, dev error falls, until too much is dropped."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits

RATES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
KINDS = ("inverted", "classic")
SEEDS, EPOCHS = 8, 120


def _measure() -> dict[str, np.ndarray]:
    """Return train and dev errors at the end, (rates, seeds), inverted and classic."""
    task = digits().few(150)
    networks = train(
        task,
        [
            {
                "dropout": rate,
                "dropout_kind": kind,
                "seed": seed,
                "hidden_units": 128,
                "optimizer": "adam",
                "learning_rate": 0.002,
                "batch_size": 32,
            }
            for kind in KINDS
            for rate in RATES
            for seed in range(SEEDS)
        ],
        EPOCHS,
    )
    shape = (len(KINDS), len(RATES), SEEDS)
    train_errors = np.reshape([n.error(task.x_train, task.y_train) for n in networks], shape)
    dev_errors = np.reshape([n.error(task.x_dev, task.y_dev) for n in networks], shape)
    return {"train": train_errors[0], "dev": dev_errors[0], "dev, classic": dev_errors[1]}


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    axes = sheet.subplots()
    for color, dash, (name, errors) in zip(
        style.colors, ("-", "-", "--"), measured.items(), strict=False
    ):
        axes.plot(RATES, 100 * np.median(errors, axis=1), dash, color=color,
                  label=f"{name}, median")  # fmt: skip
        for seed in range(SEEDS):
            axes.plot(RATES, 100 * errors[:, seed], ".", color=color, markersize=3.5, alpha=0.6)
    axes.set(xlabel="share of units dropped", ylabel="error in %")
    axes.set(title=f"digits, 150 train rows, {SEEDS} networks at each rate", ylim=(-0.5, 16))
    axes.legend(loc="upper left")


DROPOUT = LabFigure(
    name="dropout",
    shows="Some dropout lowers the dev error of a network that overfits; too much raises both.",
    techniques=("N7", "N8"),
    measure=_measure,
    draw=_draw,
)
