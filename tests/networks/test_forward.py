"""The forward pass in NumPy against JAX, and what a saved model predicts with it."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy.special import expit
from scipy.special import softmax as scipy_softmax

from deepwell.networks._activations import ACTIVATIONS
from deepwell.networks._architecture import Architecture
from deepwell.networks._forward import forward, predictions
from deepwell.networks._initializers import initial_parameters
from deepwell.networks._mlp import Pass, outputs

RNG = np.random.default_rng(3)
X = RNG.normal(size=(40, 6))


def drawn(architecture: Architecture, dtype: str = "float64") -> dict[str, np.ndarray]:
    parameters = initial_parameters(architecture, "he", 5, dtype)
    rng = np.random.default_rng(9)
    return {k: p + rng.normal(0, 0.1, p.shape).astype(dtype) for k, p in parameters.items()}


def in_jax(architecture: Architecture, parameters, x, masks=(), drop=None) -> np.ndarray:
    def run(parameters, x, slope, masks):
        through = Pass(slope, architecture.norm_epsilon, masks, drop, statistics=parameters)
        return outputs(architecture, parameters, x, through)[0]

    with jax.enable_x64(True):
        return np.asarray(jax.jit(run)(dict(parameters), x, architecture.slope, masks))


@pytest.mark.proves("N10", "independent")
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_numpy_equals_jax_in_float64(activation: str) -> None:
    architecture = Architecture(6, (8, 5), 3, activation, slope=0.2)
    parameters = drawn(architecture)
    got = forward(architecture, parameters, X)
    assert got.shape == (40, 3)
    np.testing.assert_allclose(got, in_jax(architecture, parameters, X), rtol=1e-12, atol=1e-12)


@pytest.mark.proves("N10", "formula")
def test_a_network_by_hand() -> None:
    architecture = Architecture(6, (8, 5), 3, "tanh")
    p = drawn(architecture)
    right = np.einsum("bi,io->bo", X, p["weights/0"]) + p["biases/0"]
    right = np.einsum("bi,io->bo", np.tanh(right), p["weights/1"]) + p["biases/1"]
    right = np.einsum("bi,io->bo", np.tanh(right), p["weights/2"]) + p["biases/2"]
    np.testing.assert_allclose(forward(architecture, p, X), right, rtol=1e-12)


@pytest.mark.proves("N11", "formula")
def test_no_hidden_layer_is_a_linear_model() -> None:
    architecture = Architecture(6, (), 3)
    p = drawn(architecture)
    right = X @ p["weights/0"] + p["biases/0"]
    np.testing.assert_allclose(forward(architecture, p, X), right, rtol=1e-14)
    np.testing.assert_allclose(in_jax(architecture, p, X), right, rtol=1e-14)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_masked_padding_changes_no_output(activation: str) -> None:
    small, wide = (
        Architecture(6, (5, 3), 2, activation, 0.2),
        Architecture(6, (8, 8), 2, activation, 0.2),
    )
    p = drawn(small)
    padded = {k: np.zeros_like(v) for k, v in drawn(wide).items()}
    for name, array in p.items():
        padded[name][tuple(slice(n) for n in array.shape)] = array
    masks = [(np.arange(8) < h).astype(float) for h in small.hidden]
    np.testing.assert_allclose(
        in_jax(wide, padded, X, masks), forward(small, p, X), rtol=1e-12, atol=1e-13
    )


def test_dropout_stands_on_the_rows_and_after_each_hidden_activation() -> None:
    architecture = Architecture(6, (8, 5), 3, "relu")
    p, seen = drawn(architecture), []

    def halve(layer: int, a: jax.Array) -> jax.Array:
        seen.append((layer, a.shape))
        return a / 2 if layer >= 0 else a

    got = in_jax(architecture, p, X, drop=halve)
    a = np.maximum(X @ p["weights/0"] + p["biases/0"], 0) / 2
    a = np.maximum(a @ p["weights/1"] + p["biases/1"], 0) / 2
    np.testing.assert_allclose(got, a @ p["weights/2"] + p["biases/2"], rtol=1e-12)
    assert seen == [(-1, (40, 6)), (0, (40, 8)), (1, (40, 5))]


def test_rows_are_read_in_the_parameters_type() -> None:
    architecture = Architecture(6, (8,), 3, "gelu")
    p = drawn(architecture, "float32")
    got = forward(architecture, p, X)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, forward(architecture, p, X.astype(np.float32)))


@pytest.mark.parametrize("loss", ["softmax", "logistic", "squared"])
def test_predictions_in_pieces_equal_those_in_one(loss: str) -> None:
    architecture = Architecture(6, (8,), 3 if loss == "softmax" else 1, "tanh", loss=loss)
    p = drawn(architecture)
    x = np.random.default_rng(4).normal(size=(2 * 8_192 + 17, 6))
    got, raw = predictions(architecture, p, x), forward(architecture, p, x)
    right = {
        "softmax": lambda: scipy_softmax(raw, axis=1),
        "logistic": lambda: np.hstack([expit(-raw), expit(raw)]),
        "squared": lambda: raw[:, 0],
    }[loss]()
    assert got.dtype == np.float64
    assert got.shape == right.shape
    np.testing.assert_allclose(got, right, rtol=1e-12)


@pytest.mark.parametrize(("loss", "shape"), [("softmax", (0, 3)), ("squared", (0,))])
def test_no_rows_give_no_predictions(loss: str, shape: tuple[int, ...]) -> None:
    architecture = Architecture(6, (8,), 3 if loss == "softmax" else 1, loss=loss)
    assert predictions(architecture, drawn(architecture), X[:0]).shape == shape


def test_a_diverged_network_predicts_non_finite_numbers_without_a_warning() -> None:
    architecture = Architecture(6, (8, 8), 3, "relu")
    p = {k: np.full_like(v, 1e30) for k, v in drawn(architecture, "float32").items()}
    raw = forward(architecture, p, np.abs(X))
    assert np.isinf(raw).all()
    assert np.isnan(predictions(architecture, p, np.abs(X))).all()
