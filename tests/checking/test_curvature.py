"""O14: eigenvalues against NumPy's of the whole Hessian; surfaces against the cost itself."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from deepwell._base._errors import UsageError
from deepwell.checking._curvature import _lanczos, curvature
from deepwell.checking._network_cost import network_cost
from deepwell.checking._surface import loss_surface
from deepwell.networks._architecture import Architecture
from deepwell.networks._forward import forward
from deepwell.networks._initializers import initial_parameters
from deepwell.networks._losses import LOSSES
from deepwell.optimization._minimize import minimize
from deepwell.testing._numerical import gradient_difference, numerical_gradient

RNG = np.random.default_rng(2)
X, Y = RNG.normal(size=(30, 3)), RNG.integers(0, 3, 30)
NETWORK = Architecture(3, (4,), 3, "tanh")


def quadratic(w, a):
    return 0.5 * w @ a @ w


def symmetric(eigenvalues: list[float]) -> np.ndarray:
    q, _ = np.linalg.qr(RNG.normal(size=(len(eigenvalues), len(eigenvalues))))
    return q @ np.diag(eigenvalues) @ q.T


@pytest.mark.proves("O14", "formula")
@pytest.mark.parametrize(
    ("eigenvalues", "kind"),
    [
        ([1.0, 2.0, 30.0], "minimum"),
        ([-4.0, 0.5, 2.0], "saddle"),
        ([-4.0, -0.5, -2.0], "maximum"),
        ([0.0, 0.0, 3.0], "minimum"),
        ([0.0, 0.0, 0.0], "plateau"),
        ([1e-9, -1e-9, 1e-10], "plateau"),
    ],
)
def test_the_kind_and_the_ends_of_a_quadratic(eigenvalues: list[float], kind: str) -> None:
    around = curvature(quadratic, np.zeros(3), data=symmetric(eigenvalues))
    assert around.kind == kind
    assert around.largest == pytest.approx(max(eigenvalues), rel=1e-10, abs=1e-12)
    assert around.smallest == pytest.approx(min(eigenvalues), rel=1e-10, abs=1e-12)
    assert around.gradient_norm == 0


def test_a_slope_is_no_stationary_point() -> None:
    around = curvature(quadratic, np.ones(2), data=np.diag([1.0, 3.0]))
    assert around.kind == "slope"
    assert around.gradient_norm == pytest.approx(np.sqrt(10))
    assert (around.largest, around.smallest) == pytest.approx((3.0, 1.0))


@pytest.mark.proves("O14", "independent")
def test_a_networks_ends_are_numpys() -> None:
    cost = network_cost(NETWORK, l2=0.01)
    w = initial_parameters(NETWORK, "lecun", 0, "float64")
    around = curvature(cost, w, data=(X, Y), steps=40)
    with jax.enable_x64(True):
        vector, back = ravel_pytree(jax.tree.map(jnp.asarray, w))
        whole = jax.jit(jax.hessian(lambda v: cost(back(v), (X, Y))))(vector)
    values, vectors = np.linalg.eigh(np.asarray(whole))
    assert around.largest == pytest.approx(values[-1], rel=1e-9)
    assert around.smallest == pytest.approx(values[0], rel=1e-9)
    assert abs(around.up @ vectors[:, -1]) == pytest.approx(1, abs=1e-8)
    assert abs(around.down @ vectors[:, 0]) == pytest.approx(1, abs=1e-8)


def test_few_products_give_bounded_ends_of_a_large_spectrum() -> None:
    """Each end found is within its residual of a true eigenvalue, and never outside the range."""
    true = np.sort(RNG.normal(size=400)) * 3
    around = curvature(quadratic, np.zeros(400), data=symmetric(list(true)), steps=40)
    for found, residual in zip((around.largest, around.smallest), around.residuals, strict=True):
        assert true[0] - 1e-9 <= found <= true[-1] + 1e-9
        assert np.abs(true - found).min() <= residual + 1e-9
    assert around.largest == pytest.approx(true[-1], abs=0.05)
    assert around.smallest == pytest.approx(true[0], abs=0.05)


def test_the_cost_of_the_same_form_compiles_once() -> None:
    curvature(quadratic, np.zeros(5), data=np.eye(5), steps=5)
    before = _lanczos._cache_size()
    curvature(quadratic, np.ones(5), data=2 * np.eye(5), steps=5)
    assert _lanczos._cache_size() == before


@pytest.mark.proves("O14", "gradient")
def test_the_networks_cost_has_the_numerical_gradient() -> None:
    w = initial_parameters(NETWORK, "lecun", 0, "float64")

    def by_hand(p) -> float:
        squares = sum((p[f"weights/{layer}"] ** 2).sum() for layer in (0, 1))
        rows = LOSSES["softmax"].rows(forward(NETWORK, p, X), Y, np)
        return float(rows.mean() + 0.05 * squares)

    cost = network_cost(NETWORK, l2=0.1)
    with jax.enable_x64(True):
        value, slope = jax.jit(jax.value_and_grad(cost))(w, (X, Y))
    assert float(value) == pytest.approx(by_hand(w), rel=1e-12)
    assert gradient_difference(numerical_gradient(by_hand, w), slope) < 1e-7


def test_descent_of_a_network_below_twice_the_curvature_falls_every_step() -> None:
    cost = network_cost(NETWORK, l2=0.01)
    w = initial_parameters(NETWORK, "lecun", 0, "float64")
    top = curvature(cost, w, data=(X, Y)).largest
    path = minimize(cost, w, data=(X, Y), learning_rate=0.5 / top, steps=300)
    assert (np.diff(path.costs) < 0).all()


@pytest.mark.proves("O14", "formula")
def test_a_surface_holds_the_cost_at_each_place() -> None:
    a = np.diag([1.0, 5.0, 9.0])
    path = minimize(quadratic, np.array([3.0, 2.0, 0.0]), data=a, learning_rate=0.1,
                    optimizer="momentum", steps=60, keep_path=True)  # fmt: skip
    surface = loss_surface(quadratic, path.w, data=a, path=path.path, points=9)
    for i in (0, 4, 8):
        for j in (0, 3, 8):
            at = surface.center + surface.across[j] * surface.directions[0]
            at = at + surface.up[i] * surface.directions[1]
            assert surface.costs[i, j] == pytest.approx(quadratic(at, a), rel=1e-12)
    assert surface.explained == pytest.approx(1, abs=1e-12)  # the third coordinate never moved
    np.testing.assert_allclose(surface.directions @ surface.directions.T, np.eye(2), atol=1e-12)
    back = surface.center + surface.path @ surface.directions
    np.testing.assert_allclose(back, path.path, atol=1e-12)
    for axis, places in ((surface.across, 0), (surface.up, 1)):
        assert axis[0] < surface.path[:, places].min()
        assert axis[-1] > surface.path[:, places].max()


def test_a_surface_of_a_network_over_its_descent() -> None:
    cost = network_cost(NETWORK)
    w = initial_parameters(NETWORK, "lecun", 0, "float64")
    path = minimize(cost, w, data=(X, Y), learning_rate=0.5, steps=40, keep_path=True)
    surface = loss_surface(cost, path.w, data=(X, Y), path=path.path, points=5)
    assert surface.costs.shape == (5, 5)
    assert 0.5 < surface.explained <= 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"steps": 1}, "`steps` must be a whole number from 2"),
        ({"gradient_tolerance": 0.0}, "`gradient_tolerance` must be above 0"),
        ({"w": []}, "`w` must hold at least one number"),
        ({"w": ["a"]}, "`w` must hold real numbers"),
        ({"w": np.full(3, np.nan)}, "cost and gradient must be finite"),
    ],
)
def test_wrong_arguments_of_curvature(arguments: dict, told: str) -> None:
    given = {"cost": quadratic, "w": np.zeros(3), "data": np.eye(3), **arguments}
    with pytest.raises(UsageError, match=told):
        curvature(given.pop("cost"), given.pop("w"), **given)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "needs either a `path` or two `directions`"),
        ({"directions": ([1.0, 0, 0], [2.0, 0, 0])}, "must span a plane"),
        ({"directions": ([1.0, 0], [0.0, 1.0])}, "a direction must hold 3 numbers"),
        ({"path": np.zeros((5, 3))}, "must span a plane"),
        ({"path": np.zeros((5, 2))}, "must hold 3 parameters a step"),
        ({"path": np.eye(3), "points": 2}, "`points` must be a whole number from 3"),
    ],
)
def test_wrong_arguments_of_a_surface(arguments: dict, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        loss_surface(quadratic, np.zeros(3), data=np.eye(3), **arguments)
