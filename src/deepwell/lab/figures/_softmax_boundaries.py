"""Softmax regression on three to six classes: every boundary is a straight line."""

from __future__ import annotations

from typing import Any

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._regions import draw_regions, regions
from deepwell.lab._style import Style
from deepwell.lab._tasks import blobs

CLASSES = (3, 4, 5, 6)


def _measure() -> list[dict[str, Any]]:
    """Return, for each number of classes, the regions of a network without hidden layers."""
    panels = []
    for classes in CLASSES:
        task = blobs(classes)
        settings = {"hidden_layers": 0, "hidden_units": [], "optimizer": "adam",
                    "learning_rate": 0.05, "batch_size": 300}  # fmt: skip
        (network,) = train(task, [settings], 300)
        panels.append(
            {
                "plane": regions(network, task.x_train),
                "x": task.x_train,
                "y": task.y_train,
                "dev": network.error(task.x_dev, task.y_dev),
            }
        )
    return panels


def _draw(sheet: Any, measured: list[dict[str, Any]], style: Style) -> None:
    for axes, classes, panel in zip(
        sheet.subplots(1, len(CLASSES)), CLASSES, measured, strict=True
    ):
        draw_regions(axes, panel["plane"], panel["x"], panel["y"], style)
        axes.set(title=f"{classes} classes", xlabel=f"dev error {100 * panel['dev']:.1f} %")


SOFTMAX_BOUNDARIES = LabFigure(
    name="softmax-boundaries",
    shows="Without hidden layers the border between any two classes is a straight line.",
    techniques=("N4", "N11"),
    measure=_measure,
    draw=_draw,
    size=(10.0, 2.9),
)
