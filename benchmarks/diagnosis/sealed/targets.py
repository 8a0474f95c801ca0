"""Sealed faults of the labels, in train and dev rows alike; deployed rows are right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.diagnosis.case import Case, Rows
from benchmarks.diagnosis.fault import Fault

CLASSES = ("checkers", "waveform", "bits", "glyphs", "photos")
ALL = (*CLASSES, "friedman")


def _labels(case: Case, change: Callable[[Rows], np.ndarray]) -> Case:
    parts = {"train": case.train, "dev": case.dev}
    return case.with_rows(**{k: Rows(p.x, change(p), p.group) for k, p in parts.items()})


def left_at_default(case: Case, share: float, seed: int) -> Case:
    """A form whose first choice was left as it stood: class 0, or the lowest value.

    Mild is 20 % of the rows, medium 35 %, severe 60 %.
    """
    generator = np.random.default_rng([seed, 911])
    first = 0 if case.kind == "classification" else case.train.y.min()

    def left(rows: Rows) -> np.ndarray:
        return np.where(generator.random(len(rows)) < share, first, rows.y)

    return _labels(case, left)


def one_office(case: Case, share: float, seed: int) -> Case:
    """An office that uses another code book: the rows on one side are a class, or the sign, off.

    Mild is the outer 15 % of the rows along a direction, medium 30 %, severe 50 %.
    """
    direction = np.random.default_rng([seed, 912]).normal(size=case.train.x.shape[1])
    direction /= np.where(case.train.x.std(axis=0) > 0, case.train.x.std(axis=0), 1.0)
    limit = np.quantile(case.train.x @ direction, 1 - share)
    classes = int(case.train.y.max()) + 1 if case.kind == "classification" else 0

    def recoded(rows: Rows) -> np.ndarray:
        hit = rows.x @ direction > limit
        return np.where(hit, (rows.y + 1) % classes if classes else -rows.y, rows.y)

    return _labels(case, recoded)


def minus_lost(case: Case, share: float, seed: int) -> Case:
    """Targets whose minus sign was lost on the way.

    Mild is 20 % of the rows, medium 50 %, severe all.
    """
    generator = np.random.default_rng([seed, 913])

    def unsigned(rows: Rows) -> np.ndarray:
        return np.where(generator.random(len(rows)) < share, np.abs(rows.y), rows.y)

    return _labels(case, unsigned)


def sorted_apart(case: Case, rows: int, seed: int) -> Case:
    """The file of the labels was sorted in blocks, that of the inputs was not.

    Mild is blocks of 2 rows, medium of 5, severe of 50.
    """

    def in_blocks(part: Rows) -> np.ndarray:
        starts = np.arange(rows, len(part), rows)
        return np.concatenate([np.sort(block) for block in np.split(part.y, starts)])

    return _labels(case, in_blocks)


def half_reversed(case: Case, share: float, seed: int) -> Case:
    """Every second page of the labels was scanned from the bottom to the top.

    Pages are of 25 rows; mild turns a quarter of them, medium half, severe all.
    """
    turned = round(1 / share)

    def scanned(part: Rows) -> np.ndarray:
        pages = np.split(part.y, np.arange(25, len(part), 25))
        return np.concatenate([p if n % turned else p[::-1] for n, p in enumerate(pages)])

    return _labels(case, scanned)


def long_tail(case: Case, ratio: float, seed: int) -> Case:
    """Classes gathered in falling numbers, each a like factor rarer than the one before.

    The last class is kept once in 6 rows when mild, 15 when medium, 40 when severe; the world
    holds all alike.
    """
    generator = np.random.default_rng([seed, 914])
    classes = int(case.train.y.max()) + 1
    parts = {}
    for name, part, least in (("train", case.train, 5), ("dev", case.dev, 3)):
        kept = []
        for one in range(classes):
            places = generator.permutation(np.flatnonzero(part.y == one))
            wanted = round(len(places) * ratio ** (-one / (classes - 1)))
            kept.append(places[: max(least, wanted)])
        parts[name] = part.take(np.sort(np.concatenate(kept)))
    return case.with_rows(**parts)


FAULTS = (
    Fault("labels left at the default", "labels wrong", left_at_default, (0.2, 0.35, 0.6), ALL,
          "labels", "20, 35, 60 % of the rows hold the first choice"),
    Fault("another code book", "labels wrong", one_office, (0.15, 0.3, 0.5), ALL, "labels",
          "in the 15, 30, 50 % of the rows on one side"),
    Fault("minus signs lost", "labels wrong", minus_lost, (0.2, 0.5, 1.0), ("friedman",), "labels",
          "in 20, 50, 100 % of the rows"),
    Fault("labels sorted in blocks", "labels unpaired", sorted_apart, (2, 5, 50), ALL, "labels",
          "blocks of 2, 5, 50 rows"),
    Fault("pages of labels reversed", "labels unpaired", half_reversed, (0.25, 0.5, 1.0), ALL,
          "labels", "25, 50, 100 % of the pages of 25 rows"),
    Fault("classes with a long tail", "classes imbalanced", long_tail, (6, 15, 40), CLASSES[1:],
          "class weights", "the last class 1 : 6, 15, 40, while the world is balanced"),
)  # fmt: skip
