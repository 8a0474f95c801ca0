import math

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from deepwell.search.samplers._gaussian_process import (
    LENGTH_SPREAD,
    NOISE,
    NOISE_SPREAD,
    OFFSET,
    OFFSET_SPREAD,
    Likelihood,
    Scales,
    conditioned,
    learned,
    matern,
    matern_slope,
)
from deepwell.search.samplers._warp import Warp, standardized


def drawn(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.random((n, d))
    y = np.sin(5 * x[:, 0]) + 0.5 * x[:, -1] ** 2 + 0.05 * rng.standard_normal(n)
    return x, y - y.min()


def squares(x: np.ndarray) -> np.ndarray:
    return np.stack([(c[:, None] - c[None, :]) ** 2 for c in x.T])


@pytest.mark.proves("H6", "independent")
def test_the_posterior_is_that_of_scikit_learn() -> None:
    x, y = drawn(25, 3)
    scales = Scales(np.log([0.3, 0.7, 1.9]), math.log(0.02), None)
    process = conditioned(x, y, np.arange(3), scales)
    kernel = ConstantKernel(process.sd**2, "fixed") * Matern(
        [0.3, 0.7, 1.9], "fixed", nu=2.5
    ) + WhiteKernel(0.02 * process.sd**2, "fixed")
    theirs = GaussianProcessRegressor(kernel, alpha=0.0).fit(x, y - process.mean)
    at = np.random.default_rng(1).random((40, 3))
    mean, sd = theirs.predict(at, return_std=True)
    noise_free = np.sqrt(sd**2 - 0.02 * process.sd**2)  # scikit-learn's is of a new noisy score
    ours = process.predict(at)
    np.testing.assert_allclose(ours[0], mean + process.mean, rtol=1e-7)
    np.testing.assert_allclose(ours[1], noise_free, rtol=1e-6)


def test_mean_and_variance_of_the_signal_are_the_most_likely_ones() -> None:
    x, y = drawn(12, 2)
    scales = Scales(np.log([0.4, 0.8]), math.log(0.05), -0.5)
    process = conditioned(x, y, np.arange(2), scales)
    z = Warp(-0.5).forward(y)
    r = matern(squares(x / [0.4, 0.8]).sum(axis=0)) + (0.05 + 1e-10) * np.eye(12)

    def unlikely(at: np.ndarray) -> float:
        return -stats.multivariate_normal(np.full(12, at[0]), math.exp(at[1]) * r).logpdf(z)

    best = optimize.minimize(unlikely, [0.0, 0.0], method="Nelder-Mead", tol=1e-10).x
    assert process.mean == pytest.approx(best[0], abs=1e-4)
    assert process.sd == pytest.approx(math.exp(best[1] / 2), abs=1e-4)


@pytest.mark.parametrize("warping", [False, True])
def test_the_likelihood_is_the_normal_density_of_the_warped_scores(warping: bool) -> None:
    x, y = drawn(9, 2)
    differences = []
    for theta in ([-1.0, 0.5, -3.0, 0.4], [0.3, -0.7, -5.0, -1.5]):
        at = np.array(theta if warping else theta[:3])
        offset = theta[3] if warping else None
        scales = Scales(at[:2], theta[2], offset)
        process = conditioned(x, y, np.arange(2), scales)
        covariance = process.sd**2 * process.factor @ process.factor.T
        log_density = stats.multivariate_normal(np.full(9, process.mean), covariance).logpdf(
            Warp(offset).forward(y)
        )
        if offset is not None:
            log_density -= np.log(y + math.exp(offset)).sum()
        prior = stats.norm(math.log(0.2 * math.sqrt(2)), LENGTH_SPREAD).logpdf(at[:2]).sum()
        prior += stats.norm(NOISE, NOISE_SPREAD).logpdf(theta[2])
        prior += stats.norm(OFFSET, OFFSET_SPREAD).logpdf(theta[3]) if warping else 0.0
        value, _ = Likelihood(squares(x), y, warping)(at)
        differences.append(value + log_density + prior)
    assert differences[0] == pytest.approx(differences[1], abs=1e-8)


@pytest.mark.proves("H6", "gradient")
@pytest.mark.parametrize(("d", "warping"), [(1, True), (3, False), (20, True)])
def test_the_gradient_of_the_likelihood_is_its_slope(d: int, warping: bool) -> None:
    x, y = drawn(15, d)
    likelihood = Likelihood(squares(x), y, warping)
    theta = np.random.default_rng(2).normal(-0.5, 0.4, d + 1 + warping)
    _, gradient = likelihood(theta)
    for k in range(len(theta)):
        step = np.zeros(len(theta))
        step[k] = 1e-5
        slope = (likelihood(theta + step)[0] - likelihood(theta - step)[0]) / 2e-5
        assert gradient[k] == pytest.approx(slope, rel=1e-6, abs=1e-6)


def test_the_slope_of_the_kernel() -> None:
    at = np.array([1e-8, 0.01, 0.5, 3.0, 20.0])
    slope = (matern(at * (1 + 1e-6)) - matern(at * (1 - 1e-6))) / (2e-6 * at)
    np.testing.assert_allclose(matern_slope(at)[1:], slope[1:], rtol=1e-6)
    assert matern_slope(np.zeros(1))[0] == pytest.approx(-5 / 6)


def test_what_does_not_matter_gets_a_long_scale_and_noise_is_found() -> None:
    rng = np.random.default_rng(3)
    x = rng.random((80, 2))
    signal = np.sin(9 * x[:, 0])
    quiet = learned(x, signal - signal.min(), np.arange(2), 40, warping=False)
    assert quiet.lengths[1] > quiet.lengths[0] + 2
    noisy = signal + 0.3 * rng.standard_normal(80)
    loud = learned(x, noisy - noisy.min(), np.arange(2), 40, warping=False)
    process = conditioned(x, noisy - noisy.min(), np.arange(2), loud)
    assert 0.2 < process.sd * math.sqrt(process.noise) < 0.4
    assert quiet.noise < loud.noise - 4


def test_scores_over_decades_are_warped_and_even_ones_are_not() -> None:
    x = np.random.default_rng(4).random((30, 1))
    decades = 10.0 ** (6 * x[:, 0])
    even = 3.0 + x[:, 0] + 0.1 * np.sin(9 * x[:, 0])
    offsets = []
    for y in (decades, even):
        scores, _ = standardized(y)
        offsets.append(learned(x, scores, np.zeros(1, int), 40).offset)
    assert offsets[0] < 0 < offsets[1]


@pytest.mark.parametrize("scores", [[0.0], [0.0, 0.0, 0.0]])
def test_one_score_or_equal_scores_leave_the_prior(scores: list[float]) -> None:
    x = np.linspace(0.1, 0.9, len(scores))[:, None]
    scales = learned(x, np.array(scores), np.zeros(1, int), 30)
    process = conditioned(x, np.array(scores), np.zeros(1, int), scales)
    mean, sd = process.predict(np.array([[0.1], [0.5], [1.0]]))
    np.testing.assert_allclose(mean, 0.0, atol=1e-12)
    assert sd[2] > sd[0]
    assert np.isfinite(sd).all()


def test_the_same_point_tried_twice_is_no_trouble() -> None:
    x = np.repeat(np.random.default_rng(5).random((6, 2)), 3, axis=0)
    y = np.repeat(np.arange(6.0), 3)
    process = conditioned(x, y, np.arange(2), Scales(np.zeros(2), math.log(1e-8), None))
    np.testing.assert_allclose(process.predict(x)[0], y, atol=1e-2)


def test_infinite_scores_count_as_the_worst_known_one() -> None:
    scores, units = standardized(np.array([1.0, np.inf, 3.0, 2.0, -np.inf]))
    assert units.low == 1.0
    assert scores[1] == scores[2] == scores.max()
    assert scores[0] == 0.0
    nothing, _ = standardized(np.array([np.inf, np.inf]))
    assert not nothing.any()


def test_the_warp_comes_back() -> None:
    y = np.array([0.0, 1e-9, 0.3, 1e4, 1e12])
    for offset in (None, -7.0, 0.0, 7.0):
        warp = Warp(offset)
        np.testing.assert_allclose(warp.back(warp.forward(y)), y, rtol=1e-9, atol=1e-12)
