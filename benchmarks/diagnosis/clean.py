"""Clean runs: healthy tasks times networks that naive rules accuse. None of them is faulty."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from .case import Case
from .tasks import TASKS

SEEDS = (1, 2)
Values = Mapping[str, object]

NETWORKS: Mapping[str, Values] = {
    "as it should be": {},
    "most ReLUs zero": {"hidden_units": (96,)},
    "dropout, dev better than train": {"hidden_units": (64, 64), "dropout": 0.2},
    "plain descent at 0.1 under batch norm": {
        "optimizer": "sgd", "learning_rate": 0.1, "batch_norm": "before",
    },
    "rate up and down": {"decay": "one_cycle", "learning_rate": 0.02},
    "rate falls to zero at the end": {"decay": "cosine", "learning_rate": 0.01},
    "tanh": {"activation": "tanh"},
    "deep with skips": {"hidden_units": (32,) * 5, "residual": 2},
    "perfect fit, gradients to zero": {"patience": 0, "hidden_units": (64, 64), "l2": 1e-4,
                                       "dropout": 0.1},
    "weights decayed, norms clipped at 5": {"weight_decay": 0.01, "clip_norm": 5.0},
}  # fmt: skip
"""What is special -> settings beside the task's."""


@dataclass(frozen=True)
class Clean:
    """One clean run."""

    name: str
    task: str
    seed: int
    case: Case

    @property
    def key(self) -> str:
        """Its name in the results."""
        return f"clean/{self.name}/{self.task}/{self.seed}"


def clean_runs() -> list[Clean]:
    """Return all clean runs: every task with every network, and cases hard in another way."""
    runs = []
    for (name, values), task, seed in itertools.product(NETWORKS.items(), TASKS.values(), SEEDS):
        runs.append(Clean(name, task.name, seed, task.case(seed).with_settings(**values)))
    for (name, hard), seed in itertools.product(_HARD.items(), (1, 2, 3)):
        case = hard(seed)
        runs.append(Clean(name, case.task, seed, case))
    return runs


def _weighted(seed: int) -> Case:
    """One class in twenty with balanced weights: the loss at the start is far from its entropy."""
    return replace(TASKS["rare"].case(seed), options={"class_weight": "balanced"})


def _easy(seed: int) -> Case:
    """Almost no errors on dev rows, and rightly so."""
    case = TASKS["gauss"].case(seed)
    moved = {}
    for name in ("train", "dev", "deployed"):
        part = getattr(case, name)
        moved[name] = replace(part, x=part.x + 2.5 * (2 * part.y[:, None] - 1))
    return case.with_rows(**moved)


def _raw(seed: int) -> Case:
    """Inputs in [0, 5], which `load` normalizes."""
    case = TASKS["digits"].case(seed)
    parts = {n: getattr(case, n) for n in ("train", "dev", "deployed")}
    return case.with_rows(**{n: replace(p, x=5 * p.x / 16) for n, p in parts.items()})


def _lucky(seed: int) -> Case:
    """Few dev rows: the gap is chance."""
    case = TASKS["gauss"].case(seed)
    return case.with_rows(dev=case.dev.take(np.arange(60)))


def _holes(seed: int) -> Case:
    """A few missing values, in the world as well."""
    case = TASKS["gauss"].case(seed)
    generator = np.random.default_rng([seed, 11])
    parts = {}
    for name in ("train", "dev", "deployed"):
        part = getattr(case, name)
        holes = generator.random(part.x.shape) < 0.02
        parts[name] = replace(part, x=np.where(holes, np.nan, part.x))
    return case.with_rows(**parts)


def _as_wide_as_rows(seed: int) -> Case:
    """About as many parameters as rows: where double descent has its bump."""
    case = TASKS["digits"].case(seed)
    return case.with_settings(hidden_units=(10,), epochs=60)


_HARD = {
    "class weights move the loss at the start": _weighted,
    "rightly almost perfect": _easy,
    "inputs in [0, 5]": _raw,
    "few dev rows, lucky gap": _lucky,
    "some missing values": _holes,
    "as many parameters as rows": _as_wide_as_rows,
}
