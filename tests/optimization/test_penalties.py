"""R1: the L2 penalty against autodiff, weight decay and scikit-learn."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from deepwell.networks._losses import logistic_rows
from deepwell.optimization._penalties import l2, l2_penalty
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
