"""The cost of a network around the path of its own training."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style
from deepwell.lab._tasks import moons
from deepwell.networks._architecture import Architecture
from deepwell.networks._initializers import initial_parameters

NETWORK = Architecture(2, (16, 16), 1, "tanh", loss="logistic")
RUNS: dict[str, dict[str, float]] = {
    "sgd": {"learning_rate": 0.5},
    "adam": {"learning_rate": 0.03},
}
STEPS = 200


def _measure() -> dict[str, Any]:
    """Return the surface through each descent's own plane, and the descent over it."""
    from deepwell.checking._network_cost import network_cost
    from deepwell.checking._surface import loss_surface
    from deepwell.optimization._minimize import minimize

    task = moons()
    rows = task.x_train.astype(float), task.y_train.astype(float)
    cost = network_cost(NETWORK, l2=1e-3)
    start = initial_parameters(NETWORK, "lecun", seed=3, dtype="float64")
    found = {}
    for name, numbers in RUNS.items():
        end = minimize(
            cost, start, data=rows, optimizer=name, steps=STEPS, keep_path=True, **numbers
        )
        surface = loss_surface(cost, end.w, data=rows, path=end.path, points=61)
        found[name] = {"surface": surface, "costs": end.costs}
    return found


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    from matplotlib.colors import ListedColormap

    ramp = ListedColormap(style.ordered(256))
    panels = sheet.subplots(1, len(measured))
    for axes, (name, run) in zip(panels, measured.items(), strict=True):
        s = run["surface"]
        levels = np.geomspace(s.costs.min(), s.costs.max(), 16)
        lines = axes.contour(s.across, s.up, s.costs, levels=levels, cmap=ramp, linewidths=0.9)
        axes.clabel(lines, lines.levels[::3], fontsize=7, fmt="%.2f")
        axes.plot(*s.path.T, "o-", color=style.colors[1], markersize=2, linewidth=1.3)
        axes.plot(*s.path[-1], "*", color=style.ink, markersize=9)
        axes.set(title=f"{name}: cost {run['costs'][0]:.2f} to {run['costs'][-1]:.2f}",
                 xlabel=f"first direction (plane holds {100 * s.explained:.0f} % of the path)",
                 ylabel="second direction")  # fmt: skip
        axes.grid(visible=False)


LOSS_SURFACE = LabFigure(
    name="loss-surface",
    shows="The cost on the plane in which the weights moved most, and the way they took over it.",
    techniques=("O14",),
    measure=_measure,
    draw=_draw,
    size=(9.0, 3.9),
)
