"""The tasks of the sealed half: six with a known best score, three of pictures and a real table."""

from __future__ import annotations

import functools
import math

import numpy as np

from benchmarks.diagnosis.case import Rows
from benchmarks.diagnosis.program import adam, momentum
from benchmarks.diagnosis.program_case import ProgramTask
from benchmarks.diagnosis.task import Task

_STEEP = 9.0  # of the log odds of `checkers`
_GRID = 2000  # midpoints a period, for its best error
_WAVEFORM_BEST = 0.1330  # by the exact densities, on 4 million rows
_FRIEDMAN_MEAN, _FRIEDMAN_SPREAD = 14.4, 5.0
_SKEWED_NOISE = 0.25
_COIN = 0.12  # how far the chance of `coins` is from a half, either way
_SIDE = 10  # pixels of a side of `glyphs`
_PATCH = 6  # pixels of a side of `photos`


def _checkers(generator: np.random.Generator, rows: int) -> Rows:
    """Two classes on a board of 2 x 2 fields with soft edges; 3 columns say nothing."""
    x = generator.uniform(-1, 1, size=(rows, 5))
    odds = _STEEP * np.sin(math.pi * x[:, 0]) * np.sin(math.pi * x[:, 1])
    return Rows(x, (generator.random(rows) < 1 / (1 + np.exp(-odds))).astype(int))


def _checkers_best() -> float:
    """Return the mean chance of the less likely class, over a quarter of the board."""
    s = np.sin(math.pi * (np.arange(_GRID) + 0.5) / _GRID)
    return float((1 / (1 + np.exp(_STEEP * np.outer(s, s)))).mean())


def _waveform(generator: np.random.Generator, rows: int) -> Rows:
    """Three classes, each a mixture of two of three triangles in 21 noisy samples.

    Source: Breiman, Friedman, Olshen and Stone, Classification and Regression Trees, 1984.
    """
    at = np.arange(21)
    waves = np.maximum(6 - np.abs(at - np.array([[6], [14], [10]])), 0.0)
    y = generator.integers(0, 3, rows)
    share = generator.random((rows, 1))
    first, second = np.array([0, 0, 1])[y], np.array([1, 2, 2])[y]
    x = share * waves[first] + (1 - share) * waves[second]
    return Rows(x + generator.normal(size=x.shape), y)


def _friedman(generator: np.random.Generator, rows: int) -> Rows:
    """Five of ten columns in a sum of products and powers, with normal noise; standardized.

    Source: Friedman, Multivariate Adaptive Regression Splines, 1991.
    """
    x = generator.random((rows, 10))
    y = 10 * np.sin(math.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
    y = y + 10 * x[:, 3] + 5 * x[:, 4] + generator.normal(size=rows)
    return Rows(x, (y - _FRIEDMAN_MEAN) / _FRIEDMAN_SPREAD)


def _skewed(generator: np.random.Generator, rows: int) -> Rows:
    """Amounts of long tails; the target is a sum of roots and a ratio, noisier in some rows."""
    x = np.exp(0.6 * generator.normal(size=(rows, 6)))
    y = np.sqrt(x[:, 0]) + x[:, 1] / (x[:, 1] + x[:, 2]) * 2 - 0.5 * np.sqrt(x[:, 3])
    loud = np.where(x[:, 4] > 1, 1.4, 0.2)  # half of the rows each
    return Rows(x, y + _SKEWED_NOISE * loud * generator.normal(size=rows))


def _coins(generator: np.random.Generator, rows: int) -> Rows:
    """A class that is little more than chance: one side of a plane has 62 %, the other 38 %."""
    x = generator.normal(size=(rows, 4))
    chance = 0.5 + _COIN * np.sign(x[:, 0] + x[:, 1])
    return Rows(x, (generator.random(rows) < chance).astype(int))


def _bits(generator: np.random.Generator, rows: int) -> Rows:
    """Four classes of two bits: one in three columns, one in whether two others agree; turned."""
    signs = generator.choice([-1.0, 1.0], size=(rows, 3))
    x = generator.normal(size=(rows, 6))
    x[:, :3] += 1.0 * signs[:, :1]
    x[:, 3:5] += 2.0 * signs[:, 1:]
    turn = np.linalg.qr(np.random.default_rng(77).normal(size=(6, 6)))[0]
    y = 2 * (signs[:, 0] > 0) + (signs[:, 1] == signs[:, 2])
    return Rows(5.0 + x @ turn, y.astype(int))


def _bits_best() -> float:
    """Return the chance that the best rule errs in either bit."""
    first = 0.5 * math.erfc(math.sqrt(3) / math.sqrt(2))
    one = 0.5 * math.erfc(2.0 / math.sqrt(2))
    return 1 - (1 - first) * (1 - 2 * one * (1 - one))


def _glyphs(generator: np.random.Generator, rows: int) -> Rows:
    """Pictures of a box, a cross, a slash or a bar, of some size at some place, in noise."""
    down, right = np.mgrid[:_SIDE, :_SIDE]
    y = generator.integers(0, 4, rows)
    size = generator.integers(2, 4, rows)[:, None, None]
    center = generator.integers(3, _SIDE - 3, size=(rows, 2))[:, :, None, None]
    a, b = down - center[:, 0], right - center[:, 1]
    inside = np.maximum(np.abs(a), np.abs(b)) <= size
    shapes = np.stack(
        [
            np.maximum(np.abs(a), np.abs(b)) == size,
            inside & ((a == 0) | (b == 0)),
            inside & (a == -b),
            inside & (np.abs(a) <= 1),
        ]
    )  # (4, rows, side, side)
    x = shapes[y, np.arange(rows)].reshape(rows, -1)
    return Rows(x + 0.25 * generator.normal(size=x.shape), y)


@functools.cache
def _patches() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_sample_image

    parts = []
    for name in ("china.jpg", "flower.jpg"):
        gray = np.asarray(load_sample_image(name), np.float64).mean(axis=2)
        high, wide = (n // _PATCH for n in gray.shape)
        cut = gray[: high * _PATCH, : wide * _PATCH].reshape(high, _PATCH, wide, _PATCH)
        parts.append(cut.transpose(0, 2, 1, 3).reshape(-1, _PATCH * _PATCH))
    return np.concatenate(parts), np.repeat([0, 1], [len(part) for part in parts])


def _photos(generator: np.random.Generator, rows: int) -> Rows:
    """Patches that do not overlap, of the two photographs of scikit-learn: which one is it?"""
    x, y = _patches()
    chosen = generator.permutation(len(y))[:rows]
    return Rows(x[chosen], y[chosen])


def _wine(generator: np.random.Generator, rows: int) -> Rows:
    """Three growers of wine by 13 measurements."""
    from sklearn.datasets import load_wine

    table = load_wine()
    chosen = generator.permutation(len(table.target))[:rows]
    return Rows(np.asarray(table.data, np.float64)[chosen], np.asarray(table.target)[chosen])


_USUAL = {"hidden_units": (32, 32), "learning_rate": 0.003, "batch_size": 32, "epochs": 40}

CHECKERS = Task(
    "checkers", "classification", _checkers, (800, 300, 2000),
    {**_USUAL, "learning_rate": 0.01, "epochs": 80}, best=_checkers_best(),
)  # fmt: skip
WAVEFORM = Task(
    "waveform", "classification", _waveform, (600, 300, 2000),
    {**_USUAL, "hidden_units": (24,), "dropout": 0.2, "l2": 0.003}, best=_WAVEFORM_BEST,
)  # fmt: skip
FRIEDMAN = Task(
    "friedman", "regression", _friedman, (900, 300, 2000),
    {**_USUAL, "learning_rate": 0.01, "epochs": 80}, best=1 / _FRIEDMAN_SPREAD,
)  # fmt: skip
BITS = Task(
    "bits", "classification", _bits, (700, 300, 2000), {**_USUAL, "learning_rate": 0.01},
    best=_bits_best(),
)  # fmt: skip
GLYPHS = Task("glyphs", "classification", _glyphs, (800, 300, 1500),
              {**_USUAL, "hidden_units": (64, 32)})  # fmt: skip
PHOTOS = Task("photos", "classification", _photos, (800, 400, 2000), _USUAL)

SKEWED = Task(
    "skewed", "regression", _skewed, (700, 300, 2000), _USUAL,
    best=_SKEWED_NOISE * math.sqrt((1.4**2 + 0.2**2) / 2),
)  # fmt: skip
COINS = Task("coins", "classification", _coins, (600, 300, 1000), _USUAL, best=0.5 - _COIN)
WINE = Task("wine", "classification", _wine, (90, 44, 44), {**_USUAL, "hidden_units": (16,)})

PROGRAM_TASKS = {
    task.name: task
    for task in (
        ProgramTask("checkers program", CHECKERS, adam, 0.01, epochs=60),
        ProgramTask("waveform program", WAVEFORM, momentum, 0.01),
        ProgramTask("friedman program", FRIEDMAN, adam, 0.005, epochs=40),
        ProgramTask("glyphs program", GLYPHS, momentum, 0.03),
    )
}
"""Tasks for programs, by name."""

TASKS = {
    task.name: task
    for task in (
        CHECKERS, WAVEFORM, FRIEDMAN, BITS, GLYPHS, PHOTOS, SKEWED, COINS, WINE,
    )
} | PROGRAM_TASKS  # fmt: skip
"""All tasks by name; nothing is planted on the last three of studies, too noisy or too few."""
