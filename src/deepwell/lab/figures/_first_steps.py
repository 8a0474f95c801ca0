"""The loss at the start, and how large it may be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from deepwell.checking._first_steps_bench import native_bench
from deepwell.checking._first_steps_rows import Sample
from deepwell.checking._first_steps_start import start_loss
from deepwell.execution._members import member_of
from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits
from deepwell.records import TrialSpec

SCALES = 2.0 ** np.arange(-6, 3.5, 0.5)
ACTIVATIONS = ("tanh", "relu")
_ROWS = 256


def _measure() -> dict[str, np.ndarray]:
    """Return for each activation (scales, 3): mean loss at the start, constant guess, limit."""
    task = digits()
    sample = Sample(task.x_train[:_ROWS], task.y_train[:_ROWS], np.ones(_ROWS, task.x_train.dtype))
    inputs = sample.x.shape[1]
    found = {}
    for activation in ACTIVATIONS:
        spec = TrialSpec({"hidden_units": (64, 64), "activation": activation}, seed=0)
        member = member_of(spec, inputs, task.classes, "softmax")
        bench = native_bench(member, sample.x, sample.y, sample.weight)
        told = [
            start_loss(bench, replace(member, initializer_scale=float(scale)), sample)
            for scale in SCALES
        ]
        found[activation] = np.array([[t["mean"], t["constant"], t["limit"]] for t in told])
    return found


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    panels = sheet.subplots(1, len(measured), sharey=True)
    for axes, (activation, losses) in zip(panels, measured.items(), strict=True):
        mean, constant, limit = losses.T
        axes.fill_between(SCALES, constant, limit, color=style.quiet, alpha=0.25, linewidth=0)
        axes.plot(SCALES, mean, color=style.colors[0], marker="o", markersize=3.5)
        high = mean > limit
        axes.plot(SCALES[high], mean[high], "o", color=style.colors[1], markersize=5)
        axes.text(SCALES[0], limit[0] * 1.06, "expected", fontsize=8.5, va="bottom")
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set(title=activation, xlabel="size of the initial weights, 1 is the default")
    panels[0].set_ylabel("loss at the start, 10 classes")


FIRST_STEPS = LabFigure(
    name="first-steps",
    shows="The loss at the start lies above a constant guess; too large weights are told by it.",
    techniques=("C4",),
    measure=_measure,
    draw=_draw,
)
