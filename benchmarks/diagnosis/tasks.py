"""The tasks of the development half: five with a known best score, three real tables."""

from __future__ import annotations

import functools
import math

import numpy as np

from .case import Rows
from .task import Task

_SIGNAL = 0.75  # distance of the classes of `gauss` from the middle, in each of 4 columns
_FLIPPED = 0.04  # labels of `spiral` that are drawn anew
_NOISE = 0.15  # of `teacher`, over a signal of deviation 1


def _gauss(generator: np.random.Generator, rows: int) -> Rows:
    """Two normal classes, 8 columns, 4 of them with signal."""
    y = generator.integers(0, 2, rows)
    x = generator.normal(size=(rows, 8))
    x[:, :4] += _SIGNAL * (2 * y[:, None] - 1)
    return Rows(x, y)


def _spiral(generator: np.random.Generator, rows: int) -> Rows:
    """Three arms of a spiral, told apart by the sector of a turned angle; some labels at random."""
    x = generator.uniform(-1, 1, size=(rows, 2))
    turned = np.arctan2(x[:, 1], x[:, 0]) + 2.5 * np.hypot(x[:, 0], x[:, 1])
    y = np.floor((turned % (2 * math.pi)) / (2 * math.pi / 3)).astype(int)
    anew = generator.random(rows) < _FLIPPED
    return Rows(x, np.where(anew, generator.integers(0, 3, rows), y))


def _teacher(generator: np.random.Generator, rows: int) -> Rows:
    """A smooth function of 3 of 8 columns, with normal noise."""
    x = generator.normal(size=(rows, 8))
    y = 1.1 * np.tanh(1.5 * x[:, 0]) + 0.6 * x[:, 1] * x[:, 2]
    return Rows(x, y + _NOISE * generator.normal(size=rows))


def _noise(generator: np.random.Generator, rows: int) -> Rows:
    """Nothing to be learnt."""
    return Rows(generator.normal(size=(rows, 6)), generator.integers(0, 2, rows))


def _rare(generator: np.random.Generator, rows: int) -> Rows:
    """One class in twenty."""
    y = (generator.random(rows) < 0.05).astype(int)
    return Rows(generator.normal(size=(rows, 6)) + 1.3 * y[:, None], y)


@functools.cache
def _table(name: str) -> tuple[np.ndarray, np.ndarray]:
    from sklearn import datasets

    loaded = getattr(datasets, f"load_{name}")()
    return np.asarray(loaded.data, np.float64), np.asarray(loaded.target)


def _real(name: str, generator: np.random.Generator, rows: int) -> Rows:
    x, y = _table(name)
    chosen = generator.permutation(len(y))[:rows]
    return Rows(x[chosen], y[chosen])


def _normal_tail(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2))


_USUAL = {"hidden_units": (32, 32), "learning_rate": 0.003, "batch_size": 32, "epochs": 40}

GAUSS = Task(
    "gauss", "classification", _gauss, (600, 300, 2000),
    {**_USUAL, "hidden_units": (32,), "dropout": 0.2, "l2": 0.003},
    best=_normal_tail(2 * _SIGNAL),
)  # fmt: skip
SPIRAL = Task(
    "spiral", "classification", _spiral, (600, 300, 2000),
    {**_USUAL, "learning_rate": 0.01, "epochs": 80}, best=_FLIPPED * 2 / 3,
)  # fmt: skip
TEACHER = Task(
    "teacher", "regression", _teacher, (900, 300, 2000),
    {**_USUAL, "learning_rate": 0.01, "epochs": 80}, best=_NOISE,
)  # fmt: skip
DIGITS = Task("digits", "classification", functools.partial(_real, "digits"), (700, 400, 697),
              {**_USUAL, "hidden_units": (48, 48)})  # fmt: skip

NOISE = Task("noise", "classification", _noise, (600, 300, 1000), _USUAL, best=0.5)
RARE = Task("rare", "classification", _rare, (1500, 700, 2000), _USUAL)
CANCER = Task("cancer", "classification", functools.partial(_real, "breast_cancer"),
              (300, 150, 119), {**_USUAL, "hidden_units": (16,)})  # fmt: skip
DIABETES = Task("diabetes", "regression", functools.partial(_real, "diabetes"), (250, 100, 92),
                {**_USUAL, "hidden_units": (16,), "dropout": 0.1})  # fmt: skip

PLANTED_ON = {task.name: task for task in (GAUSS, SPIRAL, TEACHER, DIGITS)}
"""Tasks that faults are planted on."""

TASKS = {**PLANTED_ON, **{task.name: task for task in (NOISE, RARE, CANCER, DIABETES)}}
"""All tasks, those of the clean runs included."""
