"""The learning-rate range test: the cost after a short time at each rate."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.diagnosis._rate_range import read_range
from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits

RATES = np.geomspace(1e-5, 10, 25)
RUNS, EPOCHS, SHORT = 4, 40, 5
NETWORK = {"hidden_units": 32, "hidden_layers": 1, "optimizer": "adam"}


def _measure() -> dict[str, Any]:
    """Return the costs after a short time, what they say, and scores of the whole training."""
    each = [
        {**NETWORK, "learning_rate": float(rate), "seed": run}
        for run in range(RUNS)
        for rate in RATES
    ]
    networks = train(digits(), each, EPOCHS)
    costs = np.array([n.train_cost[SHORT - 1] for n in networks]).reshape(RUNS, -1)
    costs = np.where(np.isfinite(costs), costs, np.inf)
    start = float(np.mean([networks[run * len(RATES)].train_cost[0] for run in range(RUNS)]))
    scores = np.array([np.nanmin(n.dev_score) for n in networks]).reshape(RUNS, -1)
    return {"costs": costs, "start": start, "scores": scores.mean(axis=0),
            "said": read_range(RATES, costs, start)}  # fmt: skip


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    left, right = sheet.subplots(1, 2)
    said = measured["said"]
    for run in measured["costs"]:
        left.plot(RATES, np.minimum(run, 2 * measured["start"]), color=style.colors[0], alpha=0.6)
    left.axhline(measured["start"], color=style.quiet, linestyle=":", linewidth=1.2)
    left.annotate("at the start", (RATES[0], measured["start"]), xytext=(2, 4),
                  textcoords="offset points", color=style.quiet)  # fmt: skip
    left.set(ylabel="train cost", ylim=(0, 1.6 * measured["start"]),
             title=f"after {SHORT} epochs, {RUNS} seeds")  # fmt: skip
    right.plot(RATES, 100 * measured["scores"], color=style.colors[1])
    right.set(ylabel="dev error in %", ylim=(0, None), title=f"best of {EPOCHS} epochs")
    best = said.recommended
    for axes in (left, right):
        axes.axvspan(best.low, best.high, color=style.colors[2], alpha=0.25, linewidth=0)
        axes.axvline(best.value, color=style.colors[2], linewidth=1.2)
        axes.set(xscale="log", xlabel="learning rate", xlim=(RATES[0], RATES[-1]))
    left.annotate(f"take {best.value:.2g}", (best.value, 0.5), xycoords=("data", "axes fraction"),
                  xytext=(6, 0), textcoords="offset points", color=style.colors[2])  # fmt: skip
    if said.edge is not None:
        left.axvline(said.edge, color=style.quiet, linestyle="--", linewidth=1.2)
        left.annotate("edge", (said.edge, 0.9), xycoords=("data", "axes fraction"),
                      xytext=(4, 0), textcoords="offset points", color=style.quiet)  # fmt: skip


RATE_RANGE = LabFigure(
    name="rate-range",
    shows="The rate of the lowest cost after a short time is among the best of a long one.",
    techniques=("G7",),
    measure=_measure,
    draw=_draw,
)
