"""O2 and O3: exponentially weighted averages against worked numbers, their sum and pandas."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deepwell._base._errors import UsageError
from deepwell.optimization._averages import average_window, exponential_average

SERIES = np.random.default_rng(4).normal(15, 8, (200, 3))


@pytest.mark.proves("O2", "O3", "formula")
def test_worked_numbers() -> None:
    """Theta = 40, 49 with beta 0.98: raw 0.8, 1.764; corrected 40, 44.545."""
    raw = exponential_average([40.0, 49.0], 0.98)
    assert raw == pytest.approx([0.8, 1.764], rel=1e-12)
    corrected = exponential_average([40.0, 49.0], 0.98, bias_correction=True)
    assert corrected == pytest.approx([40.0, 44.545], abs=5e-4)


@pytest.mark.proves("O2", "formula")
@pytest.mark.parametrize(("beta", "window"), [(0.5, 2), (0.9, 10), (0.98, 50)])
def test_windows(beta: float, window: int) -> None:
    assert average_window(beta) == pytest.approx(window, rel=1e-12)


@pytest.mark.proves("O2", "formula")
@pytest.mark.parametrize(("beta", "steps", "left"), [(0.9, 10, 0.349), (0.98, 50, 0.364)])
def test_a_value_a_window_ago_counts_about_one_in_e(beta: float, steps: int, left: float) -> None:
    impulse = np.zeros(steps + 1)
    impulse[0] = 1.0
    averages = exponential_average(impulse, beta)
    assert averages[-1] / averages[0] == pytest.approx(left, abs=5e-4)


@pytest.mark.proves("O2", "O3", "independent")
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.98, 0.9999])
def test_averages_are_those_of_pandas(beta: float) -> None:
    """Pandas' adjusted average is the corrected one; on a series led by 0 its plain one is raw."""
    table = pd.DataFrame(SERIES)
    corrected = table.ewm(alpha=1 - beta, adjust=True).mean().to_numpy()
    np.testing.assert_allclose(
        exponential_average(SERIES, beta, bias_correction=True), corrected, rtol=1e-10
    )
    led = pd.DataFrame(np.vstack([np.zeros(3), SERIES]))
    raw = led.ewm(alpha=1 - beta, adjust=False).mean().to_numpy()[1:]
    np.testing.assert_allclose(exponential_average(SERIES, beta), raw, rtol=1e-10)


@given(
    arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e3, 1e3)),
    st.floats(0, 0.999),
)
def test_the_corrected_average_lies_within_its_values(theta: np.ndarray, beta: float) -> None:
    averages = exponential_average(theta, beta, bias_correction=True)
    slack = 1e-9 * (1 + np.abs(theta).max())
    assert np.all(averages >= np.minimum.accumulate(theta) - slack)
    assert np.all(averages <= np.maximum.accumulate(theta) + slack)
    assert averages[0] == pytest.approx(theta[0], rel=1e-9, abs=1e-9)


def test_no_values_have_no_averages() -> None:
    assert exponential_average([], 0.9).shape == (0,)


@pytest.mark.parametrize("beta", [-0.1, 1.0, 2, float("nan"), "0.9", True])
def test_a_beta_out_of_range_is_named(beta: object) -> None:
    told = r"`beta` must be in \[0, 1\), got " + re.escape(repr(beta))
    for function in (average_window, lambda b: exponential_average([1.0], b)):
        with pytest.raises(UsageError, match=told):
            function(beta)  # type: ignore[operator]


@pytest.mark.parametrize("values", [3.0, "text", None, ["a"]])
def test_what_is_no_series_is_refused(values: object) -> None:
    with pytest.raises(UsageError, match="`values` must be a series of numbers"):
        exponential_average(values, 0.9)  # type: ignore[arg-type]
