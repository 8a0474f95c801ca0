"""Faults of the split: dev rows that do not tell what they are thought to tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.diagnosis.case import Case, Rows
from benchmarks.diagnosis.fault import ESTIMATE, Fault

ALL = ("gauss", "spiral", "teacher", "digits")
FITS_BY_HEART: dict[str, object] = {
    "hidden_units": (128, 128), "dropout": 0.0, "l2": 0.0, "patience": 0, "epochs": 120,
}  # fmt: skip


def duplicated(case: Case, share: float, seed: int) -> Case:
    """Dev rows that are train rows as well, with labels of which some are chance."""
    generator = np.random.default_rng([seed, 301])
    copies = round(share * len(case.dev))
    kept = generator.permutation(len(case.dev))[copies:]
    twins = case.train.take(generator.permutation(len(case.train))[:copies])
    return case.with_rows(dev=case.dev.take(kept).plus(twins)).with_settings(**FITS_BY_HEART)


def leak(case: Case, strength: float, seed: int) -> Case:
    """A column made after the target was known; in the world it is not known yet: noise."""
    generator = np.random.default_rng([seed, 302])

    def leaking(rows: Rows) -> Rows:
        said = rows.y + (1 / strength) * rows.y.std() * generator.normal(size=len(rows))
        return Rows(np.column_stack([rows.x, said]), rows.y, rows.group)

    world = case.deployed
    blind = generator.permutation(leaking(world).x[:, -1])
    return case.with_rows(
        train=leaking(case.train),
        dev=leaking(case.dev),
        deployed=Rows(np.column_stack([world.x, blind]), world.y),
    )


def groups_across(case: Case, size: int, seed: int) -> Case:
    """Several rows a unit, almost alike, with one label; units on both sides of the split."""
    generator = np.random.default_rng([seed, 303])
    rows = case.train.plus(case.dev)
    units = generator.permutation(len(rows))[: len(rows) // size]
    chosen = np.repeat(units, size)[generator.permutation(len(units) * size)]
    spread = 0.05 * rows.x.std(axis=0)
    x = rows.x[chosen] + spread * generator.normal(size=(len(chosen), rows.x.shape[1]))
    many = Rows(x, rows.y[chosen], chosen)
    cut = round(len(many) * len(case.train) / len(rows))
    places = np.arange(len(many))
    new = case.with_rows(train=many.take(places[:cut]), dev=many.take(places[cut:]))
    return new.with_settings(**FITS_BY_HEART)


def future_in_train(case: Case, drift: float, seed: int) -> Case:
    """The world moves on; rows of all times were shuffled, and the model meets the time after."""
    generator = np.random.default_rng([seed, 304])
    direction = generator.normal(size=case.train.x.shape[1])
    direction *= case.train.x.std(axis=0) / np.sqrt((direction**2).mean())

    def at(rows: Rows, moment: np.ndarray | float) -> Rows:
        moved = drift * np.multiply.outer(np.broadcast_to(moment, len(rows)), direction)
        return Rows(rows.x + moved, rows.y, rows.group)

    past = [at(part, generator.random(len(part))) for part in (case.train, case.dev)]
    return case.with_rows(train=past[0], dev=past[1], deployed=at(case.deployed, 1.6))


def dev_elsewhere(case: Case, shift: float, seed: int) -> Case:
    """Dev rows of another source than what was trained on and will be met."""
    generator = np.random.default_rng([seed, 305])
    scale = case.train.x.std(axis=0)
    move = shift * scale * (generator.random(len(scale)) < 0.5)
    moved = Rows(case.dev.x + move, case.dev.y, case.dev.group)
    return case.with_rows(dev=moved)


def dev_tiny(case: Case, rows: int, seed: int) -> Case:
    """So few dev rows that the score is chance; the best of many networks was chosen on them."""
    tiny = case.dev.take(np.arange(rows))
    searched = {"learning_rate": [0.001, 0.002, 0.004, 0.008], "dropout": [0.0, 0.2, 0.4]}
    return replace(case.with_rows(dev=tiny).with_settings(**searched), trials=24)


FAULTS = (
    Fault("rows in train and dev", "duplicates across parts", duplicated, (0.2, 0.5, 1.0), ALL,
          "dev rows", "20, 50, 100 % of the dev rows", harms=ESTIMATE),
    Fault("target in a column", "target leak", leak, (2.0, 5.0, 20.0), ALL, "without the leak",
          "with noise of 1/2, 1/5, 1/20 of the target's deviation"),
    Fault("groups on both sides", "groups across parts", groups_across, (3, 6, 12), ALL,
          "dev rows", "3, 6, 12 rows a unit", harms=ESTIMATE),
    Fault("time shuffled", "future in train", future_in_train, (0.5, 1.0, 2.0), ALL, "dev rows",
          "the world moves by 0.5, 1, 2 deviations", harms=ESTIMATE),
    Fault("dev from elsewhere", "dev unlike train", dev_elsewhere, (0.5, 1.0, 2.0), ALL,
          "dev rows", "half of the columns moved by 0.5, 1, 2 deviations", harms=ESTIMATE),
    Fault("dev too small", "dev too small", dev_tiny, (60, 30, 15), ALL, "dev rows",
          "60, 30, 15 dev rows", harms=ESTIMATE),
)  # fmt: skip
