"""A learning curve: the error against the number of train rows, and what it foretells."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.data._subsets import subset_order
from deepwell.diagnosis._curve_means import CurveScores
from deepwell.diagnosis._learning_curve import extrapolate
from deepwell.lab._figure import LabFigure
from deepwell.lab._population import Task, train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits

SIZES = (38, 53, 75, 106, 150, 212, 300, 424, 600)
RUNS, STEPS, BATCH = 6, 600, 32
NETWORK = {"hidden_units": 32, "hidden_layers": 1, "learning_rate": 0.003, "batch_size": BATCH}


def _scores(task: Task, rows: int, at_hand: int) -> list[float]:
    """Return the error of networks on so many of the rows at hand, one a run."""
    scores: list[float] = []
    for run in range(1, RUNS + 1):
        order = subset_order(run, task.y_train[:at_hand], np.ones(at_hand))[:rows]
        part = Task(task.x_train[order], task.y_train[order], task.x_dev, task.y_dev, task.classes)
        epochs = max(1, round(STEPS / -(-rows // BATCH)))
        [network] = train(part, [{**NETWORK, "seed": run}], epochs)
        scores.append(float(np.nanmin(network.dev_score)))
    return scores


def _measure() -> dict[str, Any]:
    """Return the scores, what 600 rows foretell for 1,200, and what 1,200 bring."""
    task = digits()
    scores = np.array([_scores(task, rows, SIZES[-1]) for rows in SIZES]).T
    measured = CurveScores(np.array(SIZES), scores, np.zeros((0, len(SIZES))), 0.005)
    return {"scores": scores, "said": extrapolate(measured), "then": _scores(task, 1200, 1200)}


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    axes = sheet.subplots()
    said, twice = measured["said"], 2 * SIZES[-1]
    for run in measured["scores"]:
        axes.plot(SIZES, 100 * run, ".", color=style.quiet, markersize=4)
    means = np.array([point.value for point in said.points])
    axes.plot(SIZES, 100 * means, color=style.colors[0], label="measured, mean of the runs")
    if said.twice is not None:
        low, middle, high = (100 * v for v in (said.twice.low, said.twice.value, said.twice.high))
        axes.plot([SIZES[-1], twice], [100 * means[-1], middle], color=style.colors[1],
                  linestyle="--")  # fmt: skip
        axes.errorbar([twice], [middle], [[middle - low], [high - middle]], fmt="o",
                      color=style.colors[1], capsize=4, label="foretold from 600 rows")  # fmt: skip
    axes.plot([twice], [100 * np.mean(measured["then"])], "X", color=style.colors[2], markersize=9,
              label="what 1,200 rows brought")  # fmt: skip
    axes.set(xscale="log", xlabel="train rows", ylabel="dev error in %", ylim=(0, None))
    ticks = [*SIZES[::2], twice]
    axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
    axes.minorticks_off()
    axes.legend(loc="upper right")


LEARNING_CURVE = LabFigure(
    name="learning-curve",
    shows="Half of the rows foretell the error of all of them, with an interval.",
    techniques=("G5",),
    measure=_measure,
    draw=_draw,
)
