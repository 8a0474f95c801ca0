from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell.records import Estimate
from deepwell.report._figures import count, difference, duration, figure, interval


@pytest.mark.parametrize(
    ("value", "percent", "shown"),
    [
        (0.1864, True, "18.6 %"),
        (0.0, True, "0.0 %"),
        (0.0004, True, "0.040 %"),
        (1.0, True, "100.0 %"),
        (53.7261, False, "53.73"),
        (0.012345, False, "0.01235"),
        (0.0, False, "0.000"),
        (123456.7, False, "123,457"),
        (3.2e-9, False, "3.2e-09"),
        (math.nan, True, "unknown"),
        (math.inf, False, "unknown"),
    ],
)
def test_figures(value: float, percent: bool, shown: str) -> None:
    assert figure(value, percent) == shown


@pytest.mark.parametrize(
    ("estimate", "percent", "shown"),
    [
        (Estimate(0.1864, 0.167, 0.2072), True, "18.6 % [16.7, 20.7]"),
        (Estimate(0.0, 0.0, 0.0106), True, "0.0 % [0.0, 1.1]"),
        (Estimate(53.7261, 48.55, 58.731), False, "53.73 [48.55, 58.73]"),
        (Estimate(9.9, 8.2, 11.3), False, "9.90 [8.20, 11.30]"),
        (Estimate(0.1, math.nan, math.nan), True, "10.0 % [?, ?]"),
        (Estimate(math.nan, math.nan, math.nan), True, "unknown"),
        (Estimate(2e9, 1e9, 3e9), False, "2e+09 [1e+09, 3e+09]"),
    ],
)
def test_intervals(estimate: Estimate, percent: bool, shown: str) -> None:
    assert interval(estimate, percent) == shown


@pytest.mark.parametrize(
    ("estimate", "percent", "shown"),
    [
        (Estimate(-0.012, -0.024, 0.001), True, "-1.2 [-2.4, 0.1]"),
        (Estimate(0.012, 0.002, 0.02), True, "+1.2 [0.2, 2.0]"),
        (Estimate(-0.0001, -0.01, 0.01), True, "0.0 [-1.0, 1.0]"),
        (Estimate(0.0001, -0.01, 0.01), True, "0.0 [-1.0, 1.0]"),
        (Estimate(0.4, -1.25, 2.0), False, "+0.400 [-1.250, 2.000]"),
    ],
)
def test_differences_carry_their_sign(estimate: Estimate, percent: bool, shown: str) -> None:
    assert difference(estimate, percent) == shown


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_shown_ends_are_the_ends_rounded(a: float, b: float, c: float, percent: bool) -> None:
    low, value, high = sorted((a, b, c))
    shown = interval(Estimate(value, low, high), percent)
    numbers = [float(n) for n in re.findall(r"-?[\d.]+(?:e-?\d+)?", shown)]
    factor = 100 if percent else 1
    for number, true in zip(numbers, (value, low, high), strict=True):
        assert number == pytest.approx(true * factor, rel=6e-3, abs=0.0501 if percent else 5.01e-4)
    assert "-0.0" not in shown


def test_counts_and_durations() -> None:
    assert count(0, "row") == "0 rows"
    assert count(1, "class", "classes") == "1 class"
    assert count(2, "class", "classes") == "2 classes"
    assert [duration(s) for s in (-1, 0.34, 9.2, 59.6, 131, 2887, 3905, math.inf)] == [
        "0.0 s",
        "0.3 s",
        "9 s",
        "1 min",
        "2 min 11 s",
        "48 min",
        "1 h 5 min",
        "an unknown time",
    ]
