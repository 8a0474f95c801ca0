"""The small tasks that figures train on: real digits, and points of a plane or a line."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._population import Task


def digits() -> Task:
    """Return scikit-learn's handwritten digits: 1,200 train and 597 dev rows of 64 pixels."""
    from sklearn.datasets import load_digits

    table: Any = load_digits()
    order = np.random.default_rng(0).permutation(len(table.target))
    x, y = table.data[order].astype(np.float32), table.target[order].astype(np.int32)
    mean, spread = x[:1200].mean(axis=0), x[:1200].std(axis=0)
    x = (x - mean) / np.where(spread > 0, spread, 1)
    return Task(x[:1200], y[:1200], x[1200:], y[1200:], 10)


def digit_images() -> Task:
    """Return the digits as images of 8 x 8 x 1, normalized by one mean and deviation."""
    from sklearn.datasets import load_digits

    table: Any = load_digits()
    order = np.random.default_rng(0).permutation(len(table.target))
    x, y = table.data[order].astype(np.float32), table.target[order].astype(np.int32)
    x = (x - x[:1200].mean()) / x[:1200].std()
    return Task(x[:1200], y[:1200], x[1200:], y[1200:], 10, (8, 8, 1))


def moons(train: int = 120, dev: int = 1_000, noise: float = 0.3, seed: int = 1) -> Task:
    """Return two interleaved half circles with noise, about 3 wide, in two classes."""
    from sklearn.datasets import make_moons

    drawn: Any = make_moons(train + dev, noise=noise, random_state=seed)
    x, y = drawn
    return _divided(x, y, train, 2)


def blobs(classes: int, rows: int = 300, seed: int = 0) -> Task:
    """Return as many round clouds of points on a circle as there are classes."""
    random = np.random.default_rng(seed)
    y = np.arange(2 * rows) % classes
    angle = 2 * np.pi * y / classes + 0.4
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1) * 2 + random.normal(0, 0.55, (2 * rows, 2))
    return _divided(x, y, rows, classes)


def wave(train: int = 60, dev: int = 400, noise: float = 0.15, seed: int = 2) -> Task:
    """Return a rising wave over [-2, 2] with noise, a regression of one input."""
    random = np.random.default_rng(seed)
    x = random.uniform(-2, 2, (train + dev, 1))
    y = 0.7 * x[:, 0] + 0.7 * np.sin(3 * x[:, 0]) + random.normal(0, noise, train + dev)
    task = _divided(x, y, train, 0)
    return Task(task.x_train, y[:train].astype(np.float32), task.x_dev,
                y[train:].astype(np.float32), 0)  # fmt: skip


def _divided(x: np.ndarray, y: np.ndarray, train: int, classes: int) -> Task:
    rows, labels = x.astype(np.float32), y.astype(np.int32)
    return Task(rows[:train], labels[:train], rows[train:], labels[train:], classes)
