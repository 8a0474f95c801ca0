"""N2: initial weights against their distributions, with stated error rates.

A check at `SIGMAS` = 5 standard errors fails for right code once in 1.7 million draws.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import kstest, norm

from deepwell._base._hash import fold, key, words
from deepwell._base._hyperparameters import INITIALIZERS as DECLARED
from deepwell.networks._architecture import Architecture
from deepwell.networks._exact_statistics import with_exact_statistics
from deepwell.networks._forward import activations, forward
from deepwell.networks._initializers import (
    INITIALIZERS,
    initial_parameters,
    initial_statistics,
    standard_deviation,
)

SIGMAS = 5.0
WIDE = Architecture(400, (500, 300), 10)
RANDOM = [name for name in INITIALIZERS if name not in ("zeros", "identity")]
FORMULAS = {
    "zeros": lambda n_in, n_out: 0.0,
    "large": lambda n_in, n_out: 10.0,
    "small": lambda n_in, n_out: 0.01,
    "lecun": lambda n_in, n_out: (1 / n_in) ** 0.5,
    "glorot": lambda n_in, n_out: (2 / (n_in + n_out)) ** 0.5,
    "he": lambda n_in, n_out: (2 / n_in) ** 0.5,
}


def weights(initializer: str, architecture: Architecture = WIDE, seed: int = 1) -> list[np.ndarray]:
    drawn = initial_parameters(architecture, initializer, seed, "float64")
    return [drawn[f"weights/{layer}"] for layer in range(architecture.layers)]


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


@pytest.mark.proves("N2", "formula")
@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize(("n_in", "n_out"), [(5, 1), (100, 30), (1, 1), (784, 256)])
def test_standard_deviations_follow_the_formulas(name: str, n_in: int, n_out: int) -> None:
    right = FORMULAS[name](n_in, n_out)
    assert standard_deviation(name, n_in, n_out) == pytest.approx(right, rel=1e-15)


@pytest.mark.proves("N2", "formula")
def test_worked_numbers() -> None:
    assert standard_deviation("he", 5, 8) == pytest.approx(0.632, abs=5e-4)
    assert standard_deviation("he", 100, 8) == pytest.approx(0.141, abs=5e-4)


def test_the_declared_choices_are_these() -> None:
    assert set(INITIALIZERS) == set(DECLARED) - {"auto"}


@pytest.mark.proves("N2", "formula")
@pytest.mark.parametrize("name", RANDOM)
def test_weights_are_normal_with_the_stated_spread(name: str) -> None:
    for layer, w in enumerate(weights(name)):
        n_in, n_out = WIDE.layer_shapes()[layer]
        assert w.shape == (n_in, n_out)
        std = FORMULAS[name](n_in, n_out)
        assert abs(w.std() / std - 1) < SIGMAS / np.sqrt(2 * w.size)
        assert abs(w.mean()) < SIGMAS * std / np.sqrt(w.size)
        assert kstest(w.ravel() / std, "norm").pvalue > 1e-6


def test_neighbors_layers_and_seeds_are_independent() -> None:
    first, second, _ = weights("small")
    for a, b in [
        (first[:, 1:], first[:, :-1]),
        (first[1:], first[:-1]),
        (first[1:, 1:], first[:-1, :-1]),
        (first[:, :300], second[:400]),
        (first, weights("small", seed=2)[0]),
        (first, weights("small", seed=1 + 2**32)[0]),
        (first**2, weights("small", seed=2)[0] ** 2),
    ]:
        assert abs(correlation(a, b)) < SIGMAS / np.sqrt(a.size)


def test_zeros_are_zeros_and_so_are_all_biases() -> None:
    for name, dtype in itertools.product(INITIALIZERS, ("float32", "float64")):
        drawn = initial_parameters(Architecture(3, (4, 5), 2), name, 7, dtype)
        assert list(drawn) == [
            f"{kind}/{layer}" for layer in range(3) for kind in ("weights", "biases")
        ]
        assert {p.dtype for p in drawn.values()} == {np.dtype(dtype)}
        assert [drawn[f"biases/{layer}"].tolist() for layer in range(3)] == [
            [0.0] * n for n in (4, 5, 2)
        ]
        assert all(w.any() == (name != "zeros") for k, w in drawn.items() if k.startswith("w"))


@pytest.mark.proves("N2", "population")
@pytest.mark.parametrize("name", ["small", "large"])
def test_a_wider_network_holds_the_same_numbers_in_its_corner(name: str) -> None:
    narrow = weights(name, Architecture(7, (5, 6), 2))
    wide = weights(name, Architecture(11, (9, 13), 4))
    for a, b in zip(narrow, wide, strict=True):
        np.testing.assert_array_equal(a, b[: a.shape[0], : a.shape[1]])


def test_he_and_lecun_ignore_the_width_that_follows() -> None:
    for name in ("he", "lecun"):
        (narrow, *_), (wide, *_) = (weights(name, Architecture(7, (h,), 3)) for h in (5, 12))
        np.testing.assert_array_equal(narrow, wide[:, :5])


@pytest.mark.parametrize("name", RANDOM)
def test_a_wider_network_differs_by_the_scale_alone(name: str) -> None:
    shapes = [Architecture(7, (5,), 2), Architecture(11, (9,), 4)]
    narrow, wide = (
        [w / FORMULAS[name](*w.shape) for w in weights(name, architecture)]
        for architecture in shapes
    )
    for a, b in zip(narrow, wide, strict=True):
        np.testing.assert_allclose(a, b[: a.shape[0], : a.shape[1]], rtol=1e-14)


@pytest.mark.proves("N2", "independent")
def test_each_weight_is_the_inverse_normal_of_its_word() -> None:
    for layer, w in enumerate(weights("large", Architecture(6, (5,), 3), seed=12)):
        drawn = words(fold(fold(key(12), 1), layer), w.shape).astype(np.float64)
        np.testing.assert_allclose(w, 10 * norm.ppf((drawn + 0.5) / 2**32), rtol=1e-12)


def test_float32_is_float64_rounded_once() -> None:
    double, single = (
        initial_parameters(Architecture(6, (5,), 3), "he", 4, dtype)
        for dtype in ("float64", "float32")
    )
    for name, array in single.items():
        np.testing.assert_array_equal(array, double[name].astype(np.float32))


def test_the_same_seed_gives_the_same_numbers() -> None:
    for a, b in zip(weights("he", seed=5), weights("he", seed=5), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.proves("N2", "formula")
def test_identity_is_ones_where_unit_and_input_have_the_same_number() -> None:
    drawn = initial_parameters(Architecture(3, (5, 4), 2), "identity", 1, "float64", scale=1.5)
    np.testing.assert_array_equal(drawn["weights/0"], 1.5 * np.eye(3, 5))
    np.testing.assert_array_equal(drawn["weights/1"], 1.5 * np.eye(5, 4))
    last = initial_parameters(Architecture(3, (5, 4), 2), "lecun", 1, "float64")["weights/2"]
    np.testing.assert_allclose(drawn["weights/2"], 1.5 * last, rtol=1e-15)


@pytest.mark.proves("N2", "formula")
@pytest.mark.parametrize("name", RANDOM)
def test_the_scale_multiplies_every_weight(name: str) -> None:
    network = Architecture(6, (5,), 3)
    one, other = (initial_parameters(network, name, 2, "float64", scale) for scale in (1.0, 0.25))
    for layer in range(2):
        weight = f"weights/{layer}"
        np.testing.assert_allclose(other[weight], 0.25 * one[weight], rtol=1e-15)


def test_pieces_of_a_maxout_unit_are_drawn_apart_by_the_units_fan_out() -> None:
    network = Architecture(400, (200,), 10, "maxout", pieces=3)
    w = initial_parameters(network, "glorot", 3, "float64")["weights/0"]
    assert w.shape == (400, 600)
    assert abs(w.std() / (2 / 600) ** 0.5 - 1) < SIGMAS / np.sqrt(2 * w.size)
    assert abs(correlation(w[:, ::3], w[:, 1::3])) < SIGMAS / np.sqrt(w.size / 3)


@pytest.mark.proves("N3", "formula")
@pytest.mark.parametrize("depth", [2, 5, 10, 50])
@pytest.mark.parametrize("factor", [1.5, 0.5])
def test_signals_grow_or_shrink_with_depth(factor: float, depth: int) -> None:
    """With 1.5 I in the L - 1 hidden linear layers the output grows as 1.5^(L-1)."""
    network = Architecture(2, (2,) * (depth - 1), 2, "identity")
    p = initial_parameters(network, "identity", 1, "float64", scale=factor)
    p[f"weights/{depth - 1}"] = np.eye(2)
    x = np.array([[3.0, -1.0]])
    np.testing.assert_allclose(forward(network, p, x), x * factor ** (depth - 1), rtol=1e-12)


@pytest.mark.proves("N3", "independent")
def test_initialization_normalization_and_residual_connections_keep_the_signal() -> None:
    """Twenty tanh layers: what is left of the spread of 200 rows in the last hidden layer."""
    x = np.random.default_rng(4).normal(size=(200, 32))

    def spread(initializer: str, **options) -> float:
        network = Architecture(32, (32,) * 20, 1, "tanh", **options)
        p = initial_parameters(network, initializer, 5, "float64")
        p |= initial_statistics(network, "float64")
        p = with_exact_statistics(network, p, x, np.ones(200))
        return float(activations(network, p, x, 20).std())

    assert spread("small") < 1e-20
    assert 0.1 < spread("lecun") < 1
    assert 0.1 < spread("small", batch_norm="before") < 1
    assert 0.01 < spread("small", residual=1) < 1
