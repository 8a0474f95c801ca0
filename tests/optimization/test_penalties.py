"""R1, R2, R5: penalties against autodiff, weight decay and scikit-learn; max-norm."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from deepwell.networks._losses import logistic_rows
from deepwell.optimization._max_norm import within_norm
from deepwell.optimization._penalties import (
    l1,
    l1_penalty,
    l1_slope,
    l2,
    l2_penalty,
    weight_sparsity,
)
from deepwell.optimization._registry import OPTIMIZERS

RNG = np.random.default_rng(6)
WEIGHTS = [RNG.normal(size=shape) for shape in [(4, 3), (3, 2)]]


def test_the_penalty_is_half_the_squared_frobenius_norm() -> None:
    right = 0.5 * 0.3 * sum(np.linalg.norm(w, "fro") ** 2 for w in WEIGHTS)
    assert l2_penalty(WEIGHTS, 0.3) == pytest.approx(right, rel=1e-14)
    assert l2_penalty([], 0.3) == 0.0


@pytest.mark.proves("R1", "formula")
def test_the_courses_form() -> None:
    """With lambda 0.7 and 100 rows: 0.7 / 200 times the squared norms."""
    right = 0.7 / 200 * sum((w**2).sum() for w in WEIGHTS)
    assert l2_penalty(WEIGHTS, l2(0.7, 100)) == pytest.approx(right, rel=1e-14)


def test_its_gradient_is_l2_times_the_weights() -> None:
    with jax.enable_x64(True):
        gradients = jax.jit(jax.grad(l2_penalty))(WEIGHTS, 0.3)
    for gradient, w in zip(gradients, WEIGHTS, strict=True):
        np.testing.assert_allclose(gradient, 0.3 * w, rtol=1e-14)


@pytest.mark.proves("R1", "formula")
def test_plain_descent_with_l2_is_weight_decay() -> None:
    alpha, lam, m = 0.1, 5.0, 200
    penalized, decayed = WEIGHTS[0].copy(), WEIGHTS[0].copy()
    for t, g in enumerate(RNG.normal(size=(50, 4, 3)), 1):
        gradient = g + l2(lam, m) * penalized
        change, _ = OPTIMIZERS["sgd"].change(gradient, (), {"learning_rate": alpha}, t, np)
        penalized = penalized + change
        decayed = (1 - alpha * lam / m) * decayed - alpha * g
    np.testing.assert_allclose(penalized, decayed, rtol=1e-12)


@pytest.mark.proves("R1", "N11", "independent")
def test_penalized_logistic_regression_has_scikit_learns_minimum() -> None:
    """The gradient of `mean loss + penalty` is 0 where scikit-learn's solution lies."""
    lam, m = 2.0, 80
    x = RNG.normal(size=(m, 4))
    y = (x[:, 0] + RNG.normal(size=m) > 0).astype(float)
    peer = LogisticRegression(C=1 / lam, tol=1e-12, max_iter=10_000).fit(x, y)

    def cost(w, b):
        rows = logistic_rows(x @ w + b, y, jnp)
        return rows.mean() + l2_penalty([w], l2(lam, m))

    with jax.enable_x64(True):
        gradients = jax.jit(jax.grad(cost, argnums=(0, 1)))(peer.coef_.T, peer.intercept_)
    for gradient in gradients:
        np.testing.assert_allclose(gradient, 0, atol=1e-7)


@pytest.mark.proves("R2", "formula")
def test_the_l1_penalty_is_the_sum_of_sizes_in_the_courses_form() -> None:
    """With lambda 0.7 and 100 rows: 0.7 / 100 times the sum of sizes."""
    right = 0.7 / 100 * sum(np.abs(w).sum() for w in WEIGHTS)
    assert l1_penalty(WEIGHTS, l1(0.7, 100)) == pytest.approx(right, rel=1e-14)
    assert l1_penalty([], 0.3) == 0.0


@pytest.mark.proves("R2", "formula")
def test_its_subgradient_is_the_sign_and_0_at_0() -> None:
    with jax.enable_x64(True):
        gradients = jax.jit(jax.grad(l1_penalty))(WEIGHTS, 0.3)
    for gradient, w in zip(gradients, WEIGHTS, strict=True):
        np.testing.assert_allclose(gradient, l1_slope(w, 0.3, np), rtol=1e-14)
    np.testing.assert_array_equal(l1_slope(np.array([0.0, -2.0]), 0.3, np), [0.0, -0.3])


@pytest.mark.proves("R2", "independent")
def test_l1_penalized_logistic_regression_has_scikit_learns_minimum_and_its_zeros() -> None:
    """Descent with the subgradient and a falling rate ends where scikit-learn's solution lies."""
    lam, m = 8.0, 80
    x = RNG.normal(size=(m, 6))
    y = (x[:, 0] + RNG.normal(size=m) > 0).astype(float)
    peer = LogisticRegression(l1_ratio=1.0, solver="saga", C=1 / lam, tol=1e-10, max_iter=100_000)
    peer.fit(x, y)
    w, b = np.zeros(6), 0.0
    for t in range(20_000):
        off = (1 / (1 + np.exp(-(x @ w + b))) - y) / m
        rate = 1.0 / (1 + t / 10)
        w, b = w - rate * (x.T @ off + l1_slope(w, l1(lam, m), np)), b - rate * off.sum()
    np.testing.assert_allclose(w, peer.coef_[0], atol=2e-3)
    assert (np.abs(w[peer.coef_[0] == 0]) < 1e-3).all()
    assert (peer.coef_[0] == 0).any()


def test_sparsity_is_the_share_below_a_millionth() -> None:
    weights = [np.array([[1e-7, -1e-7, 1.0]]), np.array([[0.0], [1e-6]])]
    assert weight_sparsity(weights) == pytest.approx(3 / 5)
    assert weight_sparsity([]) == 0.0


@pytest.mark.proves("R5", "formula")
@pytest.mark.parametrize("limit", [0.5, 2.0, 0.0])
@pytest.mark.parametrize("shape", [(4, 3), (3, 3, 2, 3)])  # of a layer, of a convolution
def test_max_norm_scales_down_what_comes_into_a_unit_and_is_too_long(
    limit: float, shape: tuple[int, ...]
) -> None:
    w = RNG.normal(size=shape) * [0.1, 1.0, 4.0]
    got = within_norm(w, limit, np)
    assert got.shape == shape
    w, got = w.reshape(-1, 3), got.reshape(-1, 3)
    norms = np.linalg.norm(w, axis=0)
    if limit == 0:
        np.testing.assert_array_equal(got, w)
        return
    np.testing.assert_allclose(np.linalg.norm(got, axis=0), np.minimum(norms, limit), rtol=1e-14)
    np.testing.assert_allclose(got / np.linalg.norm(got, axis=0), w / norms, rtol=1e-13)
    np.testing.assert_array_equal(within_norm(np.zeros((2, 2)), limit, np), np.zeros((2, 2)))
