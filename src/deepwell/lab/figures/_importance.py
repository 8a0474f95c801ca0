"""Which hyperparameters made the difference between the networks of a study, with intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits
from deepwell.records import Observation
from deepwell.search.importance._measure import measure_importance
from deepwell.search.spaces._integer import Integer
from deepwell.search.spaces._log import Log
from deepwell.search.spaces._space import Space
from deepwell.search.spaces._uniform import Uniform

NETWORKS, EPOCHS = 96, 10
RATE = "learning_rate"
SPACE = Space(
    {
        RATE: Log(1e-4, 1e-1),
        "hidden_layers": Integer(1, 3),
        "hidden_units": Integer(8, 64),
        "dropout": Uniform(0, 0.5),
        "l2": Log(1e-6, 1e-2),
    }
)


def _measure() -> dict[str, Any]:
    """Return the scores of random networks, and the shares that follow from them."""
    units = np.random.default_rng(0).random((NETWORKS, len(SPACE.axes)))
    values = [SPACE.decode(unit) for unit in units]
    networks = train(digits(), [{**v, "seed": n} for n, v in enumerate(values)], EPOCHS)
    scores = [float(np.nanmin(network.dev_score)) for network in networks]
    tried = [Observation(v, score) for v, score in zip(values, scores, strict=True)]
    shares = measure_importance(SPACE, tried)
    rates = [v[RATE] for v in values]
    return {"rates": np.array(rates), "scores": np.array(scores), "shares": shares}


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    left, right = sheet.subplots(1, 2, width_ratios=(1, 1.2))
    left.plot(measured["rates"], 100 * measured["scores"], ".", color=style.colors[0])
    left.set(xscale="log", xlabel="learning rate", ylabel="dev error in %", ylim=(0, None),
             title=f"{NETWORKS} random networks")  # fmt: skip
    shares = measured["shares"]
    effects = [*shares.main, *shares.interactions[:2]][::-1]
    for place, effect in enumerate(effects):
        share, single = effect.share, len(effect.names) == 1
        color = style.colors[0] if single else style.colors[1]
        right.barh(place, 100 * share.value, color=color, height=0.6)
        right.plot([100 * share.low, 100 * share.high], [place, place], color=style.ink,
                   linewidth=1.4)  # fmt: skip
    right.set_yticks(range(len(effects)), [e.name.replace(" x ", " × ") for e in effects])
    right.set(xlabel="share of the differences in %, with its 95 % interval", xlim=(0, 100),
              title="what made the difference")  # fmt: skip
    right.grid(visible=False, axis="y")


IMPORTANCE = LabFigure(
    name="importance",
    shows="Of five hyperparameters the learning rate makes three quarters of the difference.",
    techniques=("H2",),
    measure=_measure,
    draw=_draw,
    size=(9.0, 3.4),
)
