"""Parts of the train rows: nested, stratified, each row equally likely, the same for ever."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from deepwell.data._subsets import subset_order

STRATA = np.repeat([0, 1, 2], [70, 25, 5])
ONES = np.ones(100, np.float32)


@pytest.mark.proves("G5", "formula")
@pytest.mark.parametrize("subset", [1, 2, 77])
def test_every_beginning_has_the_shares_of_the_classes(subset: int) -> None:
    order = subset_order(subset, STRATA, ONES)
    assert sorted(order) == list(range(100))
    for r in range(1, 101):
        held = np.bincount(STRATA[order[:r]], minlength=3)
        assert (np.abs(held - r * np.array([0.7, 0.25, 0.05])) < 2).all()


def test_choices_differ_and_are_the_same_for_ever() -> None:
    orders = [subset_order(n, STRATA, ONES) for n in (1, 2, 3)]
    assert len({order.tobytes() for order in orders}) == 3
    np.testing.assert_array_equal(orders[0], subset_order(1, STRATA, ONES))
    assert orders[0].dtype == np.int32
    assert orders[0][:8].tolist() == FIRST


FIRST = [63, 59, 90, 96, 41, 67, 54, 93]


def test_each_row_is_equally_likely_at_each_place() -> None:
    strata = np.repeat([0, 1], [12, 8])
    first = np.concatenate([subset_order(n, strata, np.ones(20))[:5] for n in range(1, 2001)])
    assert chisquare(np.bincount(first, minlength=20)).pvalue > 1e-3


def test_rows_of_weight_0_are_in_no_part() -> None:
    weight = ONES.copy()
    weight[[3, 80, 99]] = 0
    order = subset_order(1, STRATA, weight)
    assert sorted(order) == sorted(set(range(100)) - {3, 80, 99})


def test_rows_that_stay_together_follow_one_another() -> None:
    together = np.arange(100) // 7
    order = subset_order(1, STRATA, ONES, together)
    assert sorted(order) == list(range(100))
    groups = together[order]
    assert np.count_nonzero(np.diff(groups)) == len(np.unique(groups)) - 1
    assert subset_order(2, STRATA, ONES, together).tolist() != order.tolist()
    alone = subset_order(1, STRATA, ONES, np.arange(100))
    np.testing.assert_array_equal(alone, subset_order(1, STRATA, ONES))
