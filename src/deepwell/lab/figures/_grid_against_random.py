"""25 trials on a grid try 5 values of what matters; 25 random ones try 25."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits
from deepwell.search.samplers._random import propose
from deepwell.search.spaces._log import log
from deepwell.search.spaces._space import Space

TRIALS, EPOCHS = 25, 12
SPACE = Space({"learning_rate": log(1e-4, 1.0), "epsilon": log(1e-10, 1e-4)})


def _measure() -> dict[str, dict[str, np.ndarray]]:
    """Return the points tried and the dev error of each, by grid and at random."""
    middles = [(k + 0.5) / 5 for k in range(5)]
    grid = [SPACE.decode(np.array(unit)) for unit in itertools.product(middles, middles)]
    random = propose(SPACE, [], TRIALS, np.random.SeedSequence(1))
    task = digits().few(600)
    found = {}
    for name, points in (("grid", grid), ("random", random)):
        networks = train(
            task, [{**point, "optimizer": "adam", "hidden_units": 32} for point in points], EPOCHS
        )
        found[name] = {
            "rate": np.array([p["learning_rate"] for p in points], float),
            "epsilon": np.array([p["epsilon"] for p in points], float),
            "error": np.array([np.nanmin(n.dev_score) for n in networks]),
        }
    return found


def _draw(sheet: Any, measured: dict[str, dict[str, np.ndarray]], style: Style) -> None:
    panels = sheet.subplots(2, 2, height_ratios=(1.6, 1), sharex=True)
    for column, (name, run) in enumerate(measured.items()):
        top, below = panels[:, column]
        color = style.colors[column]
        top.plot(run["rate"], run["epsilon"], "o", color=color, markersize=5)
        values = len(np.unique(run["rate"].round(12)))
        top.set(xscale="log", yscale="log", title=f"{name}: {values} learning rates tried",
                xlim=(1e-4, 1), ylim=(1e-10, 1e-4))  # fmt: skip
        below.plot(run["rate"], 100 * run["error"], "o", color=color, markersize=4)
        best = run["error"].argmin()
        below.plot(run["rate"][best], 100 * run["error"][best], "o", markersize=9,
                   markerfacecolor="none", color=style.ink)  # fmt: skip
        below.text(0.02, 0.06, f"best {100 * run['error'][best]:.1f} %", transform=below.transAxes,
                   fontsize=8.5)  # fmt: skip
        below.set(xlabel="learning rate (matters)", yscale="log", ylim=(2, 100))
        below.set_yticks([2, 5, 10, 20, 50, 100], ["2", "5", "10", "20", "50", "100"])
        below.minorticks_off()
    panels[0, 0].set_ylabel("Adam's ε (hardly matters)")
    panels[1, 0].set_ylabel("dev error in %")


GRID_AGAINST_RANDOM = LabFigure(
    name="grid-against-random",
    shows="The same 25 trials see 5 values of the one that matters on a grid, and 25 at random.",
    techniques=("H4",),
    measure=_measure,
    draw=_draw,
    size=(8.0, 4.6),
)
