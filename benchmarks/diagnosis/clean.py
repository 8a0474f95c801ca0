"""Clean runs, none of them faulty: tasks times networks that naive rules accuse, and programs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy import stats

from deepwell.diagnosis._curves import worth

from . import program_case
from .case import Case
from .fault import PROGRAM, STUDY
from .program_case import ProgramTask
from .program_remedies import MENU as PROGRAM_MENU
from .remedies import MENU
from .task import Task
from .tasks import TASKS
from .training import METRIC, constant_score, outcomes

SEEDS, HARD_SEEDS, PROGRAM_SEEDS = (1, 2), (1, 2, 3), (1, 2, 3, 4, 5)
FRESH = range(100, 108)
MENDED = ("rate x 30", "rate x 5", "rate / 5", "rate / 30", "longer", "optimizer defaults",
          "initializer auto", "no regularizing", "no clipping")  # fmt: skip
MENDED_PROGRAMS = ("rate x 10", "rate / 10", "Adam", "longer")
CERTAIN = 0.01
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


Draw = Callable[[int], Any]


@dataclass(frozen=True)
class Setup:
    """What clean runs differ in beside their seeds.

    Attributes:
        name: what is special about it.
        task: whose rows.
        draw: seed -> case.
        seeds: of its clean runs.
        of: `study` or `program`, the kind of its cases.
    """

    name: str
    task: str
    draw: Draw
    seeds: tuple[int, ...]
    of: str = STUDY

    @property
    def key(self) -> str:
        """Its name in the results."""
        return f"{self.name}/{self.task}"


def setups(tasks: Iterable[Task]) -> list[Setup]:
    """Return every one of these tasks with every network."""
    return [
        Setup(name, task.name, partial(_with, task, values), SEEDS)
        for (name, values), task in itertools.product(NETWORKS.items(), tasks)
    ]


def hard_setups() -> list[Setup]:
    """Return cases that are hard in another way than by their network."""
    return [Setup(name, hard(0).task, hard, HARD_SEEDS) for name, hard in _HARD.items()]


def program_setups(tasks: Iterable[ProgramTask]) -> list[Setup]:
    """Return the healthy program of each of these tasks."""
    return [Setup("as it should be", t.name, t.case, PROGRAM_SEEDS, PROGRAM) for t in tasks]


def improvable(setup: Setup) -> dict[str, dict[str, float]]:
    """Return what would make a healthy case better by what matters: then it is none.

    A case is clean if no usual change of rate, length, optimizer or start makes the score on rows
    of the world better by what matters to a decision, 1 point or 1 % of the constant guess's loss,
    on fresh seeds (paired, one-sided, 1 in 100 over all changes). No finding is looked at.

    Returns:
        Remedy -> `gain` and `p`, of those that do.
    """
    tried = _programs_tried(setup) if setup.of == PROGRAM else _studies_tried(setup)
    told = {}
    for name, after in tried.after.items():
        gains = tried.before - after
        gain = float(gains.mean())
        if np.ptp(gains) == 0:
            p = 0.0 if gain > 0 else 1.0
        else:
            p = float(stats.ttest_rel(tried.before, after, alternative="greater").pvalue)
        if gain >= tried.worth and p < CERTAIN / len(tried.after):
            told[name] = {"gain": gain, "p": p}
    return told


@dataclass(frozen=True, eq=False)
class _Tried:
    """Scores on rows of the world, seed by seed, as it is and changed; what matters of them."""

    before: np.ndarray
    after: Mapping[str, np.ndarray]
    worth: float


def _studies_tried(setup: Setup) -> _Tried:
    cases, scores = [setup.draw(seed) for seed in FRESH], []
    for seed, case in zip(FRESH, cases, strict=True):
        arms = [case, *(MENU[name](case, case) for name in MENDED)]
        scores.append([outcome.deployed for outcome in outcomes(arms, seed)])
    before, *after = np.array(scores).T
    size = worth(METRIC[cases[-1].kind], constant_score(cases[-1]))
    return _Tried(before, dict(zip(MENDED, after, strict=True)), size)


def _programs_tried(setup: Setup) -> _Tried:
    cases = [setup.draw(seed) for seed in FRESH]
    arms = [cases, *([PROGRAM_MENU[n](case, case) for case in cases] for n in MENDED_PROGRAMS)]
    before, *after = (
        np.array([outcome.deployed for outcome in program_case.outcomes(arm, list(FRESH))])
        for arm in arms
    )
    metric = METRIC[cases[-1].program.kind]
    size = worth(metric, program_case.constant_score(cases[-1]))
    return _Tried(before, dict(zip(MENDED_PROGRAMS, after, strict=True)), size)


def _with(task: Task, values: Values, seed: int) -> Case:
    return task.case(seed).with_settings(**values)


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
