"""R5: gradient noise is standard normal by SciPy, of the variance of the formula."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from deepwell._base._hash import key, words
from deepwell.optimization._gradient_noise import noise_deviation, normal_of

DRAWN = words(key(4), (400, 500))


@pytest.mark.proves("R5", "independent")
@pytest.mark.parametrize(("kind", "tolerance"), [(np.float32, 1e-6), (np.float64, 4e-7)])
def test_a_word_goes_to_the_quantile_of_its_uniform_number(kind: type, tolerance: float) -> None:
    got = normal_of(DRAWN, kind, np)
    assert got.dtype == kind
    uniform = ((DRAWN >> 9) + 0.5) * 2.0**-23
    np.testing.assert_allclose(got, special.ndtri(uniform), rtol=tolerance)


def test_the_draws_are_normal() -> None:
    drawn = normal_of(DRAWN, np.float64, np).ravel()
    assert stats.kstest(drawn, "norm").pvalue > 1e-3
    assert abs(drawn.mean()) < 4 / np.sqrt(drawn.size)
    assert drawn.var() == pytest.approx(1, abs=4 * np.sqrt(2 / drawn.size))


def test_the_outermost_words_are_finite() -> None:
    ends = normal_of(np.array([0, 2**32 - 1], np.uint32), np.float32, np)
    np.testing.assert_allclose(ends, [-5.2947044, 5.2947044], rtol=1e-6)


@pytest.mark.proves("R5", "formula")
def test_the_variance_falls_with_the_step() -> None:
    variance = [noise_deviation(0.3, step, np) ** 2 for step in (1, 100, 10_000)]
    np.testing.assert_allclose(variance, 0.3 / np.array([1, 100, 10_000]) ** 0.55, rtol=1e-12)
