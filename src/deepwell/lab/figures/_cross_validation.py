"""What one small dev set says, and what five folds say."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import Task, train
from deepwell.lab._style import Style
from deepwell.lab._tasks import moons

ROWS, FOLDS, REPEATS = 100, 5, 24
_SETTINGS = {"hidden_units": 16, "optimizer": "adam", "learning_rate": 0.02, "batch_size": 20}


def _measure() -> dict[str, Any]:
    """Return the dev error of one fold and the mean of five, by data set, and the true one."""
    single, folds, true = [], [], []
    for seed in range(REPEATS):
        task = moons(train=ROWS, dev=5_000, noise=0.3, seed=seed)
        order = np.random.default_rng(seed).permutation(ROWS)
        errors = [_error(_fold(task, order, place)) for place in range(FOLDS)]
        single.append(errors[0])
        folds.append(np.mean(errors))
        true.append(_error(task))
    return {"single": np.array(single), "folds": np.array(folds), "true": float(np.mean(true))}


def _fold(task: Task, order: np.ndarray, place: int) -> Task:
    dev = order[place::FOLDS]
    rest = np.setdiff1d(order, dev)
    x, y = task.x_train, task.y_train
    return Task(x[rest], y[rest], x[dev], y[dev], task.classes)


def _error(task: Task) -> float:
    (network,) = train(task, [_SETTINGS], 60)
    return network.error(task.x_dev, task.y_dev)


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    axes = sheet.subplots()
    names = {"single": f"one dev set of {ROWS // FOLDS} rows", "folds": f"mean of {FOLDS} folds"}
    for row, (color, key) in enumerate(zip(style.colors, names, strict=False)):
        errors = 100 * measured[key]
        jitter = 0.3 * (np.random.default_rng(row).random(REPEATS) - 0.5)
        axes.plot(errors, row + jitter, "o", color=color, markersize=5, alpha=0.75)
        axes.text(0.99, row, f"spread {errors.std():.1f} points", color=color, ha="right",
                  transform=axes.get_yaxis_transform(), fontsize=8.5)  # fmt: skip
    axes.set_yticks(range(len(names)), list(names.values()))
    axes.axvline(100 * measured["true"], color=style.ink, linestyle=":", linewidth=1.2)
    axes.annotate("5,000 fresh rows", (100 * measured["true"], 0.5), fontsize=8.5,
                  xycoords=("data", "axes fraction"), xytext=(4, -3),
                  textcoords="offset points")  # fmt: skip
    axes.grid(visible=False, axis="y")
    axes.invert_yaxis()
    axes.set(xlabel="error in %", title=f"{REPEATS} data sets of {ROWS} rows")


CROSS_VALIDATION = LabFigure(
    name="cross-validation",
    shows="What one small dev set says is largely luck; the mean over folds moves much less.",
    techniques=("D3",),
    measure=_measure,
    draw=_draw,
    size=(8.0, 3.2),
)
