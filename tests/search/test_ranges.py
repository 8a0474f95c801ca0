"""Ranges made wider and narrower."""

import pytest

from deepwell.search import choice, integer, log, one_minus_log, uniform
from deepwell.search._ranges import Limits, narrowed, widened

ANY = Limits()
RATE = Limits(0, 1, high_open=True)


@pytest.mark.parametrize(
    ("range_", "upward", "limits", "wider"),
    [
        (log(1e-4, 1e-2), True, Limits(0), "log(0.0001, 0.1)"),
        (log(1e-4, 1e-2), False, Limits(0, low_open=True), "log(1e-05, 0.01)"),
        (uniform(0, 0.5), True, Limits(0, 1, high_open=True), "uniform(0, 0.75)"),
        (uniform(0, 0.8), True, Limits(0, 1, high_open=True), "uniform(0, 0.9)"),
        (uniform(0, 0.8), True, Limits(0, 1), "uniform(0, 1)"),
        (integer(1, 3), True, Limits(0, 64), "integer(1, 5)"),
        (integer(1, 3), False, Limits(0, 64), "integer(0, 3)"),
        (
            one_minus_log(0.9, 0.99),
            True,
            Limits(0, 1, high_open=True),
            "one_minus_log(0.9, 0.9968)",
        ),
    ],
)
def test_a_range_goes_half_its_length_further(range_, upward, limits, wider):
    assert widened(range_, upward, limits).describe() == wider


@pytest.mark.parametrize(
    ("range_", "upward", "limits"),
    [
        (uniform(0, 0.5), False, Limits(0)),
        (uniform(0, 1), True, Limits(0, 1)),
        (integer(1, 64), True, Limits(1, 64)),
        (choice(16, 32, 64), True, ANY),
        (choice("relu", "tanh"), True, ANY),
    ],
)
def test_an_end_that_may_not_be_passed_stays(range_, upward, limits):
    assert widened(range_, upward, limits) is None


@pytest.mark.parametrize(
    ("range_", "low", "high", "inner"),
    [
        (log(1e-4, 1), 0.25, 0.5, "log(0.001, 0.01)"),
        (uniform(0, 0.5), 0.2, 0.5, "uniform(0.1, 0.25)"),
        (integer(16, 128), 0.5, 1.0, "integer(72, 128)"),
        (one_minus_log(0.9, 0.999), 0.5, 1.0, "one_minus_log(0.99, 0.999)"),
    ],
)
def test_a_range_is_cut_to_a_part_of_it(range_, low, high, inner):
    assert narrowed(range_, low, high).describe() == inner


def test_what_was_cut_off_was_not_wanted():
    for range_ in (log(3e-4, 3e-2), uniform(-2.5, 7), one_minus_log(0.5, 0.9995)):
        for low in (0.0, 0.13, 0.4):
            part = narrowed(range_, low, 0.77)
            assert part.low <= range_.from_unit(low) + 1e-12
            assert part.high >= range_.from_unit(0.77) - 1e-12
            assert range_.low <= part.low < part.high <= range_.high


def test_the_whole_range_is_no_narrower():
    assert narrowed(log(1e-4, 1), 0.0, 1.0) is None
    assert narrowed(integer(1, 3), 0.0, 1.0) is None
    assert narrowed(choice(1, 2, 3), 0.0, 0.5) is None
