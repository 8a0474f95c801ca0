"""Constraints: what they accept, how they say it, and that their wrong values are wrong."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._constraints import EachOf, IntegerInterval, Interval, OneOf

SHARE = Interval(0.0, 1.0, high_closed=False)
RATE = Interval(0.0, math.inf, low_closed=False)
COUNT = IntegerInterval(1, 10)
NAMES = OneOf(("relu", "tanh"))


@given(st.floats(allow_nan=False), st.booleans(), st.booleans())
def test_an_interval_accepts_what_lies_between(value: float, low: bool, high: bool) -> None:
    inside = (0 < value < 1) or (value == 0 and low) or (value == 1 and high)
    assert Interval(0.0, 1.0, low_closed=low, high_closed=high).accepts(value) == inside


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, -(10**400), True, "1"])
@pytest.mark.parametrize("interval", [SHARE, RATE])
def test_an_interval_refuses_what_is_no_finite_number(interval: Interval, value: object) -> None:
    assert not interval.accepts(value)


@given(st.integers())
def test_an_integer_interval_includes_both_ends(value: int) -> None:
    assert COUNT.accepts(value) == (1 <= value <= 10)


@pytest.mark.parametrize("value", [True, 2.0, "2", None])
def test_an_integer_interval_refuses_what_is_no_whole_number(value: object) -> None:
    assert not COUNT.accepts(value)


def test_each_of_accepts_one_or_a_list() -> None:
    each = EachOf(COUNT)
    assert all(each.accepts(value) for value in (1, [1], (1, 10)))
    assert not any(each.accepts(value) for value in (0, [], (), [1, 0], [[1]], "1"))


def test_one_of_accepts_its_names_and_hints_at_the_closest() -> None:
    assert NAMES.accepts("relu")
    assert not NAMES.accepts("Relu")
    assert NAMES.hint("tanhh") == '; did you mean "tanh"?'
    assert NAMES.hint("sigmoid") == ""


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        (SHARE, "in [0, 1)"),
        (Interval(-1.0, 1e-3, low_closed=False), "in (-1, 0.001]"),
        (RATE, "above 0"),
        (Interval(0.0, math.inf), "at least 0"),
        (IntegerInterval(1, 1_000_000), "a whole number from 1 to 1,000,000"),
        (NAMES, "one of relu, tanh"),
        (EachOf(SHARE), "in [0, 1)"),
        (EachOf(COUNT), "a whole number from 1 to 10, or a list of such, one a layer"),
    ],
)
def test_describe_says_the_range(constraint, words: str) -> None:
    assert constraint.describe() == words


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.booleans(), st.booleans())
def test_wrong_values_of_intervals_are_refused(
    low: float, width: float, low_closed: bool, high_closed: bool
) -> None:
    for high in (low + width, math.inf):
        interval = Interval(low, high, low_closed=low_closed, high_closed=high_closed)
        assert not any(interval.accepts(value) for value in interval.wrong_values())


@given(st.integers(), st.integers(0, 1000))
def test_wrong_values_of_whole_numbers_are_refused(low: int, width: int) -> None:
    for constraint in (
        IntegerInterval(low, low + width),
        EachOf(IntegerInterval(low, low + width)),
    ):
        wrong = list(constraint.wrong_values())
        assert len(wrong) >= 4
        assert not any(constraint.accepts(value) for value in wrong)
