"""What means and shares over groups are worth: by formula, and by how often intervals hold."""

import numpy as np
import pytest
from scipy import stats

from deepwell.diagnosis._groups_of_rows import (
    as_normal,
    effective_rows,
    mean_variance,
    reach,
    tail,
    weighted_share,
)
from deepwell.diagnosis._intervals import wilson


def drawn(groups: int, each: int, seed: int, shared: float):
    """A hit for each row, of which a share goes by its group alone."""
    generator = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), each)
    one, own = generator.random(groups)[group] < 0.3, generator.random(len(group)) < 0.3
    return np.where(generator.random(len(group)) < shared, one, own), group


def test_groups_of_one_row_are_rows():
    values, weight = np.random.default_rng(0).random((2, 50))
    (alone, n), (grouped, groups) = (
        mean_variance(values, weight, group) for group in (None, np.arange(50))
    )
    assert n == groups == 50
    assert grouped == pytest.approx(alone * 50 / 49)
    hit = values < 0.3
    assert weighted_share(hit, weight).value == pytest.approx(np.average(hit, weights=weight))


def test_equal_groups_have_the_variance_of_their_means():
    values = np.random.default_rng(1).random((12, 5))
    variance, groups = mean_variance(values.ravel(), np.ones(60), np.repeat(np.arange(12), 5))
    assert (variance, groups) == (pytest.approx(values.mean(axis=1).var(ddof=1) / 12), 12)
    weight = np.array([1.0] * 55 + [0.0] * 5)  # rows that count nothing are of no group
    assert mean_variance(values.ravel(), weight, np.repeat(np.arange(12), 5))[1] == 11


def test_groups_that_agree_count_as_rows():
    hit, group = np.repeat([True, False, False, False] * 10, 6), np.repeat(np.arange(40), 6)
    rows = effective_rows(hit, np.ones(240), group)
    assert rows == pytest.approx(39 * (1.96 / stats.t.ppf(0.975, 39)) ** 2, rel=1e-3)
    found = weighted_share(hit, np.ones(240), group)
    assert found == pytest.approx(wilson(0.25 * rows, rows))
    none = weighted_share(np.zeros(240, bool), np.ones(240), group)
    assert none.high > wilson(0, 40).high > wilson(0, 240).high
    alone = weighted_share(hit, np.ones(240), np.zeros(240, int))
    assert (alone.low, alone.value, alone.high) == (0.0, 0.25, 1.0)


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_intervals_of_shares_hold(shared):
    by_group, by_row = [], []
    for seed in range(400):
        hit, group = drawn(25, 8, seed, shared)
        weight = np.ones(len(hit))
        for found, told in (
            (weighted_share(hit, weight, group), by_group),
            (weighted_share(hit, weight), by_row),
        ):
            told.append(found.low <= 0.3 <= found.high)
    assert np.mean(by_group) >= 0.92
    if shared == 1.0:
        assert np.mean(by_row) < 0.7


def test_tails_are_those_of_students_t():
    assert tail(2.5, 7) == pytest.approx(stats.t.sf(2.5, 6))
    assert reach(7) == pytest.approx(stats.t.ppf(0.975, 6))
    assert as_normal(2.5, 7) == pytest.approx(stats.norm.isf(stats.t.sf(2.5, 6)))
    assert as_normal(1e9, 400) < 40
