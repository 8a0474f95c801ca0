"""Copies that were touched up are told from rows that are near by chance."""

import numpy as np
import pytest

from deepwell.diagnosis import _near_copies
from deepwell.diagnosis._near_copies import (
    conflicting_rows,
    copies_across,
    near_copies,
    row_numbers,
)


def rows(generator, n, inputs):
    return generator.normal(size=(n, inputs)).astype(np.float32)


@pytest.mark.parametrize("inputs", [2, 5, 30])
def test_a_table_without_copies_has_one_in_a_hundred_times(inputs):
    """200 tables, at most 8 with any (1 in 1,000 at the stated rate)."""
    found = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        found += bool(
            near_copies(rows(generator, 300, inputs), rows(generator, 60, inputs), 0).count
        )
    assert found <= 8


@pytest.mark.parametrize("inputs", [6, 30])
def test_copies_with_a_little_noise_are_found_and_no_others(inputs):
    generator = np.random.default_rng(0)
    train, dev = rows(generator, 600, inputs), rows(generator, 200, inputs)
    dev[:20] = train[:20] + 0.01 * rows(generator, 20, inputs)
    assert near_copies(train, dev, 0).count == 20


def test_several_copies_of_one_row_are_found():
    generator = np.random.default_rng(0)
    train, dev = rows(generator, 600, 8), rows(generator, 200, 8)
    train[:40] = np.repeat(train[:10], 4, axis=0) + 0.005 * rows(generator, 40, 8)
    dev[:10] = train[:40:4] + 0.005 * rows(generator, 10, 8)
    assert near_copies(train, dev, 0).count == 10


def test_the_dimension_is_that_in_which_rows_spread():
    generator = np.random.default_rng(0)
    plane = rows(generator, 1200, 3) @ rows(generator, 3, 20)
    assert 2 < near_copies(plane[:1000], plane[1000:], 0).dimension < 4


def test_rows_of_few_values_and_tight_clusters_are_not_told():
    generator = np.random.default_rng(0)
    few = generator.integers(0, 3, (400, 4)).astype(np.float32)
    assert near_copies(few[:300], few[300:], 0).count is None
    tight = np.repeat(rows(generator, 150, 6), 4, axis=0) + 0.02 * rows(generator, 600, 6)
    mixed = tight[generator.permutation(600)]
    assert not near_copies(mixed[:450], mixed[450:], 0).count
    assert near_copies(mixed[:30], mixed[30:60], 0).why == "too few rows"


def test_a_sample_is_taken_of_many_rows(monkeypatch):
    monkeypatch.setattr(_near_copies, "_PRODUCTS", 1e5)
    generator = np.random.default_rng(0)
    found = near_copies(rows(generator, 900, 5), rows(generator, 500, 5), 0)
    assert found.rows == 200
    assert found.train_rows == 100
    train, dev = ((rows(generator, n, 5), np.zeros(n)) for n in (900, 500))
    copies = copies_across(train, dev, 0)
    assert (copies.rows, copies.looked_at) == (500, 200)
    assert (copies.train_rows, copies.looked_among) == (900, 100)


def test_rows_have_equal_numbers_where_they_are_equal():
    generator = np.random.default_rng(0)
    x = generator.integers(0, 3, (500, 4)).astype(np.float32)
    x[0, 0], x[1] = -0.0, x[0]
    x[1, 0] = 0.0
    _, expected = np.unique(x + 0.0, axis=0, return_inverse=True)
    found = row_numbers(x)
    pairs = np.unique(np.stack([found, expected.ravel()]), axis=1)
    assert pairs.shape[1] == found.max() + 1 == expected.max() + 1
    assert found[0] == found[1]


def test_columns_that_are_swapped_are_not_equal():
    x = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0]], np.float32)
    assert len(set(row_numbers(x).tolist())) == 2


def test_conflicting_rows_are_those_of_equal_inputs_and_unlike_targets():
    inputs = np.array([5, 2, 5, 2, 7, 7, 1])
    y = np.array([0, 1, 1, 1, 0, 0, 1])
    assert conflicting_rows(inputs, y).tolist() == [True, False, True, False, False, False, False]


def test_copies_are_counted_by_kind():
    generator = np.random.default_rng(0)
    train, dev = rows(generator, 100, 4), rows(generator, 30, 4)
    y, y_dev = generator.integers(0, 2, 100), generator.integers(0, 2, 30)
    dev[:6], y_dev[:6] = train[:6], y[:6]
    y_dev[4:6] = 1 - y_dev[4:6]
    train[50], y[50] = train[51], 1 - y[51]
    found = copies_across((train, y), (dev, y_dev), 0)
    assert (found.exact, found.inputs, found.conflicting, found.rows) == (4, 2, 2, 30)


def groups(generator, units: int, size: int, inputs: int, spread: float):
    """Rows of several measurements of each unit, mixed and cut into train and dev."""
    centers = np.repeat(rows(generator, units, inputs), size, axis=0)
    mixed = centers + spread * rows(generator, units * size, inputs)
    mixed = mixed[generator.permutation(len(mixed))]
    cut = 2 * len(mixed) // 3
    return mixed[:cut], mixed[cut:]


@pytest.mark.parametrize("size", [3, 6, 12])
def test_groups_of_near_copies_are_told(size):
    train, dev = groups(np.random.default_rng(0), 900 // size, size, 8, 0.05)
    found = near_copies(train, dev, 0)
    assert found.grouped >= 0.8 * found.rows
    assert found.mates == pytest.approx(2 * (size - 1) / 3, rel=0.3)


def test_other_tables_have_no_groups():
    """Loose groups, large clusters, categories, heavy tails, paths: none of 40 of each."""
    for seed in range(40):
        generator = np.random.default_rng(seed)
        categories = [np.eye(k)[generator.integers(0, k, 600)] for k in (20, 30)]
        tables = [
            rows(generator, 600, 5),
            np.concatenate(groups(generator, 120, 5, 6, 0.5)),
            np.concatenate(groups(generator, 6, 100, 6, 0.1)),
            np.concatenate([*categories, rows(generator, 600, 2)], axis=1),
            generator.integers(0, 30, (600, 4)),
            np.exp(2 * rows(generator, 600, 4)),
            generator.standard_cauchy((600, 4)),
            np.cumsum(rows(generator, 600, 3), axis=0)[generator.permutation(600)],
        ]
        for number, table in enumerate(tables):
            table = np.asarray(table, np.float32)
            assert near_copies(table[:400], table[400:], 0).grouped == 0, (seed, number)
