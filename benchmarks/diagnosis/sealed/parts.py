"""Sealed faults of the split, and of what dev rows are used for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.diagnosis.case import Case, Rows
from benchmarks.diagnosis.fault import ESTIMATE, Fault

ALL = ("checkers", "waveform", "friedman", "bits", "glyphs", "photos")
NOISY = ("checkers", "waveform", "friedman", "bits")
WIDE: dict[str, object] = {
    "hidden_units": (96, 96), "dropout": 0.0, "l2": 0.0, "patience": 0, "epochs": 100,
}  # fmt: skip
_MARKS = 5  # columns by which units of a group can be told


def multiplied(case: Case, share: float, seed: int) -> Case:
    """Rows were multiplied, each copy a little blurred, and then split: copies on both sides.

    They come of 60 % as many when mild, 30 % when medium, 12 % when severe, and are blurred by a
    fiftieth of a deviation. The network is one that learns rows by heart.
    """
    generator = np.random.default_rng([seed, 921])
    rows = case.train.plus(case.dev)
    pool = generator.permutation(len(rows))[: round(share * len(rows))]
    drawn = rows.take(generator.choice(pool, size=len(rows)))
    blur = 0.02 * rows.x.std(axis=0) * generator.normal(size=rows.x.shape)
    drawn = Rows(drawn.x + blur, drawn.y, drawn.group)
    cut, places = len(case.train), np.arange(len(rows))
    return case.with_rows(train=drawn.take(places[:cut]), dev=drawn.take(places[cut:])) \
        .with_settings(**WIDE)  # fmt: skip


def exported_twice(case: Case, share: float, seed: int) -> Case:
    """Dev rows that are train rows of another export, with its inputs rounded.

    30 % of the dev rows when mild, 60 % when medium, all when severe; rounded to a fiftieth of a
    deviation. The network is one that learns rows by heart.
    """
    generator = np.random.default_rng([seed, 922])
    count = round(share * len(case.dev))
    kept = generator.permutation(len(case.dev))[count:]
    again = case.train.take(generator.permutation(len(case.train))[:count])
    step = np.where(case.train.x.std(axis=0) > 0, case.train.x.std(axis=0), 1.0) / 50
    rounded = Rows(np.round(again.x / step) * step, again.y, again.group)
    return case.with_rows(dev=case.dev.take(kept).plus(rounded)).with_settings(**WIDE)


def filled_in_later(case: Case, truth: float, seed: int) -> Case:
    """A column that is filled in only where the outcome was high: what is missing tells it.

    The pattern is right in 80 % of the rows when mild, 92 % when medium, all when severe; in the
    world the column is filled in by chance.
    """
    generator = np.random.default_rng([seed, 923])
    middle = np.median(case.train.y) if case.kind == "regression" else case.train.y.max() / 2

    def with_column(rows: Rows, right: float) -> Rows:
        honest = generator.random(len(rows)) < right
        filled = np.where(honest, rows.y > middle, generator.random(len(rows)) < 0.5)
        said = np.where(filled, 3.0 + generator.normal(size=len(rows)), np.nan)
        return Rows(np.column_stack([rows.x, said]), rows.y, rows.group)

    told = 2 * truth - 1
    return case.with_rows(
        train=with_column(case.train, told),
        dev=with_column(case.dev, told),
        deployed=with_column(case.deployed, 0.0),
    )


def number_of_row(case: Case, noise: float, seed: int) -> Case:
    """A running number of files that were written class by class, or sorted by the target.

    Places are off by 60 % of all rows when mild, 25 % when medium, 2 % when severe; in the world
    the numbers go on from there, in no order.
    """
    generator = np.random.default_rng([seed, 924])

    def numbered(rows: Rows) -> Rows:
        rank = np.argsort(np.argsort(rows.y + 1e-6 * generator.random(len(rows)))) / len(rows)
        place = np.argsort(np.argsort(rank + noise * generator.normal(size=len(rows))))
        return Rows(np.column_stack([rows.x, 1000.0 * place / len(rows)]), rows.y, rows.group)

    world = case.deployed
    later = 1000.0 + 300.0 * generator.random(len(world))
    return case.with_rows(
        train=numbered(case.train),
        dev=numbered(case.dev),
        deployed=Rows(np.column_stack([world.x, later]), world.y, world.group),
    )


def marked_units(case: Case, size: int, seed: int) -> Case:
    """Several visits a patient, on both sides of the split, told by columns that mark the patient.

    Visits are rows of the task of the same label, with 5 columns that hold the patient's own
    numbers; 3 a patient when mild, 8 when medium, 20 when severe, and one label in four of a
    patient is another one's, in all of their rows. New patients have new numbers.
    """
    generator = np.random.default_rng([seed, 925])
    rows = case.train.plus(case.dev)
    by_label = np.argsort(rows.y + 1e-6 * generator.random(len(rows)))
    unit = np.empty(len(rows), np.int64)
    unit[by_label] = np.arange(len(rows)) // size
    own = generator.normal(size=(unit.max() + 1, _MARKS))
    label = np.zeros(unit.max() + 1, rows.y.dtype)
    label[unit] = rows.y
    other = generator.random(len(label)) < 0.25
    label = np.where(other, generator.permutation(label), label)
    x = own[unit] + 0.05 * generator.normal(size=(len(rows), _MARKS))
    marked = Rows(np.column_stack([rows.x, x]), label[unit], unit)
    cut, places = len(case.train), np.arange(len(rows))
    new = generator.normal(size=(len(case.deployed), _MARKS))
    world = case.deployed
    return case.with_rows(
        train=marked.take(places[:cut]),
        dev=marked.take(places[cut:]),
        deployed=Rows(np.column_stack([world.x, new]), world.y, world.group),
    ).with_settings(**WIDE)


def rule_turns(case: Case, angle: float, seed: int) -> Case:
    """What the inputs mean moves on: pairs of columns are turned with time.

    Rows of a year were shuffled and the model meets the second half of the next one. Mild turns by
    0.3 a year, medium by 0.6, severe by 1.2, in radians.
    """
    generator = np.random.default_rng([seed, 926])
    middle = case.train.x.mean(axis=0)
    first = np.arange(0, len(middle) - 1, 2)

    def at(rows: Rows, moment: np.ndarray) -> Rows:
        x = rows.x - middle
        c, s = np.cos(angle * moment)[:, None], np.sin(angle * moment)[:, None]
        turned = x.copy()
        turned[:, first] = c * x[:, first] - s * x[:, first + 1]
        turned[:, first + 1] = s * x[:, first] + c * x[:, first + 1]
        return Rows(turned + middle, rows.y, rows.group)

    past = [at(part, generator.random(len(part))) for part in (case.train, case.dev)]
    later = at(case.deployed, 1.5 + 0.5 * generator.random(len(case.deployed)))
    return case.with_rows(train=past[0], dev=past[1], deployed=later)


def easy_rows(case: Case, share: float, seed: int) -> Case:
    """Dev rows were those that reviewers agreed on: whose nearest train rows have their label.

    The easiest 88 % are kept when mild, 70 % when medium, 30 % when severe.
    """
    spread = np.where(case.train.x.std(axis=0) > 0, case.train.x.std(axis=0), 1.0)
    train, dev = case.train.x / spread, case.dev.x / spread
    far = (dev**2).sum(axis=1)[:, None] + (train**2).sum(axis=1) - 2 * dev @ train.T
    near = case.train.y[np.argsort(far, axis=1)[:, :10]]
    own = case.dev.y[:, None]
    hard = np.abs(near - own) if case.kind == "regression" else near != own
    chosen = np.argsort(hard.mean(axis=1), kind="stable")[: round(share * len(case.dev))]
    return case.with_rows(dev=case.dev.take(np.sort(chosen)))


def cheaper_sensor(case: Case, noise: float, seed: int) -> Case:
    """Dev rows were read by a cheaper sensor, which adds noise.

    Of 0.5 deviations of each column when mild, 1 when medium, 2.5 when severe.
    """
    generator = np.random.default_rng([seed, 927])
    spread = case.train.x.std(axis=0)
    x = case.dev.x + noise * spread * generator.normal(size=case.dev.x.shape)
    return case.with_rows(dev=Rows(x, case.dev.y, case.dev.group))


def chosen_epoch(case: Case, rows: int, seed: int) -> Case:
    """A handful of dev rows chooses among 150 epochs of a network that jumps about.

    40 dev rows when mild, 20 when medium, 8 when severe.
    """
    few = case.with_rows(dev=case.dev.take(np.arange(rows)))
    rate = 3 * case.number("learning_rate")
    return few.with_settings(epochs=150, patience=0, learning_rate=rate)


def seeds_tried(case: Case, trials: int, seed: int) -> Case:
    """One network started again with seed after seed, and the luckiest on 25 dev rows reported.

    15 seeds when mild, 50 when medium, 150 when severe; 20 epochs each.
    """
    dev = case.dev.take(np.arange(25))
    return replace(case.with_rows(dev=dev).with_settings(epochs=20), trials=trials)


def gathered_elsewhere(case: Case, amount: float, seed: int) -> Case:
    """Train rows of a market unlike the one that dev rows and the world are of.

    Columns are bent, as by another gain: their standardized size to a power of 1 + amount, and
    moved by as many deviations either way; 0.3 when mild, 0.6 when medium, 1.2 when severe.
    """
    generator = np.random.default_rng([seed, 928])
    mean, spread = case.train.x.mean(axis=0), case.train.x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    move = amount * generator.choice([-1.0, 1.0], size=len(spread))
    z = (case.train.x - mean) / spread
    bent = np.sign(z) * np.abs(z) ** (1 + amount) + move
    return case.with_rows(train=Rows(mean + spread * bent, case.train.y, case.train.group))


def few_rows(case: Case, rows: int, seed: int) -> Case:
    """A network that suits the task, on too few rows for it.

    150 train rows when mild, 70 when medium, 30 when severe.
    """
    return case.with_rows(train=case.train.take(np.arange(rows)))


FAULTS = (
    Fault("multiplied, then split", "duplicates across parts", multiplied, (0.6, 0.3, 0.12),
          NOISY, "dev rows", "blurred copies of 60, 30, 12 % as many rows", harms=ESTIMATE),
    Fault("exported twice", "duplicates across parts", exported_twice, (0.3, 0.6, 1.0), NOISY,
          "dev rows", "30, 60, 100 % of the dev rows are train rows, rounded", harms=ESTIMATE),
    Fault("filled in later", "target leak", filled_in_later, (0.8, 0.92, 1.0), ALL,
          "without the leak", "what is missing tells 80, 92, 100 % of the rows"),
    Fault("number of the row", "target leak", number_of_row, (0.6, 0.25, 0.02), ALL,
          "without the leak", "in the target's order but for 60, 25, 2 % of the rows"),
    Fault("marked patients", "groups across parts", marked_units, (3, 8, 20), NOISY, "dev rows",
          "3, 8, 20 visits a patient", harms=ESTIMATE),
    Fault("rule turns with time", "future in train", rule_turns, (0.3, 0.6, 1.2),
          ("checkers", "waveform", "bits", "friedman"), "dev rows",
          "pairs of columns turned by 0.3, 0.6, 1.2 a year", harms=ESTIMATE),
    Fault("dev rows are the easy ones", "dev unlike train", easy_rows, (0.88, 0.7, 0.3), NOISY,
          "dev rows", "the easiest 88, 70, 30 %", harms=ESTIMATE),
    Fault("dev rows read by another sensor", "dev unlike train", cheaper_sensor, (0.5, 1.0, 2.5),
          ALL, "dev rows", "noise of 0.5, 1, 2.5 deviations", harms=ESTIMATE),
    Fault("epoch chosen on a handful", "dev too small", chosen_epoch, (40, 20, 8), NOISY,
          "dev rows", "40, 20, 8 dev rows and 150 epochs", harms=ESTIMATE),
    Fault("seeds until one was good", "dev overfitted", seeds_tried, (15, 50, 150), NOISY,
          "dev rows", "15, 50, 150 seeds on 25 dev rows", harms=ESTIMATE),
    Fault("train gathered elsewhere", "mismatch", gathered_elsewhere, (0.3, 0.6, 1.2), ALL,
          "inputs", "train columns bent and moved by 0.3, 0.6, 1.2"),
    Fault("few rows", "high variance", few_rows, (150, 70, 30), ALL, "more rows",
          "150, 70, 30 train rows"),
)  # fmt: skip
