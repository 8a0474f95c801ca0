"""Faults of the labels, in train and dev rows alike; deployed rows are right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.diagnosis.case import Case, Rows
from benchmarks.diagnosis.fault import Fault

CLASSES = ("gauss", "spiral", "digits")
ALL = (*CLASSES[:2], "teacher", "digits")


def _labels(case: Case, change: Callable[[np.ndarray], np.ndarray]) -> Case:
    parts = {"train": case.train, "dev": case.dev}
    return case.with_rows(**{k: Rows(p.x, change(p.y), p.group) for k, p in parts.items()})


def flipped(case: Case, share: float, seed: int) -> Case:
    """Labels drawn from the other classes, or values replaced by those of other rows."""
    generator = np.random.default_rng([seed, 201])
    classes = int(case.train.y.max()) + 1 if case.kind == "classification" else 0

    def noisy(y: np.ndarray) -> np.ndarray:
        hit = generator.random(len(y)) < share
        if not classes:
            return np.where(hit, generator.permutation(y), y)
        return np.where(hit, (y + generator.integers(1, classes, len(y))) % classes, y)

    return _labels(case, noisy)


def pair_swapped(case: Case, share: float, seed: int) -> Case:
    """Two classes exchanged in the rows of some annotators."""
    generator = np.random.default_rng([seed, 202])

    def swapped(y: np.ndarray) -> np.ndarray:
        hit = (generator.random(len(y)) < share) & (y < 2)
        return np.where(hit, 1 - y, y)

    return _labels(case, swapped)


def shifted(case: Case, share: float, seed: int) -> Case:
    """From a row on, each label is that of the next row: a line was lost in one file of two."""

    def moved(y: np.ndarray) -> np.ndarray:
        first = round((1 - share) * len(y))
        return np.concatenate([y[:first], np.roll(y[first:], 1)])

    return _labels(case, moved)


def class_off_by_one(case: Case, share: float, seed: int) -> Case:
    """Classes counted from 1 in some of the files: their rows are one class too high."""
    generator = np.random.default_rng([seed, 203])
    classes = int(case.train.y.max()) + 1

    def moved(y: np.ndarray) -> np.ndarray:
        return np.where(generator.random(len(y)) < share, (y + 1) % classes, y)

    return _labels(case, moved)


def unpaired(case: Case, share: float, seed: int) -> Case:
    """Rows and labels shuffled apart in a share of the rows."""
    generator = np.random.default_rng([seed, 204])

    def shuffled(y: np.ndarray) -> np.ndarray:
        y = y.copy()
        places = np.flatnonzero(generator.random(len(y)) < share)
        y[places] = y[generator.permutation(places)]
        return y

    return _labels(case, shuffled)


def imbalanced(case: Case, ratio: float, seed: int) -> Case:
    """One row of class 1 kept for so many of the others; the world holds as many as before."""
    generator = np.random.default_rng([seed, 205])
    parts = {}
    for name, part in (("train", case.train), ("dev", case.dev)):
        wanted = max(6 if name == "train" else 3, round((part.y != 1).sum() / ratio))
        of_one = generator.permutation(np.flatnonzero(part.y == 1))[:wanted]
        kept = np.sort(np.concatenate([np.flatnonzero(part.y != 1), of_one]))
        parts[name] = part.take(kept)
    return case.with_rows(**parts)


FAULTS = (
    Fault("labels flipped", "labels wrong", flipped, (0.1, 0.2, 0.4), ALL, "labels",
          "10, 20, 40 % of the labels are others"),
    Fault("pair of classes swapped", "labels wrong", pair_swapped, (0.2, 0.35, 0.5), CLASSES,
          "labels", "in 20, 35, 50 % of the rows of two classes"),
    Fault("labels shifted by a row", "labels unpaired", shifted, (0.3, 0.6, 1.0), ALL, "labels",
          "in the last 30, 60, 100 % of the rows"),
    Fault("classes off by one", "labels wrong", class_off_by_one, (0.15, 0.3, 0.45), CLASSES,
          "labels", "in 15, 30, 45 % of the rows"),
    Fault("rows and labels unpaired", "labels unpaired", unpaired, (0.3, 0.6, 1.0), ALL, "labels",
          "in 30, 60, 100 % of the rows"),
    Fault("class rare in what was gathered", "classes imbalanced", imbalanced, (10, 30, 80),
          CLASSES, "class weights", "1 : 10, 30, 80, while the world is balanced"),
)  # fmt: skip
