"""Rows of one group, and of neighboring times, that are alike beyond their inputs."""

import numpy as np
import pytest

from deepwell.diagnosis import _straddling
from deepwell.diagnosis._straddling import (
    neighboring_times,
    residuals_of,
    straddling_groups,
    within_groups,
)


def case(between, seed=0, n=300, size=5):
    generator = np.random.default_rng(seed)
    who = generator.permutation(np.repeat(np.arange(n // size), size))
    left = np.sqrt(between) * generator.normal(size=n // size)[who]
    left += np.sqrt(1 - between) * generator.normal(size=n)
    dev = generator.random(n) < 0.25
    return who, dev, left[~dev, None]


def test_the_intraclass_correlation_is_the_share_between_groups():
    who, found = np.repeat(np.arange(60), 5), []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        left = generator.normal(size=(60, 1))[who] + generator.normal(size=(300, 1))
        found.append(within_groups(who, left))
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)


def test_alike_groups_are_told_with_how_they_lie():
    who, dev, left = case(0.5)
    found = straddling_groups("patient", who, dev, left, 0)
    assert found.groups == 60
    assert found.straddling == len(set(who[dev]) & set(who[~dev]))
    assert found.dev_rows == np.isin(who[dev], who[~dev]).sum()
    assert found.of == dev.sum()
    assert 0.3 < found.alike < 0.7
    assert found.p_value < 0.01


def test_p_values_are_uniform_where_groups_mean_nothing():
    p = [straddling_groups("p", *case(0.0, seed), seed).p_value for seed in range(200)]
    for level in (0.05, 0.25, 0.5):
        assert abs(np.mean(np.array(p) <= level) - level) < 4 * np.sqrt(level / 200)


def test_rows_without_a_group_and_single_rows_do_not_count():
    _, dev, left = case(0.5)
    assert straddling_groups("p", np.arange(300), dev, left, 0) is None
    assert straddling_groups("p", np.full(300, -1), dev, left, 0) is None


def test_of_many_rows_some_groups_are_looked_at(monkeypatch):
    monkeypatch.setattr(_straddling, "_MOST_ROWS", 100)
    who, dev, left = case(0.8, n=1000)
    assert straddling_groups("p", who, dev, left, 0).alike > 0.5


def test_neighboring_times_that_are_alike_are_told():
    generator = np.random.default_rng(0)
    walk = np.cumsum(generator.normal(size=(300, 1)), axis=0)
    order = generator.permutation(300)
    found = neighboring_times("day", order.astype(float), 50, walk[order], 0)
    assert found.time
    assert found.alike > 0.9
    assert found.p_value < 0.01
    like = neighboring_times("day", order.astype(float), 50, generator.normal(size=(300, 1)), 0)
    assert abs(like.alike) < 0.2
    assert neighboring_times("day", np.full(300, np.nan), 50, walk, 0) is None


def test_residuals_are_what_a_linear_model_leaves(monkeypatch):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(3000, 4)).astype(np.float32)
    y = (x @ [1.0, 2.0, 0.0, 0.0] + 0.1 * generator.normal(size=3000))[:, None]
    assert residuals_of(x, y, 0).std() == pytest.approx(0.1, rel=0.15)
    monkeypatch.setattr(_straddling, "_PRODUCTS", 1)
    monkeypatch.setattr(_straddling, "_LEAST_FITTED", 500)
    assert residuals_of(x, y, 0).std() == pytest.approx(0.1, rel=0.25)
