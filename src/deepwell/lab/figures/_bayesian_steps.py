"""A Gaussian process chooses the learning rate: mean, band and acquisition, step after step."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._population import train
from deepwell.lab._style import Style
from deepwell.lab._tasks import digits
from deepwell.records import Observation
from deepwell.search.samplers._bayesian import propose
from deepwell.search.samplers._posterior import posterior
from deepwell.search.spaces._log import log
from deepwell.search.spaces._space import Space

EPOCHS, TRUTH = 12, 49
FIRST = (0.1, 0.9, 0.65)  # places of the first three trials: the same for every key
SHOWN = (3, 4, 5, 8)  # trials behind each picture
SPACE = Space({"learning_rate": log(1e-4, 1.0)})


def _measure() -> dict[str, Any]:
    """Return the dev error over the learning rate, the trials, and the belief at each picture."""
    task = digits().few(400)

    @functools.cache
    def errors(rates: tuple[float, ...]) -> list[float]:
        fixed = {"optimizer": "adam", "hidden_units": 32, "activation": "relu"}
        networks = train(task, [{**fixed, "learning_rate": r} for r in rates], EPOCHS)
        return [float(network.dev_score[-1]) for network in networks]

    points = [SPACE.decode([u]) for u in np.linspace(0, 1, TRUTH)]
    rates = tuple(float(p["learning_rate"]) for p in points)  # type: ignore[arg-type]
    history: list[Observation] = []
    steps = []
    for k in range(max(SHOWN)):
        if k in SHOWN:
            steps.append(posterior(SPACE, history, points))
        proposed = propose(SPACE, history, 1, np.random.SeedSequence(k))[0]
        values = SPACE.decode([FIRST[k]]) if k < len(FIRST) else proposed
        rate = float(values["learning_rate"])  # type: ignore[arg-type]
        history.append(Observation(values, errors((rate,))[0], epochs=EPOCHS, finished=True))
    steps.append(posterior(SPACE, history, points))
    return {
        "rates": np.array(rates),
        "errors": np.array(errors(rates)),
        "tried": np.array([float(h.values["learning_rate"]) for h in history]),  # type: ignore[arg-type]
        "scores": np.array([h.score for h in history]),
        "steps": steps,
    }


def _draw(sheet: Any, measured: dict[str, Any], style: Style) -> None:
    panels = sheet.subplots(2, len(SHOWN), height_ratios=(2.2, 1), sharex=True, sharey="row")
    rates = measured["rates"]
    for column, (count, belief) in enumerate(zip(SHOWN, measured["steps"], strict=True)):
        top, below = panels[:, column]
        color = style.colors[0]
        top.fill_between(rates, 100 * np.maximum(belief.low, 0.001), 100 * belief.high,
                         color=color, alpha=0.25, linewidth=0)  # fmt: skip
        top.plot(rates, 100 * belief.mean, color=color)
        top.plot(rates, 100 * measured["errors"], ".", color=style.quiet, markersize=3)
        top.plot(measured["tried"][:count], 100 * measured["scores"][:count], "o",
                 color=style.ink, markersize=5)  # fmt: skip
        top.set(xscale="log", yscale="log", ylim=(3, 130), title=f"after {count} trials")
        gain = np.exp(belief.acquisition - belief.acquisition.max())
        below.fill_between(rates, gain, color=style.colors[1], alpha=0.35, linewidth=0)
        below.plot(rates, gain, color=style.colors[1])
        best = int(gain.argmax())
        for axes in (top, below):
            axes.axvline(rates[best], color=style.colors[1], linewidth=1, linestyle=":")
        below.set(xlabel="learning rate", ylim=(0, 1.15), yticks=[0, 1])
        top.set_yticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
        top.minorticks_off()
    panels[0, 0].set_ylabel("dev error in %")
    panels[1, 0].set_ylabel("expected\nimprovement")


BAYESIAN_STEPS = LabFigure(
    name="bayesian-steps",
    shows="Each trial narrows the band; the next one is where most improvement is expected.",
    techniques=("H6",),
    measure=_measure,
    draw=_draw,
    size=(9.0, 4.2),
)
