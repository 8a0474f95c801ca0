import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._errors import UsageError
from deepwell.search import choice, integer, log, one_minus_log, parse_entry, uniform
from deepwell.search.spaces import Distribution, Fixed

UNITS = st.floats(0, 1)
REALS = st.floats(-1e6, 1e6, allow_subnormal=False)
POSITIVE = st.floats(1e-12, 1e12)
BELOW_ONE = st.integers(1, 10**9).map(lambda k: 1 - k / 10**9)


def pairs(ends: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[float, float]]:
    """Ends far enough apart that the distance is more than rounding."""
    both = st.tuples(ends, ends).map(lambda p: (min(p), max(p)))
    return both.filter(lambda p: p[1] - p[0] > 1e-6 * max(1, abs(p[0]), abs(p[1])))


CONTINUOUS = st.one_of(
    pairs(REALS).map(lambda p: uniform(*p)),
    pairs(POSITIVE).filter(lambda p: p[1] > 1.001 * p[0]).map(lambda p: log(*p)),
    pairs(BELOW_ONE)
    .filter(lambda p: 1 - p[0] > 1.001 * (1 - p[1]))
    .map(lambda p: one_minus_log(*p)),
)
DISCRETE = st.one_of(
    st.tuples(st.integers(-1000, 1000), st.integers(0, 1000)).map(
        lambda p: integer(p[0], p[0] + p[1])
    ),
    st.lists(st.integers(1, 99), min_size=1, max_size=9, unique=True).map(lambda v: choice(*v)),
)
ANY = st.one_of(CONTINUOUS, DISCRETE)


@given(CONTINUOUS, UNITS)
def test_real_values_survive_the_way_to_the_unit_interval_and_back(
    distribution: Distribution, unit: float
) -> None:
    value = distribution.from_unit(unit)
    back = distribution.from_unit(distribution.to_unit(value))
    low, high = distribution.low, distribution.high  # type: ignore[attr-defined]
    assert back == pytest.approx(value, rel=1e-9, abs=1e-9 * (high - low))
    assert low <= value <= high


@given(DISCRETE)
def test_discrete_values_survive_exactly_and_share_the_interval_equally(
    distribution: Distribution,
) -> None:
    count = distribution.count()
    assert count is not None
    values = [distribution.from_unit((k + 0.5) / count) for k in range(count)]
    assert len(set(values)) == count
    for place, value in enumerate(values):
        assert distribution.to_unit(value) == pytest.approx((place + 0.5) / count)
        assert distribution.from_unit(place / count + 1e-9) == value
        assert distribution.from_unit((place + 1) / count - 1e-9) == value


@given(ANY, UNITS, UNITS)
def test_the_map_is_monotone(distribution: Distribution, one: float, other: float) -> None:
    low, high = sorted((one, other))
    at_low, at_high = distribution.from_unit(low), distribution.from_unit(high)
    assert distribution.to_unit(at_low) <= distribution.to_unit(at_high)


@given(ANY)
def test_the_ends_of_the_interval_are_the_ends_of_the_range(distribution: Distribution) -> None:
    if hasattr(distribution, "low"):
        span = distribution.high - distribution.low
        close = pytest.approx(distribution.low, rel=1e-12, abs=1e-12 * span)
        assert distribution.from_unit(0.0) == close
        assert distribution.from_unit(1.0) == pytest.approx(distribution.high, rel=1e-12)
    else:
        assert distribution.from_unit(0.0) == distribution.values[0]
        assert distribution.from_unit(1.0) == distribution.values[-1]


@given(CONTINUOUS.filter(lambda d: d.low > 0))
def test_a_description_reads_back_as_the_same_range(distribution: Distribution) -> None:
    assert parse_entry(f"learning_rate={distribution.describe()}")[1] == distribution


def test_a_decade_of_log_gets_the_share_of_a_decade() -> None:
    spread = log(1e-4, 1)
    draws = [spread.from_unit(u) for u in np.linspace(0, 1, 4001)]
    for low in (1e-4, 1e-3, 1e-2, 1e-1):
        assert sum(low <= d < 10 * low for d in draws) == pytest.approx(1000, abs=1)


def test_half_of_the_weights_between_0_9_and_0_999_lie_above_0_99() -> None:
    draws = np.random.default_rng(0).random(10_000)
    above = sum(one_minus_log(0.9, 0.999).from_unit(u) > 0.99 for u in draws)
    # 6 standard deviations of 50: a right map fails once in 5e8 seeds
    assert abs(above - 5000) < 300


def test_one_minus_log_is_one_less_ten_to_a_uniform_power() -> None:
    spread = one_minus_log(0.9, 0.999)
    for unit in (0.0, 0.3, 0.7, 1.0):
        assert spread.from_unit(unit) == pytest.approx(1 - 10 ** (-1 - 2 * unit))


def test_whole_numbers_include_both_ends_equally_often() -> None:
    draws = [integer(2, 4).from_unit(u) for u in np.linspace(0, 1, 3001)]
    assert [draws.count(k) for k in (2, 3, 4)] == [1000, 1000, 1001]


def test_the_largest_whole_numbers_come_back() -> None:
    spread = integer(0, 2**51)
    for value in (0, 1, 2**50 + 1, 2**51 - 1, 2**51):
        assert spread.from_unit(spread.to_unit(value)) == value


@pytest.mark.parametrize(
    ("distribution", "text"),
    [
        (uniform(0, 0.5), "uniform(0, 0.5)"),
        (log(1e-4, 1), "log(0.0001, 1)"),
        (one_minus_log(0.9, 0.999), "one_minus_log(0.9, 0.999)"),
        (integer(16, 128), "integer(16, 128)"),
        (choice("relu", "tanh"), "choice(relu, tanh)"),
        (choice([64, 32], 128), "choice([64, 32], 128)"),
        (Fixed(0.1 + 0.2), "0.30000000000000004"),
        (Fixed((64, 32)), "[64, 32]"),
        (choice([0.1 + 0.2, 0.1], 0.2), "choice([0.30000000000000004, 0.1], 0.2)"),
    ],
)
def test_descriptions(distribution: Distribution, text: str) -> None:
    assert distribution.describe() == text


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: uniform(1, 1), "below the second"),
        (lambda: uniform(0, math.nan), "finite"),
        (lambda: uniform(0, math.inf), "finite"),
        (lambda: uniform("0", 1), "two numbers"),
        (lambda: uniform(False, 1), "two numbers"),
        (lambda: log(0, 1), "above 0"),
        (lambda: log(-1, 1), "above 0"),
        (lambda: log(10**400, 10**401), "finite"),
        (lambda: one_minus_log(0.9, 1), "below 1"),
        (lambda: one_minus_log(0.99, 0.9), "below the second"),
        (lambda: integer(3, 2), "must not exceed"),
        (lambda: integer(1.5, 2), "whole numbers"),
        (lambda: integer(True, 2), "whole numbers"),
        (lambda: integer(0, 10**400), "up to 2"),
        (lambda: log(0.01, 0.010000000000000002), "too near"),
        (lambda: one_minus_log(0, 1e-17), "too near"),
        (lambda: choice(), "at least one"),
        (lambda: choice("relu", "relu"), "twice"),
    ],
)
def test_wrong_ranges_are_refused(make, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make()


@pytest.mark.parametrize(
    ("distribution", "value"),
    [
        (uniform(0, 1), 1.5),
        (log(1e-3, 1), 1e-4),
        (one_minus_log(0.9, 0.99), 0.999),
        (integer(1, 3), 4),
        (integer(1, 3), 1.5),
        (choice(1, 2), 3),
        (Fixed(1), 2),
        (uniform(0, 1), "text"),
    ],
)
def test_values_outside_have_no_place(distribution: Distribution, value) -> None:
    with pytest.raises(UsageError, match=r"does not lie in|is not"):
        distribution.to_unit(value)


def test_numbers_from_numpy_become_plain_ones() -> None:
    assert type(integer(np.int64(1), np.int64(3)).low) is int
    assert type(choice(np.float64(0.5), np.int32(3)).values[1]) is int
    assert uniform(np.float32(0.5), np.float64(1)) == uniform(0.5, 1)
