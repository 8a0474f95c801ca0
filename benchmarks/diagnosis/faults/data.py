"""Faults of the inputs, in tables that `deepwell.load` reads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.diagnosis.case import Case, Rows
from benchmarks.diagnosis.fault import Fault

ALL = ("gauss", "spiral", "teacher", "digits")


def _inputs(case: Case, change: Callable[[np.ndarray], np.ndarray], *, deployed: bool) -> Case:
    parts = {"train": case.train, "dev": case.dev}
    if deployed:
        parts["deployed"] = case.deployed
    return case.with_rows(**{k: Rows(change(p.x.copy()), p.y, p.group) for k, p in parts.items()})


def sentinel(case: Case, share: float, seed: int) -> Case:
    """A missing value written as -9999, in a share of the entries of every column."""
    generator = np.random.default_rng([seed, 101])

    def broken(x: np.ndarray) -> np.ndarray:
        return np.where(generator.random(x.shape) < share, -9999.0, x)

    return _inputs(case, broken, deployed=False)


def missing(case: Case, share: float, seed: int) -> Case:
    """Entries missing at random in what was gathered, not in what the model will meet."""
    generator = np.random.default_rng([seed, 102])

    def holes(x: np.ndarray) -> np.ndarray:
        return np.where(generator.random(x.shape) < share, np.nan, x)

    return _inputs(case, holes, deployed=False)


def columns_lost(case: Case, share: float, seed: int) -> Case:
    """Columns overwritten by numbers that say nothing, as after a wrong join."""
    width = case.train.x.shape[1]
    lost = np.random.default_rng([seed, 103]).permutation(width)[: max(1, round(share * width))]
    generator = np.random.default_rng([seed, 104])

    def overwritten(x: np.ndarray) -> np.ndarray:
        x[:, lost] = generator.normal(size=(len(x), len(lost)))
        return x

    return _inputs(case, overwritten, deployed=True)


def scaled_apart(case: Case, shift: float, seed: int) -> Case:
    """Dev rows moved and stretched, as by statistics of other rows than the train rows'."""
    generator = np.random.default_rng([seed, 105])
    spread = case.train.x.std(axis=0)
    move = shift * spread * generator.choice([-1.0, 1.0], size=len(spread))
    dev = Rows((1 + shift / 2) * case.dev.x + move, case.dev.y, case.dev.group)
    return case.with_rows(dev=dev)


FAULTS = (
    Fault("sentinel values", "inputs corrupt", sentinel, (0.002, 0.01, 0.05), ALL, "inputs",
          "-9999 in 0.2, 1, 5 % of the entries"),
    Fault("missing entries", "inputs missing", missing, (0.2, 0.4, 0.7), ALL, "inputs",
          "20, 40, 70 % of the entries missing"),
    Fault("columns overwritten", "inputs without signal", columns_lost, (0.3, 0.6, 1.0), ALL,
          "inputs", "30, 60, 100 % of the columns hold noise"),
    Fault("dev scaled apart", "dev unlike train", scaled_apart, (0.3, 0.7, 1.5), ALL, "dev rows",
          "dev rows moved by 0.3, 0.7, 1.5 deviations and stretched", harms="estimate"),
)  # fmt: skip
