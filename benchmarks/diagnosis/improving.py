"""What `study.improve()` makes of a faulty case, and random search given as much or as long."""

from __future__ import annotations

import itertools
import math
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from .case import Case
from .studies import fitted
from .training import loaded, outcomes, work

SECONDS, OF_ADVICE = 5.0, 10.0  # for the whole recipe; for what a finding names
_FEWEST, _LEAST = 4, 8  # networks of a search given as long, as much
_FEW, _MANY = 16, 128  # networks that the time, or the work, of one is measured on
SEARCH: Mapping[str, object] = {
    "learning_rate": [3e-4, 1e-3, 3e-3, 1e-2, 3e-2], "hidden_units": [(16,), (64,), (32, 32)],
    "dropout": [0.0, 0.2, 0.4], "l2": [0.0, 1e-4, 1e-2], "activation": ["relu", "tanh"],
    "initializer_scale": 1.0, "optimizer": "adam",
}  # fmt: skip
"""What random search draws from: a usual space, around nothing."""


@dataclass(frozen=True)
class Improved:
    """Where the recipe ended.

    Attributes:
        values: hyperparameters of its last network.
        seconds: that it took.
        helps: whether any remedy was found to help.
        left: errors that it names something against, where no remedy was: `bias`, `variance`.
    """

    values: Mapping[str, object]
    seconds: float
    helps: bool
    left: tuple[str, ...]


def improved(case: Case, seed: int, code: str | None = None, seconds: float = SECONDS) -> Improved:
    """Fit a case as its user did and improve the study for some seconds.

    Args:
        case: faulty; of a search, the best network is improved.
        seed: of the study.
        code: of the finding that it is to mend; None for the whole recipe.
        seconds: its budget.
    """
    with tempfile.TemporaryDirectory(prefix="deepwell-b7-") as folder:
        study, _ = fitted(case, loaded(case), seed, Path(folder))
        told = study.improve(budget=seconds, save=False, apply=code)
    helps = any(cycle.winner for cycle in told.cycles)
    left = [] if helps else [cast(list[str], f.evidence.get("left", [])) for f in told.findings]
    return Improved(told.hyperparameters, told.seconds, helps, tuple(itertools.chain(*left)))


def searched(case: Case, networks: int) -> Case:
    """Return the case with a random search of so many networks in place of its settings."""
    return replace(case.with_settings(**SEARCH), trials=networks)


def networks_for(multiply_adds: float, case: Case, seed: int) -> int:
    """Return how many networks a random search of a case trains for so much work, 8 at least.

    By the mean of 128 that it draws; the work is what Deepwell bounds its examinations by.
    """
    each = work(searched(case, _MANY), seed) / _MANY
    return max(_LEAST, math.floor(multiply_adds / each))


def networks_in(seconds: float, case: Case, seed: int) -> int:
    """Return how many networks a random search of a case trains in some seconds.

    By the time that 128 networks take beyond that of 16: what is taken once, as loading the rows,
    is not charged to the search.
    """
    _seconds_of(_FEW, case, seed)  # what only the first run of a process takes
    few, many = (_seconds_of(networks, case, seed) for networks in (_FEW, _MANY))
    each = (many - few) / (_MANY - _FEW) if many > few else many / _MANY
    return max(_FEWEST, math.floor(seconds / each))


def _seconds_of(networks: int, case: Case, seed: int) -> float:
    began = time.perf_counter()
    outcomes([searched(case, networks)], seed)
    return time.perf_counter() - began
