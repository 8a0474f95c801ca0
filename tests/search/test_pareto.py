"""The Pareto front against the definition, pair by pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepwell.search._pareto import pareto_front


def by_pairs(objectives):
    known = ~np.isnan(objectives).any(axis=1) & np.isfinite(objectives).any(axis=1)
    front = []
    for i, one in enumerate(objectives):
        beaten = any(
            known[j] and (other <= one).all() and (other < one).any()
            for j, other in enumerate(objectives)
        )
        front.append(known[i] and not beaten)
    return np.array(front, np.bool_).reshape(-1)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 4), st.integers(0, 30))
def test_the_front_is_what_its_definition_says(data, k, n):
    value = st.sampled_from([0.0, 1.0, 2.0, 3.0, np.inf, np.nan])  # many ties
    rows = data.draw(st.lists(st.lists(value, min_size=k, max_size=k), min_size=n, max_size=n))
    objectives = np.array(rows, np.float64).reshape(n, k)
    assert pareto_front(objectives).tolist() == by_pairs(objectives).tolist()


@pytest.mark.parametrize("k", [2, 3])
def test_large_random_sets_have_the_same_front(k):
    objectives = np.random.default_rng(k).random((300, k)).round(2)
    assert pareto_front(objectives).tolist() == by_pairs(objectives).tolist()


def test_ten_thousand_points_that_are_all_on_the_front():
    x = np.linspace(0, 1, 10_000)
    assert pareto_front(np.column_stack([x, 1 - x, np.ones_like(x)])).all()
