"""D9: mini-batches shuffled once an epoch and partitioned, the last one short."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from deepwell._base._hash import fold, key, permutation
from deepwell.data._batches import epoch_order, steps_per_epoch

seeds = st.integers(-(2**63), 2**64 - 1)
epochs = st.integers(1, 1_000)
rows_of_data = st.integers(1, 200)
batch_sizes = st.integers(1, 250)


@pytest.mark.proves("D9", "formula")
def test_worked_number() -> None:
    assert steps_per_epoch(5_000_000, 1_000) == 5_000


@given(rows_of_data, batch_sizes)
def test_steps_are_the_batches_it_takes(rows: int, batch: int) -> None:
    assert steps_per_epoch(rows, batch) == len(range(0, rows, batch))


@pytest.mark.proves("D9", "formula")
@given(seeds, epochs, rows_of_data, batch_sizes)
def test_each_row_comes_once_and_the_last_batch_is_filled(
    seed: int, epoch: int, rows: int, batch: int
) -> None:
    order = epoch_order(seed, epoch, rows, batch)
    size = min(batch, rows)
    assert order.dtype == np.int32
    assert order.shape == (steps_per_epoch(rows, batch), size)
    flat = order.ravel()
    assert sorted(flat[:rows]) == list(range(rows))
    assert (flat[rows:] == rows).all()  # the row of weight 0, only at the end
    assert len(flat) - rows < size


@pytest.mark.proves("D9", "O1", "formula")
@given(seeds, epochs, rows_of_data, st.integers(0, 100))
def test_batch_descent_takes_all_rows_as_they_lie(
    seed: int, epoch: int, rows: int, more: int
) -> None:
    order = epoch_order(seed, epoch, rows, rows + more)
    np.testing.assert_array_equal(order, np.arange(rows)[None])


@pytest.mark.proves("D9", "O1", "formula")
def test_stochastic_descent_takes_one_row_a_step() -> None:
    order = epoch_order(1, 1, 50, 1)
    assert order.shape == (50, 1)
    assert not np.array_equal(order[:, 0], np.arange(50))


def test_the_order_depends_on_the_seed_and_the_epoch_alone() -> None:
    orders = {(s, e): epoch_order(s, e, 64, 16) for s in (0, 1, 2**40, -1) for e in (1, 2, 3)}
    assert len({order.tobytes() for order in orders.values()}) == len(orders)
    for (seed, epoch), order in orders.items():
        np.testing.assert_array_equal(epoch_order(seed, epoch, 64, 16), order)
        wider = epoch_order(seed, epoch, 64, 20)  # the batch size cuts the same order elsewhere
        np.testing.assert_array_equal(wider.ravel()[:64], order.ravel())


def test_the_order_is_the_hashs_permutation() -> None:
    right = permutation(fold(fold(key(9), 3), 4), 100)
    np.testing.assert_array_equal(epoch_order(9, 4, 100, 30).ravel()[:100], right)


def test_every_row_comes_first_equally_often() -> None:
    """Right code fails once in a million draws."""
    first = [epoch_order(5, epoch, 10, 4)[0, 0] for epoch in range(1, 3_001)]
    assert chisquare(np.bincount(first, minlength=10)).pvalue > 1e-6


@pytest.mark.parametrize(("rows", "batch", "last"), [(70, 16, 6), (64, 16, 16), (65, 64, 1)])
def test_the_short_last_batch(rows: int, batch: int, last: int) -> None:
    order = epoch_order(3, 1, rows, batch)
    assert (order[-1] < rows).sum() == last
    assert (order[:-1] < rows).all()
