"""Runs whose kind of error is known: rows and best score are made by us, so gaps can be measured.

The truth is measured on 20,000 rows of the world: bias is the train score above the best possible,
variance the score of the world above train, or above the best possible where train rows learnt by
heart are below it: nothing gets better than that. Each is high where it exceeds the material size
that Deepwell goes by. A gap within half of that size from it is a borderline case, told apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from deepwell.diagnosis._bias_variance import material_size
from deepwell.diagnosis._metrics import METRICS

from .case import Case
from .diagnosed import Said
from .task import Task
from .training import METRIC, constant_score

SEEDS = (1, 2, 3)
_WORLD = 20_000

SETUPS: Mapping[str, tuple[tuple[int, int], Mapping[str, object]]] = {
    "as it should be": ((2000, 2000), {}),
    "too few units": ((2000, 2000), {"hidden_units": (1,), "dropout": 0.0}),
    "penalty too strong": ((2000, 2000), {"l2": 0.5}),
    "few rows": ((80, 2000), {"hidden_units": (128, 128), "dropout": 0.0, "patience": 0}),
    "few rows, few epochs": ((150, 2000), {"hidden_units": (64, 64), "epochs": 3}),
    "few dev rows": ((600, 40), {}),
}
"""Name -> (train and dev rows, settings beside the task's)."""


@dataclass(frozen=True)
class Regime:
    """One run with a known truth; the user knows the best possible score and says it."""

    name: str
    task: Task
    seed: int

    @property
    def key(self) -> str:
        """Its name in the results."""
        return f"regime/{self.name}/{self.task.name}/{self.seed}"

    def case(self) -> Case:
        """Return the case, with many rows of the world."""
        sizes, values = SETUPS[self.name]
        drawn = replace(self.task, sizes=(*sizes, _WORLD)).case(self.seed)
        return replace(drawn.with_settings(**values), best_possible=self.task.best)


def regimes(tasks: Iterable[Task]) -> tuple[Regime, ...]:
    """Return all runs on those of these tasks whose best score is known."""
    known = [task for task in tasks if task.best is not None]
    return tuple(Regime(*which) for which in itertools.product(SETUPS, known, SEEDS))


def verdict(said: list[Said] | tuple[Said, ...]) -> str:
    """Return `bias`, `variance`, `both`, `mismatch`, `neither`, or `abstains`."""
    problems = {s.code for s in said if s.level == "problem"}
    told = {s.code for s in said}
    if {"DW101", "DW102"} <= problems:
        return "both"
    if "DW106" in problems:
        return "mismatch"
    if told & {"DW110", "DW111", "DW112", "DW113"}:
        return "abstains"
    if "DW102" in problems:
        return "bias"
    if "DW101" in problems:
        return "variance"
    return "neither" if told & {"DW100", "DW108"} else "abstains"


def truth(case: Case, train: float, world: float) -> dict[str, object]:
    """Return what kind of error is left, from scores on the train rows and of the world.

    >>> from .tasks import GAUSS
    >>> case = replace(GAUSS.case(0), best_possible=0.07)
    >>> truth(case, train=0.30, world=0.31)["regime"]
    'bias'
    """
    assert case.best_possible is not None
    size = material_size(METRICS[METRIC[case.kind]], constant_score(case), case.best_possible)
    reachable = max(train, case.best_possible)
    gaps = {"bias": train - case.best_possible, "variance": world - reachable}
    high = [name for name, gap in gaps.items() if gap > size]
    clear = all(abs(gap - size) > size / 2 for gap in gaps.values())
    regime = "both" if len(high) == 2 else high[0] if high else "neither"
    return {"regime": regime, "clear": clear, "material": size, **gaps}
