import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import StandardScaler

from deepwell.data._moments import LARGEST_SCORE, moments, normalize


def ones(rows: int) -> np.ndarray:
    return np.ones(rows)


@pytest.mark.proves("D6", "independent")
def test_moments_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    values = random.normal(5, [1, 100, 1e-3], size=(200, 3))
    values[random.random(values.shape) < 0.1] = np.nan
    weight = random.random(200)
    scaler = StandardScaler().fit(values[:, :1], sample_weight=weight)
    plain = StandardScaler().fit(values)
    mean, scale = moments(values, ones(200))
    np.testing.assert_allclose(mean, plain.mean_, rtol=1e-13)
    np.testing.assert_allclose(scale, plain.scale_, rtol=1e-12)
    mean, scale = moments(values, weight)
    np.testing.assert_allclose(mean[0], scaler.mean_[0], rtol=1e-13)
    np.testing.assert_allclose(scale[0], scaler.scale_[0], rtol=1e-12)


@pytest.mark.proves("D6", "formula")
@pytest.mark.parametrize("value", [0.1, 1e300, -1e-300, 0.0, 123456789.123])
def test_constant_columns_become_zero(value: float) -> None:
    values = np.full((7, 1), value)
    mean, scale = moments(values, ones(7))
    assert (mean[0], scale[0]) == (value, 0.0)
    np.testing.assert_array_equal(normalize(values, mean, scale), np.zeros((7, 1), np.float32))
    np.testing.assert_array_equal(normalize(values + 5, mean, scale), np.zeros((7, 1)))


def test_all_missing_columns_become_zero() -> None:
    values = np.full((3, 1), np.nan)
    mean, scale = moments(values, ones(3))
    assert (mean[0], scale[0]) == (0.0, 0.0)
    np.testing.assert_array_equal(normalize(values, mean, scale), np.zeros((3, 1)))


def test_missing_values_become_the_mean() -> None:
    values = np.array([[1.0], [np.nan], [3.0]])
    mean, scale = moments(values, ones(3))
    assert normalize(values, mean, scale)[1, 0] == 0.0


def test_large_offsets_lose_nothing() -> None:
    small = np.random.default_rng(1).normal(size=(500, 1))
    large = small + 1e9
    shifted = normalize(large, *moments(large, ones(500)))
    np.testing.assert_allclose(shifted, normalize(small, *moments(small, ones(500))), atol=1e-5)


def test_huge_and_wild_values_stay_finite() -> None:
    values = np.array([[1e200], [-1e200], [3e200]])
    mean, scale = moments(values, ones(3))
    scores = normalize(values, mean, scale)[:, 0]
    np.testing.assert_allclose(scores, [0.0, -np.sqrt(1.5), np.sqrt(1.5)], atol=1e-6)
    wild = normalize(np.array([[1e308]]), np.zeros(1), np.array([1e-5]))
    assert wild[0, 0] == np.float32(LARGEST_SCORE)


@pytest.mark.proves("D6", "formula")
@given(arrays(np.float64, st.tuples(st.integers(2, 30), st.just(2)), elements=st.floats(-1e6, 1e6)))
def test_normalized_train_rows_have_mean_0_and_deviation_1(values: np.ndarray) -> None:
    mean, scale = moments(values, ones(len(values)))
    scores = normalize(values, mean, scale).astype(np.float64)
    assert np.isfinite(scores).all()
    for j in range(2):
        spread = np.ptp(values[:, j])
        if spread == 0:
            assert (scores[:, j] == 0).all()
        elif spread > 1e-6 * np.abs(values[:, j]).max() and spread > 1e-300:
            assert abs(scores[:, j].mean()) < 1e-4
            assert scores[:, j].std() == pytest.approx(1.0, abs=1e-4)
