"""Draw what a network says over a plane of two inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._population import Network
from ._style import Style


def regions(network: Network, x: np.ndarray, points: int = 181) -> dict[str, np.ndarray]:
    """Return the class that a network names on a grid that holds the rows x (n, 2)."""
    low, high = x.min(axis=0) - 0.4, x.max(axis=0) + 0.4
    across, up = (np.linspace(low[i], high[i], points) for i in (0, 1))
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2).astype(np.float32)
    said = network.predict(grid).argmax(axis=1).reshape(points, points)
    return {"across": across, "up": up, "said": said}


def draw_regions(
    axes: Any, plane: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray, style: Style
) -> None:
    """Draw the regions of the classes, their borders and the rows."""
    from matplotlib.colors import ListedColormap

    count = int(max(plane["said"].max(), y.max())) + 1
    levels = np.arange(count + 1) - 0.5
    axes.contourf(
        plane["across"], plane["up"], plane["said"], levels=levels, alpha=0.22,
        cmap=ListedColormap(style.colors[:count]), vmin=-0.5, vmax=count - 0.5,
    )  # fmt: skip
    axes.contour(plane["across"], plane["up"], plane["said"], levels=levels[1:-1],
                 colors=style.ink, linewidths=0.9)  # fmt: skip
    for c in range(count):
        of = y == c
        axes.scatter(*x[of].T, s=9, color=style.colors[c], marker="osD^vP"[c % 6],
                     edgecolors=style.back, linewidths=0.4)  # fmt: skip
    axes.set(aspect="equal", xticks=[], yticks=[])
    axes.grid(visible=False)
