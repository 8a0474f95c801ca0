"""What each augmentation does to a handwritten digit, and to the dev error of few train images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepwell._base._hash import Purpose, fold, key, words
from deepwell._base._image_declarations import AUGMENTED
from deepwell.data._image_augmentations import AUGMENTATIONS
from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digit_images

SETTINGS: dict[str, dict[str, float]] = {
    "as they are": {},
    "flip 0.5": {"flip": 0.5},
    "crop 1": {"crop": 1},
    "shift 0.12": {"shift": 0.12},
    "rotation 15": {"rotation": 15.0},
    "contrast 0.5": {"contrast": 0.5},
    "brightness 0.5": {"brightness": 0.5},
    "augment 1": dict(AUGMENTED),
}
SEEDS, ROWS, SHOWN, DIGIT = 5, 150, 7, 4


def _measure() -> dict[str, Any]:
    """Return the images of each setting (settings, shown, 8, 8), and all dev errors."""
    task = digit_images().few(ROWS)
    networks = train(
        task,
        [
            {
                "hidden_units": [64],
                "learning_rate": 0.003,
                "batch_size": 50,
                "seed": seed,
                **changes,
            }
            for changes in SETTINGS.values()
            for seed in range(SEEDS)
        ],
        150,
    )
    shape = (len(SETTINGS), SEEDS)
    digit = task.x_train[task.y_train == DIGIT][:1].reshape(1, *task.image)
    return {
        "images": np.stack([_shown(digit, changes) for changes in SETTINGS.values()]),
        "train": np.reshape([n.error(task.x_train, task.y_train) for n in networks], shape),
        "dev": np.reshape([n.error(task.x_dev, task.y_dev) for n in networks], shape),
    }


def _shown(digit: np.ndarray, strengths: Mapping[str, float]) -> np.ndarray:
    """Return one digit as some steps would see it, (shown, 8, 8)."""
    images, parent = np.repeat(digit, SHOWN, axis=0), fold(key(1), Purpose.IMAGE)
    for a in AUGMENTATIONS.values():
        drawn = words(fold(parent, a.number), (SHOWN, a.draws))
        images = a.apply(images, drawn, [strengths.get(name, 0.0) for name in a.strengths], np)
    return images[..., 0]


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    left, right = sheet.subplots(1, 2, sharey=True, width_ratios=(1.0, 1.1))
    images = np.pad(measured["images"], ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    rows, shown, height, width = images.shape
    mosaic = images.transpose(0, 2, 1, 3).reshape(rows * height, shown * width)
    ink = "gray" if style.name == "dark" else "gray_r"
    extent = (0, shown, rows - 0.5, -0.5)
    left.imshow(mosaic, cmap=ink, extent=extent, aspect="auto", interpolation="nearest")
    left.set(xticks=[], yticks=range(rows), yticklabels=list(SETTINGS), title="what a step sees")
    left.grid(False)
    left.spines[:].set_visible(False)
    left.tick_params(length=0)
    for place, errors in enumerate(100 * measured["dev"]):
        color = style.colors[0] if place else style.quiet
        right.plot(errors, np.full(SEEDS, place), "o", color=color, alpha=0.5, ms=5, mew=0)
        right.plot([np.median(errors)] * 2, [place - 0.3, place + 0.3], color=color)
    right.axvline(100 * np.median(measured["dev"][0]), color=style.quiet, lw=0.9, ls=":")
    right.tick_params(labelleft=False)
    title = f"dev error of {SEEDS} networks and their median"
    right.set(title=title, xlabel=f"% (from {ROWS} train images)")


IMAGE_AUGMENTATION = LabFigure(
    name="image-augmentation",
    shows="Digits that turn a little teach what a digit is; mirrored ones mislead.",
    techniques=("D7",),
    measure=_measure,
    draw=_draw,
    size=(10.0, 4.4),
)
