"""O13 and O9: descent of any cost against worked numbers, the rules themselves, SciPy and Optax."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.optimize import minimize as scipy_minimize
from scipy.optimize import rosen, rosen_der

from deepwell._base._errors import UsageError
from deepwell.optimization._decay import DECAYS
from deepwell.optimization._learning_rate import learning_rates
from deepwell.optimization._minimize import _piece, minimize
from deepwell.optimization._registry import OPTIMIZERS

NUMBERS = {"momentum": 0.8, "beta1": 0.7, "beta2": 0.95, "epsilon": 1e-3, "epsilon_root": 1e-6}


def square(w):
    return w**2 - 10 * w + 25


def parabola(w, c):
    return c[0] * w**2 + c[1] * w + c[2]


def valley(w):
    """Rosenbrock's function, minimum 0 at (1, ..., 1)."""
    return (100.0 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum()


@pytest.mark.proves("O13", "formula")
def test_worked_numbers() -> None:
    """From 0 with rate 0.01: 0.1 after one step, 5 (1 - 0.98^n) after n."""
    assert minimize(square, 0.0, learning_rate=0.01, steps=1).w == pytest.approx(0.1, rel=1e-14)
    path = minimize(square, 0.0, learning_rate=0.01, steps=3000, keep_path=True)
    n = np.arange(3001)
    np.testing.assert_allclose(path.path, 5 * (1 - 0.98**n), rtol=1e-12)
    np.testing.assert_allclose(path.costs, (path.path - 5) ** 2, rtol=1e-9, atol=1e-13)
    assert (path.steps, path.stopped, path.cost) == (3000, "steps", path.costs[-1])
    assert path.w == path.path[-1]


@pytest.mark.proves("O13", "formula")
def test_coefficients_are_data_and_compile_nothing() -> None:
    minimize(parabola, 0.0, data=(3.0, 1.0, 2.0), steps=3)
    before = _piece._cache_size()
    found = [
        minimize(parabola, 0.0, data=c, learning_rate=rate, steps=steps).w
        for c, rate, steps in [((1.0, -10.0, 25.0), 0.01, 2000), ((1.0, -20.0, 100.0), 0.02, 1500)]
    ]
    assert found == pytest.approx([5.0, 10.0], rel=1e-12)
    assert _piece._cache_size() == before


@pytest.mark.proves("O13", "independent")
def test_the_minimum_is_scipys() -> None:
    start = np.array([-1.2, 1.0, 0.7])
    right = scipy_minimize(rosen, start, jac=rosen_der, tol=1e-12).x
    found = minimize(valley, start, learning_rate=5e-4, steps=80_000)
    np.testing.assert_allclose(found.w, right, atol=1e-6)
    assert found.costs[0] == pytest.approx(rosen(start), rel=1e-13)


@pytest.mark.proves("O13", "gradient")
def test_one_step_with_rate_1_is_scipys_gradient_and_the_numerical_one() -> None:
    start = np.array([0.3, -0.4, 0.9])
    slope = start - minimize(valley, start, learning_rate=1.0, steps=1).w
    np.testing.assert_allclose(slope, rosen_der(start), rtol=1e-12)
    near = [rosen(start + 1e-5 * e) - rosen(start - 1e-5 * e) for e in np.eye(3)]
    numerical = np.array(near) / 2e-5
    relative = np.linalg.norm(numerical - slope) / np.linalg.norm(numerical + slope)
    assert relative < 1e-7


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_optimizer_takes_the_steps_of_its_rule(name: str) -> None:
    optimizer, w = OPTIMIZERS[name], np.array([2.0, -1.0])
    found = minimize(
        lambda w: (w**4).sum(), w, optimizer=name, learning_rate=0.02, steps=20,
        decay="inverse_time", decay_rate=0.3, keep_path=True, **NUMBERS,
    )  # fmt: skip
    slots = tuple(np.zeros(2) for _ in optimizer.slots)
    for t, at in enumerate(found.path[:-1], 1):
        np.testing.assert_allclose(at, w, rtol=1e-12)
        numbers = {**NUMBERS, "learning_rate": 0.02 / (1 + 0.3 * t), "rms_from_first": 0.0}
        change, slots = optimizer.change(4 * w**3, slots, numbers, t, np)
        w = w + change
    np.testing.assert_allclose(found.w, w, rtol=1e-12)


@pytest.mark.parametrize("decay", DECAYS)
def test_each_schedule_sets_the_rate_of_each_step(decay: str) -> None:
    options = {"learning_rate": 0.2, "decay": decay, "decay_rate": 0.5, "warmup_epochs": 3.0}
    path = minimize(lambda w: 2 * w, 0.0, steps=12, keep_path=True, **options).path
    right = learning_rates(1, epochs=12, **options)
    np.testing.assert_allclose(np.diff(path) / -2, right, rtol=1e-9, atol=1e-15)


@pytest.mark.proves("O11", "formula")
@pytest.mark.parametrize(
    ("limits", "right"),
    [
        ({}, [-3.0, 4.0]),
        ({"clip_value": 2.0}, [-2.0, 2.0]),
        ({"clip_norm": 1.0}, [-0.6, 0.8]),
        ({"clip_norm": 10.0}, [-3.0, 4.0]),
        ({"clip_value": 3.0, "clip_norm": 1.0}, [-(0.5**0.5), 0.5**0.5]),
    ],
)
def test_gradients_are_clipped_by_value_then_by_norm(limits: dict, right: list) -> None:
    end = minimize(lambda w: 3 * w[0] - 4 * w[1], [0.0, 0.0], learning_rate=1.0, steps=1, **limits)
    assert end.w == pytest.approx(right, rel=1e-12)


@pytest.mark.proves("R3", "formula")
def test_decay_beside_the_optimizer_follows_the_rate() -> None:
    path = minimize(lambda w: 0 * w, 1.0, optimizer="adam", learning_rate=0.1, weight_decay=0.5,
                    decay="inverse_time", decay_rate=1.0, steps=3, keep_path=True).path  # fmt: skip
    right = np.cumprod([1, 1 - 0.05 / 2, 1 - 0.05 / 3, 1 - 0.05 / 4])
    np.testing.assert_allclose(path, right, rtol=1e-12)


@pytest.mark.proves("O9", "independent")
@pytest.mark.parametrize(
    "made",
    [lambda: optax.adamw(0.05), lambda: optax.lion(0.01), lambda: optax.chain(
        optax.clip_by_global_norm(1.0), optax.sgd(optax.exponential_decay(0.1, 5, 0.9), 0.9))],
    ids=["adamw", "lion", "chain"],
)  # fmt: skip
def test_any_optax_transformation_descends_as_in_optax(made) -> None:
    transformation, start = made(), np.array([-1.2, 1.0, 0.7])
    found = minimize(valley, start, optimizer=transformation, steps=25)
    with jax.enable_x64(True):
        w, state = jnp.asarray(start), transformation.init(jnp.asarray(start))
        step = jax.jit(transformation.update)
        for _ in range(25):
            change, state = step(rosen_der(np.asarray(w)), state, w)
            w = optax.apply_updates(w, change)
    np.testing.assert_allclose(found.w, w, rtol=1e-10)


@pytest.mark.proves("O9", "formula")
def test_a_line_search_gets_the_cost() -> None:
    """L-BFGS is at the minimum of a quadratic of n parameters after about n steps."""
    a = np.diag([1.0, 10.0, 100.0])
    found = minimize(lambda w: 0.5 * w @ a @ w, np.ones(3), optimizer=optax.lbfgs(), steps=12)
    assert found.costs[0] == 55.5
    assert found.cost < 1e-12


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_result_has_the_form_and_the_type_of_the_start(kind: type) -> None:
    start = {"a": np.ones((2, 3), kind), "b": [3.0, (2,)]}
    end = minimize(lambda w: (w["a"] ** 2).sum() + w["b"][0] ** 2 + w["b"][1][0] ** 2, start,
                   learning_rate=0.25, steps=60, keep_path=True)  # fmt: skip
    assert end.w["a"].dtype == kind
    assert end.w["a"].shape == (2, 3)
    assert isinstance(end.w["b"][0], float)
    assert isinstance(end.w["b"][1], tuple)
    assert end.path["a"].shape == (61, 2, 3)
    assert end.costs[0] == 6 + 9 + 4
    assert start["a"].sum() == 6


def test_stopping_rules() -> None:
    flat = minimize(square, 0.0, learning_rate=0.1, gradient_tolerance=1e-3)
    assert flat.stopped == "gradient tolerance"
    slopes = [abs(2 * w - 10) for w in 5 * (1 - 0.8 ** np.arange(flat.steps + 1))]
    assert slopes[-1] <= 1e-3 < slopes[-2]
    still = minimize(square, 0.0, learning_rate=0.1, cost_tolerance=1e-4)
    assert still.stopped == "cost tolerance"
    falls = -np.diff(still.costs)
    assert falls[-1] <= 1e-4 < falls[-2]
    assert minimize(square, 5.0, gradient_tolerance=1e-9).steps == 0


def test_a_descent_longer_than_one_piece_is_one_descent() -> None:
    one = minimize(square, 0.0, optimizer="adam", steps=2500, keep_path=True)
    assert one.costs.shape == one.path.shape == (2501,)
    short = minimize(square, 0.0, optimizer="adam", steps=1500, keep_path=True)
    np.testing.assert_array_equal(short.path, one.path[:1501])


def test_divergence_is_a_result_with_the_last_finite_parameters() -> None:
    end = minimize(lambda w: w**2, 1.0, learning_rate=3.0)
    assert end.stopped == "diverged"
    assert not np.isfinite(end.costs[-1])
    assert end.cost == end.costs[-2] == end.w**2
    at_once = minimize(lambda w: jnp.log(w), -1.0)
    assert (at_once.stopped, at_once.steps) == ("diverged", 0)


def test_stepping_with_an_average_of_one_in_float32() -> None:
    end = minimize(lambda w: (w**2).sum(), np.ones(3, np.float32), optimizer="adam", steps=10)
    assert end.w.dtype == np.float32
    np.testing.assert_allclose(end.w, 0.9, atol=2e-3)  # Adam moves by about the rate 0.01


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"cost": lambda w: w, "w0": np.ones(3)}, r"must return one real number.*shape \(3,\)"),
        ({"cost": lambda w: "x", "w0": 1.0}, "must return one real number, got str"),
        ({"cost": lambda w: 3, "w0": 1.0}, "must return one real number, got int"),
        ({"cost": lambda w: np.sin(w), "w0": 1.0}, "must be written in arithmetic and jax.numpy"),
        ({"cost": lambda w: w if w > 0 else -w, "w0": 1.0}, "without `if` or `while`"),
        ({"w0": "a"}, "`w0` must hold real numbers, got 'a'"),
        ({"w0": 1j}, "`w0` must hold real numbers"),
        ({"w0": []}, "`w0` must hold at least one number"),
        ({"data": {"a": "b"}}, "`data` must hold real numbers, got 'b'"),
        ({"learning_rate": -1}, "`learning_rate` must be above 0, got -1; start at 0.001"),
        ({"lr": 1}, 'unknown hyperparameter "lr"; a descent takes learning_rate, '),
        ({"learning_rat": 1}, 'did you mean "learning_rate"?'),
        ({"optimizer": "adm"}, 'unknown optimizer "adm"; did you mean "adam"?'),
        ({"optimizer": "optax:lion"}, r"pass optimizer=optax\.lion\(0\.01\)"),
        ({"clip_norm": -1.0}, "`clip_norm` must be at least 0"),
        ({"optimizer": optax.sgd(0.1), "momentum": 0.9}, "brings its own hyperparameters"),
        ({"steps": 0}, "`steps` must be a whole number from 1 to"),
        ({"gradient_tolerance": -1.0}, "`gradient_tolerance` must be at least 0"),
        ({"cost_tolerance": "x"}, "`cost_tolerance` must be at least 0, got 'x'"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_one_sentence(arguments: dict, told: str) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        minimize(**{"cost": square, "w0": 0.0, **arguments})
    assert "\n" not in str(refused.value)
