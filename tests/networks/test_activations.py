"""N1: activations against their formulas, in NumPy and in JAX."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from deepwell._base._hyperparameters import ACTIVATIONS as DECLARED
from deepwell._base._hyperparameters import HYPERPARAMETERS
from deepwell.networks._activations import ACTIVATIONS

SLOPE = 0.3
FORMULAS = {
    "sigmoid": expit,
    "tanh": lambda z: (1 - np.exp(-2 * np.abs(z))) / (1 + np.exp(-2 * np.abs(z))) * np.sign(z),
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.maximum(SLOPE * z, z),
    "elu": lambda z: np.array([v if v >= 0 else SLOPE * (np.exp(v) - 1) for v in z]),
    "gelu": lambda z: z * norm.cdf(z),
    "silu": lambda z: z * expit(z),
    "identity": lambda z: z,
}
EXTREMES = [-1e4, -800.0, -90.0, -20.0, 0.0, 20.0, 90.0, 800.0, 1e4]
Z = np.concatenate([np.linspace(-9, 9, 361), EXTREMES])
AWAY_FROM_KINK = np.concatenate([np.linspace(-9, -0.01, 200), np.linspace(0.01, 9, 200)])


@functools.cache
def compiled(name: str):
    return jax.jit(lambda z, slope: ACTIVATIONS[name].apply(z, slope, jnp))


@functools.cache
def compiled_derivative(name: str):
    return jax.jit(jax.grad(lambda z, slope: ACTIVATIONS[name].apply(z, slope, jnp).sum()))


def in_jax(name: str, z: np.ndarray, slope: float = SLOPE) -> np.ndarray:
    kind = z.dtype.type
    with jax.enable_x64(z.dtype == np.float64):
        return np.asarray(compiled(name)(z, kind(slope)))


def derivative(name: str, z: np.ndarray) -> np.ndarray:
    with jax.enable_x64(z.dtype == np.float64):
        return np.asarray(compiled_derivative(name)(z, z.dtype.type(SLOPE)))


def test_every_activation_has_a_formula_here() -> None:
    assert {*FORMULAS, "maxout"} == set(ACTIVATIONS)  # maxout takes several z and stands below
    assert set(ACTIVATIONS) == set(DECLARED)


@pytest.mark.proves("N1", "formula", "independent")
@pytest.mark.parametrize("name", FORMULAS)
def test_numpy_follows_the_formula_to_the_extremes(name: str) -> None:
    got = ACTIVATIONS[name].apply(Z, SLOPE, np)  # warnings are errors
    assert got.dtype == np.float64
    assert np.isfinite(got).all()
    tolerance = 4e-16 * np.maximum(np.abs(Z), 1)
    assert np.all(np.abs(got - FORMULAS[name](Z)) <= tolerance + 1e-14 * np.abs(got))


@pytest.mark.parametrize("name", FORMULAS)
def test_jax_equals_numpy(name: str) -> None:
    np.testing.assert_allclose(
        in_jax(name, Z), ACTIVATIONS[name].apply(Z, SLOPE, np), rtol=1e-13, atol=1e-14
    )
    single = Z.astype(np.float32)
    both = [in_jax(name, single), ACTIVATIONS[name].apply(single, np.float32(SLOPE), np)]
    assert [one.dtype for one in both] == [np.float32, np.float32]
    assert np.isfinite(both).all()
    right = FORMULAS[name](single.astype(np.float64))
    for one in both:
        np.testing.assert_allclose(one, right, rtol=1e-6, atol=1e-6)


@pytest.mark.proves("N1", "gradient")
@pytest.mark.parametrize("name", FORMULAS)
def test_derivative_equals_central_differences(name: str) -> None:
    h = 1e-5
    high, low = (FORMULAS[name](AWAY_FROM_KINK + by) for by in (h, -h))
    np.testing.assert_allclose(
        derivative(name, AWAY_FROM_KINK), (high - low) / (2 * h), rtol=1e-8, atol=1e-9
    )


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_derivative_is_finite_and_right_far_out(name: str, kind: type) -> None:
    got = derivative(name, np.array([-1e4, 0.0, 1e4], kind))
    below = {"leaky_relu": SLOPE, "identity": 1.0}.get(name, 0.0)
    above = 0.0 if name in ("sigmoid", "tanh") else 1.0
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got[[0, 2]], [below, above], rtol=1e-6)


@pytest.mark.parametrize("name", FORMULAS)
def test_derivative_at_zero(name: str) -> None:
    """A network that starts at zero stands at 0 with every unit: no kink may halve the slope."""
    right = {"sigmoid": 0.25, "gelu": 0.5, "silu": 0.5, "relu": 0.0}
    right |= {"leaky_relu": SLOPE, "elu": SLOPE}
    assert derivative(name, np.zeros(1))[0] == right.get(name, 1.0)


@pytest.mark.parametrize("name", FORMULAS)
def test_the_flag_says_whether_zero_stays_zero(name: str) -> None:
    zero = np.zeros(1, np.float32)
    for slope in (0.0, 0.01, 1.0, 3.0):
        stays = ACTIVATIONS[name].apply(zero, np.float32(slope), np)[0] == 0.0
        assert stays == ACTIVATIONS[name].zero_at_zero
        assert (in_jax(name, zero, slope)[0] == 0.0) == stays


@pytest.mark.parametrize("name", FORMULAS)
def test_the_slope_matters_exactly_where_it_is_named(name: str) -> None:
    z = np.linspace(-2, 2, 9)
    one, other = (ACTIVATIONS[name].apply(z, slope, np) for slope in (0.1, 0.7))
    slope_name = ACTIVATIONS[name].slope_name
    assert np.array_equal(one, other) == (slope_name == "")
    assert slope_name == "" or slope_name in HYPERPARAMETERS


@pytest.mark.proves("N1", "formula")
def test_worked_numbers() -> None:
    z = np.array([-10.0, 2.0])
    np.testing.assert_allclose(ACTIVATIONS["leaky_relu"].apply(z, 0.01, np), [-0.1, 2.0])
    elu = ACTIVATIONS["elu"].apply(np.array([-1.0, 3.0]), 1.0, np)
    np.testing.assert_allclose(elu, [np.exp(-1) - 1, 3.0])


@pytest.mark.proves("N1", "formula", "independent")
@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_maxout_is_the_largest_piece(pieces: int) -> None:
    z = np.random.default_rng(2).normal(size=(7, 4, pieces))
    right = z.max(axis=2)
    assert right.shape == (7, 4)
    np.testing.assert_array_equal(ACTIVATIONS["maxout"].apply(z, 0.0, np), right)
    np.testing.assert_array_equal(in_jax("maxout", z), right)
    slope = derivative("maxout", z)
    assert slope.sum() == right.size
    np.testing.assert_array_equal(slope == 1, z == right[:, :, None])


def test_of_equal_pieces_the_first_takes_the_gradient() -> None:
    np.testing.assert_array_equal(derivative("maxout", np.zeros((1, 1, 3))), [[[1, 0, 0]]])
