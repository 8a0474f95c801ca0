"""N4 and N5: output functions and losses against formulas, scikit-learn and worked numbers."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit
from scipy.special import softmax as scipy_softmax
from sklearn.metrics import log_loss, mean_squared_error

from deepwell.networks._losses import (
    LOSSES,
    hardmax,
    logistic,
    logistic_rows,
    softmax,
    softmax_rows,
)

RNG = np.random.default_rng(11)
LOGITS = RNG.normal(0, 4, (60, 5))
CLASSES = RNG.integers(0, 5, 60)
EXTREME = np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4], [1e4, 1e4, -1e4]])
BINARY = np.concatenate([RNG.normal(0, 5, 60), [0.0, 1e4, -1e4, 800.0, -800.0]])[:, None]


def gradient(loss: str, outputs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the gradient of the sum of the rows' losses at the outputs, float64."""
    with jax.enable_x64(True):
        rows = LOSSES[loss].rows
        slope = jax.jit(jax.grad(lambda z, labels: rows(z, labels, jnp).sum()))
        return np.asarray(slope(outputs, y))


@pytest.mark.proves("N4", "formula")
def test_softmax_worked_numbers() -> None:
    got = softmax(np.array([[5.0, 2.0, -1.0, 3.0]]), np)
    assert got.round(3).tolist() == [[0.842, 0.042, 0.002, 0.114]]


@pytest.mark.proves("N4", "independent")
def test_softmax_is_scipys_and_sums_to_one() -> None:
    got = softmax(LOGITS, np)
    np.testing.assert_allclose(got, scipy_softmax(LOGITS, axis=1), rtol=1e-13)
    np.testing.assert_allclose(got.sum(axis=1), 1, rtol=1e-14)


@pytest.mark.proves("N4", "formula")
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_softmax_is_stable_at_ten_thousand(kind: type) -> None:
    right = np.array([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 0]])
    z = EXTREME.astype(kind)
    np.testing.assert_allclose(softmax(z, np), right, rtol=1e-6)
    with jax.enable_x64(kind is np.float64):
        got = jax.jit(lambda v: softmax(v, jnp))(z)
    np.testing.assert_allclose(got, right, rtol=1e-6)


@pytest.mark.proves("N4", "formula", "gradient")
def test_softmax_jacobian() -> None:
    z, h = np.array([0.5, -1.0, 2.0, 0.1]), 1e-6
    a = softmax(z, np)
    differences = np.stack(
        [(softmax(z + h * e, np) - softmax(z - h * e, np)) / (2 * h) for e in np.eye(4)], axis=1
    )
    formula = np.diag(a) - np.outer(a, a)  # a_j (delta_jk - a_k)
    np.testing.assert_allclose(differences, formula, atol=1e-9)
    with jax.enable_x64(True):
        exact = jax.jit(jax.jacobian(lambda v: softmax(v, jnp)))(z)
    np.testing.assert_allclose(exact, formula, rtol=1e-12)


@pytest.mark.proves("N4", "N11", "formula")
def test_two_classes_are_logistic_regression() -> None:
    z = np.concatenate([np.linspace(-700, 700, 141), [0.0, 1e4, -1e4]])[:, None]
    pair = np.hstack([np.zeros_like(z), z])
    np.testing.assert_allclose(logistic(z, np), softmax(pair, np), rtol=1e-13)
    for y in (0, 1):
        labels = np.full(len(z), y)
        np.testing.assert_allclose(
            logistic_rows(z, labels, np), softmax_rows(pair, labels, np), rtol=1e-13, atol=1e-15
        )


def test_probabilities_of_one_logit() -> None:
    got = logistic(BINARY, np)
    np.testing.assert_allclose(got[:, 1], expit(BINARY[:, 0]), rtol=1e-14)
    np.testing.assert_allclose(got[:, 0], expit(-BINARY[:, 0]), rtol=1e-14)
    assert logistic(np.zeros((1, 1)), np).tolist() == [[0.5, 0.5]]


def test_small_probabilities_keep_their_digits_in_float32() -> None:
    z = np.array([[-50.0], [-20.0], [20.0]])
    z32 = z.astype(np.float32)
    for got in (logistic(z32, np), jax.jit(lambda v: logistic(v, jnp))(z32)):
        np.testing.assert_allclose(got, np.hstack([expit(-z), expit(z)]), rtol=1e-6)


@pytest.mark.proves("N5", "formula")
def test_cross_entropy_worked_number() -> None:
    yhat = np.array([[0.3, 0.2, 0.1, 0.4]])
    assert softmax_rows(np.log(yhat), np.array([1]), np)[0] == pytest.approx(1.609, abs=5e-4)


@pytest.mark.proves("N5", "independent")
def test_cross_entropy_is_scikit_learns() -> None:
    rows = softmax_rows(LOGITS, CLASSES, np)
    assert rows.shape == (60,)
    right = log_loss(CLASSES, scipy_softmax(LOGITS, axis=1), labels=range(5))
    assert rows.mean() == pytest.approx(right, rel=1e-12)
    weight = RNG.uniform(0.1, 3, 60)
    weighted = log_loss(
        CLASSES, scipy_softmax(LOGITS, axis=1), labels=range(5), sample_weight=weight
    )
    assert (rows * weight).sum() / weight.sum() == pytest.approx(weighted, rel=1e-12)


@pytest.mark.proves("N5", "independent")
def test_binary_cross_entropy_is_scikit_learns() -> None:
    z, y = BINARY[:60], RNG.integers(0, 2, 60)
    got = logistic_rows(z, y, np).mean()
    assert got == pytest.approx(log_loss(y, expit(z[:, 0])), rel=1e-10)


@pytest.mark.proves("N5", "independent")
def test_squared_error_is_scikit_learns() -> None:
    z, y = RNG.normal(size=(40, 1)), RNG.normal(size=40)
    loss = LOSSES["squared"]
    assert loss.rows(z, y, np).mean() == pytest.approx(mean_squared_error(y, z[:, 0]), rel=1e-13)
    assert loss.rows(np.array([[3.0]]), np.array([1.0]), np).tolist() == [4.0]
    np.testing.assert_array_equal(loss.predict(z, np), z[:, 0])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_losses_are_exact_at_ten_thousand(kind: type) -> None:
    soft = softmax_rows(EXTREME.astype(kind), np.array([1, 2, 0]), np)
    np.testing.assert_allclose(soft, [2e4, np.log(3), np.log(2)], rtol=1e-6)
    z = np.array([[1e4], [1e4], [-1e4], [-1e4]], kind)
    binary = logistic_rows(z, np.array([0, 1, 0, 1], kind), np)
    assert binary.tolist() == [1e4, 0.0, 0.0, 1e4]


@pytest.mark.parametrize("name", LOSSES)
def test_jax_equals_numpy(name: str) -> None:
    outputs = LOGITS if name == "softmax" else BINARY
    outputs = np.vstack([outputs, EXTREME @ np.eye(3, 5)]) if name == "softmax" else outputs
    y = np.arange(len(outputs)) % (5 if name == "softmax" else 2)
    with jax.enable_x64(True):
        rows = jax.jit(lambda z, labels: LOSSES[name].rows(z, labels, jnp))(outputs, y)
        said = jax.jit(lambda z: LOSSES[name].predict(z, jnp))(outputs)
    right = LOSSES[name].rows(outputs, y, np)
    np.testing.assert_allclose(rows, right, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(said, LOSSES[name].predict(outputs, np), rtol=1e-12, atol=1e-300)


@pytest.mark.proves("N5", "formula")
def test_gradient_at_the_logits_is_the_difference() -> None:
    tied = np.vstack([LOGITS, np.zeros((2, 5)), np.tile([1e4, 1e4, -1e4, 0, 0], (2, 1))])
    y = np.concatenate([CLASSES, [0, 4, 0, 2]])
    right = scipy_softmax(tied, axis=1) - np.eye(5)[y]
    np.testing.assert_allclose(gradient("softmax", tied, y), right, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_gradient_at_one_logit_is_the_difference(label: float) -> None:
    y = np.full(len(BINARY), label)
    np.testing.assert_allclose(
        gradient("logistic", BINARY, y)[:, 0], expit(BINARY[:, 0]) - y, rtol=1e-12, atol=1e-15
    )


def test_gradient_of_the_squared_error() -> None:
    z, y = RNG.normal(size=(8, 1)), RNG.normal(size=8)
    np.testing.assert_allclose(gradient("squared", z, y)[:, 0], 2 * (z[:, 0] - y), rtol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_slope_is_the_gradient_of_the_rows(name: str) -> None:
    outputs = LOGITS if name == "softmax" else BINARY
    y = CLASSES if name == "softmax" else RNG.integers(0, 2, len(BINARY)).astype(float)
    right = gradient(name, outputs, y)
    np.testing.assert_allclose(LOSSES[name].slope(outputs, y, np), right, rtol=1e-12, atol=1e-15)
    with jax.enable_x64(True):
        said = jax.jit(lambda z, labels: LOSSES[name].slope(z, labels, jnp))(outputs, y)
    np.testing.assert_allclose(said, right, rtol=1e-12, atol=1e-15)


@pytest.mark.proves("N4", "formula")
def test_hardmax_worked_numbers() -> None:
    assert hardmax(np.array([[0.3, 0.2, 0.1, 0.4]]), np).tolist() == [[0, 0, 0, 1]]
    assert hardmax(np.array([[2.0, 2.0, 1.0]]), np).tolist() == [[1, 0, 0]]


@pytest.mark.proves("N5", "formula", "independent")
@pytest.mark.parametrize("smoothing", [0.1, 0.9])
def test_label_smoothing_is_cross_entropy_against_mixed_labels(smoothing: float) -> None:
    mixed = (1 - smoothing) * np.eye(5)[CLASSES] + smoothing / 5
    right = -(mixed * np.log(scipy_softmax(LOGITS, axis=1))).sum(axis=1)
    got = LOSSES["softmax"].rows(LOGITS, CLASSES, np, smoothing)
    np.testing.assert_allclose(got, right, rtol=1e-12)
    slope = LOSSES["softmax"].slope(LOGITS, CLASSES, np, smoothing)
    np.testing.assert_allclose(slope, scipy_softmax(LOGITS, axis=1) - mixed, atol=1e-14)


@pytest.mark.proves("N5", "formula")
def test_smoothing_two_classes_is_the_same_from_one_logit_as_from_two() -> None:
    z, y = RNG.normal(0, 3, (40, 1)), RNG.integers(0, 2, 40)
    pair = np.hstack([np.zeros_like(z), z])
    one, two = (LOSSES[n].rows(o, y, np, 0.2) for n, o in (("logistic", z), ("softmax", pair)))
    np.testing.assert_allclose(one, two, rtol=1e-12)
    ends = LOSSES["logistic"].slope(np.array([[0.0]]), np.array([1]), np, 0.2)
    assert ends[0, 0] == pytest.approx(0.5 - 0.9)
