"""What a plan is expected to take, and how many networks fit a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell.execution._planner import Machine, Plan, Shape
from deepwell.records import TrialSpec
from deepwell.study._work import equivalent_work, expected_seconds, multiply_adds, round_size

SHAPE = Shape(1_000, 200, 64, 10, "softmax", "error", image=(8, 8, 1))
DENSE = {"hidden_layers": 1, "hidden_units": 16, "batch_size": 10}


def test_steps_count_and_convolutions_twice():
    dense, conv = TrialSpec(DENSE, 0), TrialSpec({**DENSE, "conv_channels": [4]}, 0)
    assert equivalent_work(dense, SHAPE, "native") == multiply_adds(dense, SHAPE) + 100 * 1.5e5
    assert equivalent_work(conv, SHAPE, "jax") == 2 * multiply_adds(conv, SHAPE) + 100 * 7.5e5


def test_a_rate_of_tiny_networks_tells_of_large_ones():
    """What was reached on networks that are all steps does not make a large fit take hours."""
    tiny = Shape(300, 60, 4, 3, "softmax", "error")
    small = TrialSpec({"hidden_layers": 1, "hidden_units": 8, "batch_size": 16}, 0)
    rate = equivalent_work(small, tiny, "jax") / (19 * 50e-6)  # 50 us a step on two cores
    large = TrialSpec({**DENSE, "hidden_units": 512}, 0)
    steps_and_products = 100 * 50e-6 + multiply_adds(large, SHAPE) / 1.5e10
    planned = Plan((), useful=1.0, executed=1.5)
    told = expected_seconds(planned, equivalent_work(large, SHAPE, "jax"), Machine(), rate)
    assert told == pytest.approx(steps_and_products, rel=0.2)


def test_without_a_rate_padding_counts():
    planned = Plan((), useful=2.0, executed=3.0)
    assert expected_seconds(planned, 1e10, Machine(), None) == pytest.approx(1.5e10 / 1.5e10)


@pytest.mark.parametrize(
    ("left", "size"), [(64.0, 8), (63.9, 7), (60.0, 7), (8.0, 1), (7.9, 0), (0.0, 0), (-20.0, 0)]
)
def test_what_fits_a_short_time_is_one_round(left, size):
    assert round_size(left, 8.0) == round_size(left, 8.0, share=0.25, done=500) == size


@given(st.floats(1e-3, 1e3), st.floats(1e-2, 20.0), st.sampled_from([0.25, 0.5]))
def test_rounds_use_a_budget_up(budget, seconds, share):
    left, done = budget, 0
    while size := round_size(left, seconds, share, done):
        left -= size * seconds
        done += size
    assert -1e-6 < left < seconds * (1 + 1e-6)
