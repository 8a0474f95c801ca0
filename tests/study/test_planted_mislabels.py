"""Flips planted into real and made tables, found by whole studies: realized false-discovery rates.

Studies of real and made tables, at four shares of flipped labels; without any, nothing is listed.
"""

import itertools

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, make_classification, make_moons

import deepwell as dw
from deepwell.diagnosis._wrong_rows import RATE
from deepwell.study import open_study

SHARES = (0.0, 0.02, 0.05, 0.2)
SEEDS = 3


def overlapping(seed: int):
    """Three classes whose best possible error is about 15 %."""
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 3, 1_500)
    centers = np.array([[0.0, 0.0], [2.3, 0.0], [0.0, 2.3]])
    return centers[y] + generator.normal(size=(1_500, 2)), y


def churn(seed: int):
    """Two classes, told by odds that fall smoothly: most rows are unsure."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(1_500, 3))
    return x, (generator.random(1_500) < 1 / (1 + np.exp(1 - 1.5 * x[:, 0]))).astype(int)


TASKS = {
    "digits": lambda seed: load_digits(return_X_y=True),
    "breast cancer": lambda seed: load_breast_cancer(return_X_y=True),
    "moons": lambda seed: make_moons(1_200, noise=0.2, random_state=seed),
    "made": lambda seed: make_classification(
        1_500, 12, n_informative=8, n_classes=3, class_sep=2.0, flip_y=0, random_state=seed
    ),
    "overlapping": overlapping,
    "churn": churn,
}


def outcome(folder, task: str, share: float, seed: int):
    """Return how many rows are listed, how many of these were flipped, and how many were."""
    x, y = TASKS[task](seed)
    generator = np.random.default_rng(1_000 * seed + round(100 * share))
    classes = int(y.max()) + 1
    flipped = generator.random(len(y)) < share
    label = np.where(flipped, (y + generator.integers(1, classes, len(y))) % classes, y)
    name = f"{task} {share} {seed}".replace(" ", "-").replace(".", "-")
    columns = {f"x{j}": x[:, j] for j in range(x.shape[1])}
    data = dw.load(
        pl.DataFrame({**columns, "label": [f"c{v}" for v in label]}),
        target="label",
        test="0",
        name=name,
        vault=None,
    )
    study = dw.Study(data, store=folder, seed=seed, program="native")
    study.run(trials=16)
    sections = open_study(name, folder).diagnose(data).sections
    facts = next(s for s in sections if s.name == "labels").facts
    rows = np.array([one["row"] - 1 for one in facts["suspects"]], int)
    return len(rows), int(flipped[rows].sum()), int(flipped.sum())


def measured(folder, seeds: int = SEEDS):
    """Return task and share -> the outcomes of all seeds."""
    cases = itertools.product(TASKS, SHARES)
    return {
        (task, share): [outcome(folder, task, share, seed) for seed in range(seeds)]
        for task, share in cases
    }


@pytest.mark.slow
def test_at_most_the_stated_share_of_listed_rows_has_a_right_label(tmp_path):
    found = measured(tmp_path)
    listed = sum(one[0] for outcomes in found.values() for one in outcomes)
    right = sum(one[1] for outcomes in found.values() for one in outcomes)
    assert listed > 100
    assert (listed - right) / listed <= RATE
    clean = [one[0] for (_, share), outcomes in found.items() for one in outcomes if share == 0.0]
    assert sum(n > 0 for n in clean) <= 1
