"""Sealed faults of the inputs of tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.diagnosis.case import Case, Rows
from benchmarks.diagnosis.fault import Fault

ALL = ("checkers", "waveform", "friedman", "bits", "glyphs", "photos")
_KILO = 1000.0
_BLOCK = 8


def _inputs(case: Case, change: Callable[[np.ndarray], np.ndarray], *, deployed: bool) -> Case:
    parts = {"train": case.train, "dev": case.dev}
    if deployed:
        parts["deployed"] = case.deployed
    return case.with_rows(**{k: Rows(change(p.x.copy()), p.y, p.group) for k, p in parts.items()})


def stalled(case: Case, share: float, seed: int) -> Case:
    """A logger that stalls: each column by itself holds its last reading in a share of the rows.

    Mild is 30 % of the rows, medium 55 %, severe 85 %; the model will meet true readings.
    """
    generator = np.random.default_rng([seed, 901])

    def held(x: np.ndarray) -> np.ndarray:
        fresh = generator.random(x.shape) >= share
        fresh[0] = True
        last = np.maximum.accumulate(np.where(fresh, np.arange(len(x))[:, None], 0), axis=0)
        return np.take_along_axis(x, last, axis=0)

    return _inputs(case, held, deployed=False)


def delimiter_lost(case: Case, share: float, seed: int) -> Case:
    """Rows that are one column off, the first reading in the last column.

    Mild is 15 % of the rows, medium 35 %, severe 70 %.
    """
    generator = np.random.default_rng([seed, 902])

    def moved(x: np.ndarray) -> np.ndarray:
        hit = generator.random(len(x)) < share
        x[hit] = np.roll(x[hit], -1, axis=1)
        return x

    return _inputs(case, moved, deployed=False)


def other_unit(case: Case, share: float, seed: int) -> Case:
    """Rows of a source that measures in another unit: all of their columns 1000 times as large.

    Mild is 0.5 % of the rows, medium 3 %, severe 20 %.
    """
    generator = np.random.default_rng([seed, 903])

    def mixed(x: np.ndarray) -> np.ndarray:
        return np.where(generator.random((len(x), 1)) < share, _KILO * x, x)

    return _inputs(case, mixed, deployed=False)


def aggregated(case: Case, share: float, seed: int) -> Case:
    """An aggregate joined back: a share of the rows hold means over 8 such rows.

    Mild is 25 % of the rows, medium 55 %, severe all; so it is in the world.
    """
    generator = np.random.default_rng([seed, 904])

    def means(x: np.ndarray) -> np.ndarray:
        hit = generator.permutation(len(x))[: round(share * len(x))]
        block = np.arange(len(hit)) // _BLOCK
        sums = np.zeros((block.max() + 1, x.shape[1]))
        np.add.at(sums, block, x[hit])
        x[hit] = (sums / np.bincount(block)[:, None])[block]
        return x

    return _inputs(case, means, deployed=True)


def out_of_range(case: Case, share: float, seed: int) -> Case:
    """Large readings are missing: the upper share of each column was beyond the old sensor.

    Mild is the upper 15 %, medium 40 %, severe 75 %; the model will meet a sensor that reads all.
    """
    limit = np.quantile(case.train.x, 1 - share, axis=0)
    return _inputs(case, lambda x: np.where(x > limit, np.nan, x), deployed=False)


FAULTS = (
    Fault("logger stalls", "inputs corrupt", stalled, (0.3, 0.55, 0.85), ALL, "inputs",
          "the last reading in 30, 55, 85 % of the entries"),
    Fault("delimiter lost", "inputs corrupt", delimiter_lost, (0.15, 0.35, 0.7),
          ("checkers", "friedman", "bits"), "inputs", "15, 35, 70 % of the rows a column off"),
    Fault("rows in another unit", "inputs corrupt", other_unit, (0.005, 0.03, 0.2), ALL, "inputs",
          "0.5, 3, 20 % of the rows 1000 times as large"),
    Fault("means in place of rows", "inputs without signal", aggregated, (0.25, 0.55, 1.0), ALL,
          "inputs", "means over 8 rows in 25, 55, 100 % of them"),
    Fault("large readings missing", "inputs missing", out_of_range, (0.15, 0.4, 0.75),
          (*ALL[:4], "photos"), "inputs", "the upper 15, 40, 75 % of each column"),
)  # fmt: skip
