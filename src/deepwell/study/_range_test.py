"""The learning-rate range test of a study's typical network, as one population (G7)."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepwell._base._constraints import Constraint, IntegerInterval, Interval
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import complete
from deepwell._base._safe_text import safe_text
from deepwell.diagnosis._rate_range import LEAST_RATES, read_range
from deepwell.execution._local import LocalEngine
from deepwell.records import Progress, RateRange, TrialSpec
from deepwell.report._network import network_words
from deepwell.search.spaces._space import Space

from ._interrupt import interruptible
from ._observer import Observer

_RATE = Interval(0.0, 1e6, low_closed=False)
_RATES = IntegerInterval(LEAST_RATES, 1_000)
_RUNS = IntegerInterval(1, 100)
_EPOCHS = IntegerInterval(1, 1_000_000)
_SHARE = 8  # of the epochs one part in so many is a short time
_FEWEST, _MOST = 3, 10
_STILL = 1e-12  # a rate at which a network stays where it starts


@dataclass(frozen=True)
class RangeOptions:
    """Which rates are tried, and for how long.

    Attributes:
        low, high: the lowest and the highest rate, above 0.
        rates: how many, 5 to 1,000, evenly spaced in their logarithms.
        runs: seeds of each rate, 1 to 100.
        epochs: that each is trained; None for an eighth of the network's, 3 to 10.
    """

    low: float = 1e-5
    high: float = 10.0
    rates: int = 25
    runs: int = 4
    epochs: int | None = None

    def __post_init__(self) -> None:
        _check("low", self.low, _RATE)
        _check("high", self.high, _RATE)
        _check("rates", self.rates, _RATES)
        _check("runs", self.runs, _RUNS)
        if self.epochs is not None:
            _check("epochs", self.epochs, _EPOCHS)
        if not self.low < self.high:
            raise UsageError(
                f"`low` must be below `high`, got {self.low:.3g} and {self.high:.3g}; leave both "
                "out for 0.00001 to 10"
            )


def _check(name: str, value: object, constraint: Constraint) -> None:
    if not constraint.accepts(value):
        raise UsageError(f"`{name}` must be {constraint.describe()}, got {safe_text(repr(value))}")


def typical(space: Space) -> dict[str, Any]:
    """Return the network in the middle of a space: each entry's median, defaults for the rest."""
    return dict(complete(space.decode(dict.fromkeys(space.searched, 0.5))))


def range_test(
    engine: LocalEngine,
    values: Mapping[str, Any],
    options: RangeOptions,
    seed: int,
    observer: Observer,
) -> RateRange:
    """Return what short trainings of a network at many rates show.

    Args:
        engine: with the rows; it is closed at the end.
        values: hyperparameters of the network; its learning rate is not used.
        options: the rates, and for how long.
        seed: of the weights of the first run, and of the order of the batches.
        observer: hears of the progress.

    Raises:
        KeyboardInterrupt: when a person stopped it.
    """
    began = time.perf_counter()
    rates = np.geomspace(options.low, options.high, options.rates)
    full = int(values["epochs"])
    epochs = options.epochs or min(full, max(_FEWEST, min(_MOST, full // _SHARE)))
    # The schedule stays that of the whole training, of which this is the beginning.
    specs = {
        run * len(rates) + place: TrialSpec(
            {**values, "learning_rate": float(rate), "patience": 0, "change": "none"}, seed + run
        )
        for run in range(options.runs)
        for place, rate in enumerate(rates)
    }
    # Where runs begin: networks that stay there, whose cost has the same rows and dropout masks.
    measured = len(specs)
    still = {**values, "learning_rate": min(_STILL, options.low), "patience": 0, "change": "none"}
    specs |= {measured + run: TrialSpec(still, seed + run) for run in range(options.runs)}
    curves = np.full((len(specs), epochs), np.nan)
    with contextlib.closing(engine), interruptible() as interrupt:
        engine.prepare(specs, engine.plan(specs, epochs))
        for record in engine.train(list(specs), epochs, lambda: interrupt.asked):
            curves[record.trials, record.epoch - 1] = record.metrics["train_cost"]
            observer.on_progress(_progress(record.epoch / epochs, len(specs), began))
        if interrupt.asked:
            raise KeyboardInterrupt("stopped by the user before there was a range of rates")
    last = curves[:measured, -1]
    ended = np.where(np.isfinite(last), last, math.inf)
    start = curves[measured:, -1]
    reading = read_range(rates, ended.reshape(options.runs, -1), start, seed)
    return RateRange(
        rates=tuple(float(r) for r in rates),
        start=float(np.mean(start)),
        epochs=epochs,
        full_epochs=full,
        runs=options.runs,
        network=network_words({n: v for n, v in values.items() if n != "learning_rate"}),
        seconds=time.perf_counter() - began,
        **vars(reading),
    )


def _progress(share: float, networks: int, began: float) -> Progress:
    spent = time.perf_counter() - began
    return Progress(
        phase="training",
        rung=1,
        rungs=1,
        alive=networks,
        networks=networks,
        share=share,
        best=None,
        seconds_left=spent * (1 / share - 1),
    )
