"""The same remedies for a network that is too small and for one that overfits."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell._base._hyperparameters import complete
from deepwell.diagnosis._arm_effects import arm_effects
from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._remedies import Patient, treatments
from deepwell.diagnosis.metrics._tally import Tally
from deepwell.lab._figure import LabFigure
from deepwell.lab._population import Network, Task, train
from deepwell.lab._style import Style
from deepwell.lab._tasks import moons

REPLICATES, EPOCHS = 8, 60
REMEDIES = ("bigger", "much-bigger", "deeper", "more-l2", "more-mixup", "more-input-noise")
REMEDIES += ("higher-rate", "lower-rate")
CASES = {
    "too small: 2 units, 400 rows": (400, {"hidden_units": [2]}),
    "overfits: 32 + 32 units, 24 rows": (24, {"hidden_units": [32, 32]}),
}


def _measure() -> dict[str, Any]:
    """Return case -> remedy -> its effect on the dev error, an interval for all at once."""
    return {title: _effects(rows, network) for title, (rows, network) in CASES.items()}


def _effects(rows: int, network: dict[str, Any]) -> dict[str, Any]:
    task = moons(train=rows, dev=2_000, noise=0.25, seed=3)
    values = complete({**network, "learning_rate": 0.01, "batch_size": 24})
    arms = treatments(Patient(values), REMEDIES)
    kept = {name: value for name, value in values.items() if name not in ("epochs", "patience")}
    configurations = [
        {**kept, **change, "seed": seed}
        for change in ({}, *(arm.change for arm in arms))
        for seed in range(REPLICATES)
    ]
    networks = train(task, configurations, EPOCHS)
    sums = [
        {seed: _sums(task, networks[arm * REPLICATES + seed]) for seed in range(REPLICATES)}
        for arm in range(1 + len(arms))
    ]
    blocks = dict.fromkeys(range(REPLICATES), 0)
    found = arm_effects(METRICS["error"], sums[0], sums[1:], blocks)
    return {arm.name: one.effect for arm, one in zip(arms, found, strict=True)}


def _sums(task: Task, network: Network) -> np.ndarray:
    n = len(task.y_dev)
    tally = Tally(np.ones(n), np.arange(n), n)
    return METRICS["error"].sums(task.y_dev, network.predict(task.x_dev), tally)


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    panels = sheet.subplots(1, 2, sharey=True)
    for axes, (title, effects) in zip(panels, measured.items(), strict=True):
        for place, effect in enumerate(effects.values()):
            clear = effect.high < 0 or effect.low > 0
            color = (
                style.colors[0] if effect.high < 0 else style.colors[1] if clear else style.quiet
            )
            ends = 100 * np.array([effect.low, effect.high])
            axes.plot(ends, [place, place], color=color, linewidth=2)
            axes.plot([100 * effect.value], [place], "o", color=color, markersize=6)
        axes.axvline(0, color=style.ink, linewidth=1)
        axes.set(title=title, xlabel="change of dev error in points")
        axes.set_yticks(range(len(effects)), list(effects))
    panels[0].invert_yaxis()


REMEDIES_FIGURE = LabFigure(
    name="remedies",
    shows="What helps a network that is too small does not help one that overfits.",
    techniques=("G3", "G4"),
    measure=_measure,
    draw=_draw,
)
