"""O2 to O8, O11 and R3: update rules against their formulas, Optax and worked numbers."""

from __future__ import annotations

import jax
import numpy as np
import optax
import pytest

from deepwell._base._hyperparameters import OPTIMIZERS as DECLARED
from deepwell.optimization._clipping import clipped_by_value, norm_scale
from deepwell.optimization._learning_rate import learning_rates
from deepwell.optimization._optimizer import as_optax
from deepwell.optimization._registry import OPTIMIZERS
from deepwell.optimization._weight_decay import kept_share

NUMBERS = {
    "learning_rate": 0.03, "momentum": 0.8, "beta1": 0.7, "beta2": 0.95, "epsilon": 1e-3,
    "epsilon_root": 0.0, "rms_from_first": 0.0,
}  # fmt: skip
START = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])
GRADIENTS = np.random.default_rng(8).normal(0, 2, (50, 2, 3))
GRADIENTS[10, 0, 0] = 0.0
PEERS = {
    "sgd": optax.sgd(0.03),
    "momentum": optax.chain(optax.ema(0.8, debias=False), optax.scale(-0.03)),
    "velocity": optax.sgd(0.03, momentum=0.8),
    "nesterov": optax.sgd(0.03, momentum=0.8, nesterov=True),
    # Optax starts the sum at 0.1 unless told otherwise, and puts epsilon inside the root.
    "adagrad": optax.adagrad(0.03, initial_accumulator_value=0.0, eps=1e-300),
    "rmsprop": optax.rmsprop(0.03, decay=0.95, eps=1e-3, initial_scale=0.0, eps_in_sqrt=False),
    "adam": optax.adam(0.03, b1=0.7, b2=0.95, eps=1e-3),
}


def by_formula(name: str) -> list[np.ndarray]:
    """Return the weights after each step, by the formulas of the field."""
    alpha, eps = NUMBERS["learning_rate"], NUMBERS["epsilon"]
    w, v, s, path = START.copy(), np.zeros((2, 3)), np.zeros((2, 3)), []
    for t, g in enumerate(GRADIENTS, 1):
        if name == "sgd":
            w = w - alpha * g
        elif name == "momentum":
            v = 0.8 * v + (1 - 0.8) * g
            w = w - alpha * v
        elif name == "velocity":
            v = 0.8 * v - alpha * g
            w = w + v
        elif name == "nesterov":  # the gradient is the one at the weights that look ahead
            before, v = v, 0.8 * v - alpha * g
            w = (w - 0.8 * before) + v + 0.8 * v
        elif name == "adagrad":
            s = s + g**2
            w = w - alpha * g / (np.sqrt(s) + eps)
        elif name == "rmsprop":
            s = 0.95 * s + (1 - 0.95) * g**2
            w = w - alpha * g / (np.sqrt(s) + eps)
        else:
            v = 0.7 * v + (1 - 0.7) * g
            s = 0.95 * s + (1 - 0.95) * g**2
            w = w - alpha * (v / (1 - 0.7**t)) / (np.sqrt(s / (1 - 0.95**t)) + eps)
        path.append(w)
    return path


def by_rule(name: str, gradients=GRADIENTS, **numbers: float) -> list[np.ndarray]:
    optimizer, w, path = OPTIMIZERS[name], START.copy(), []
    slots = tuple(np.zeros_like(w) for _ in optimizer.slots)
    for t, g in enumerate(gradients, 1):
        change, slots = optimizer.change(g, slots, {**NUMBERS, **numbers}, t, np)
        assert len(slots) == len(optimizer.slots)
        w = w + change
        path.append(w)
    return path


def by_optax(transformation: optax.GradientTransformation, gradients=GRADIENTS) -> np.ndarray:
    with jax.enable_x64(True):

        def step(carry, g):
            w, state = carry
            updates, state = transformation.update(g, state, w)
            w = optax.apply_updates(w, updates)
            return (w, state), w

        def run(start, gradients):
            return jax.lax.scan(step, (start, transformation.init(start)), gradients)[1]

        return np.asarray(jax.jit(run)(START, gradients))


def first_adam_changes(gradients: np.ndarray, alpha: float) -> np.ndarray:
    kind = gradients.dtype.type
    numbers = {"learning_rate": alpha, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
               "epsilon_root": 0.0}  # fmt: skip
    numbers = {name: kind(value) for name, value in numbers.items()}
    zeros = (np.zeros_like(gradients), np.zeros_like(gradients))
    change, _ = OPTIMIZERS["adam"].change(gradients, zeros, numbers, kind(1), np)
    assert change.dtype == gradients.dtype
    return change


def test_every_declared_optimizer_is_here() -> None:
    assert set(OPTIMIZERS) == set(DECLARED) == set(PEERS)
    assert all(optimizer.name == name for name, optimizer in OPTIMIZERS.items())


@pytest.mark.proves("O1", "O4", "O5", "O6", "O7", "O8", "formula")
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_steps_follow_the_formula(name: str) -> None:
    np.testing.assert_allclose(by_rule(name), by_formula(name), rtol=1e-11, atol=1e-12)


@pytest.mark.proves("O1", "O4", "O5", "O6", "O7", "O8", "independent")
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_steps_equal_optax(name: str) -> None:
    # Optax has no Adagrad with epsilon outside the root; with next to none they are the same.
    numbers = {"epsilon": 1e-300} if name == "adagrad" else {}
    right = by_optax(PEERS[name])
    np.testing.assert_allclose(by_rule(name, **numbers), right, rtol=1e-11, atol=1e-12)


@pytest.mark.proves("O6", "O7", "independent")
@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("adagrad", optax.adagrad(0.03, initial_accumulator_value=0.0, eps=1e-2)),
        ("rmsprop", optax.rmsprop(0.03, decay=0.95, eps=1e-2)),
        ("adam", optax.adam(0.03, b1=0.7, b2=0.95, eps=0.0, eps_root=1e-2)),
    ],
)
def test_epsilon_inside_the_root_equals_optax(name: str, peer) -> None:
    """With the smallest epsilon allowed, 1e-30, nothing is left outside the root."""
    got = by_rule(name, epsilon=1e-30, epsilon_root=1e-2)
    np.testing.assert_allclose(got, by_optax(peer), rtol=1e-11, atol=1e-12)


@pytest.mark.proves("O7", "formula")
def test_rmsprop_may_start_from_the_first_gradients_square() -> None:
    alpha, eps, s, w = 0.03, 1e-3, GRADIENTS[0] ** 2, START.copy()
    path = []
    for g in GRADIENTS:
        s = 0.95 * s + 0.05 * g**2
        w = w - alpha * g / (np.sqrt(s) + eps)
        path.append(w)
    np.testing.assert_allclose(by_rule("rmsprop", rms_from_first=1.0), path, rtol=1e-11)


@pytest.mark.proves("O5", "formula")
def test_the_velocity_after_two_steps_in_worked_numbers() -> None:
    """v2 = -mu alpha g0 - alpha g1."""
    g0, g1 = GRADIENTS[:2]
    zeros = (np.zeros_like(g0),)
    _, slots = OPTIMIZERS["velocity"].change(g0, zeros, NUMBERS, 1, np)
    moved, (v2,) = OPTIMIZERS["velocity"].change(g1, slots, NUMBERS, 2, np)
    np.testing.assert_allclose(v2, -0.8 * 0.03 * g0 - 0.03 * g1, rtol=1e-14)
    np.testing.assert_array_equal(moved, v2)


def test_the_velocity_form_is_the_averaged_one_at_a_larger_rate() -> None:
    """With a constant rate the two differ by the factor 1 - mu in it."""
    right = by_rule("momentum", learning_rate=0.03 / (1 - 0.8))
    np.testing.assert_allclose(by_rule("velocity"), right, rtol=1e-11, atol=1e-12)


@pytest.mark.proves("O6", "O10", "formula")
def test_adagrad_is_a_falling_rate_over_the_root_mean_square() -> None:
    """alpha / sqrt(sum g^2) = alpha / sqrt(t + 1) / rms of all gradients so far, t from 0."""
    rates = learning_rates(50, learning_rate=0.03, decay="inverse_sqrt_step", epochs=1)
    w, path = START.copy(), []
    for t, rate in enumerate(rates):
        rms = np.sqrt((GRADIENTS[: t + 1] ** 2).mean(axis=0))
        w = w - rate * GRADIENTS[t] / rms
        path.append(w)
    np.testing.assert_allclose(by_rule("adagrad", epsilon=1e-30), path, rtol=1e-11, atol=1e-12)


@pytest.mark.proves("R3", "independent")
def test_decoupled_decay_equals_optaxs_adamw_and_is_not_l2() -> None:
    optimizer, w, path = OPTIMIZERS["adam"], START.copy(), []
    slots = tuple(np.zeros_like(w) for _ in optimizer.slots)
    for t, g in enumerate(GRADIENTS, 1):
        change, slots = optimizer.change(g, slots, NUMBERS, t, np)
        w = kept_share(0.03, 0.4) * w + change
        path.append(w)
    peer = optax.adamw(0.03, b1=0.7, b2=0.95, eps=1e-3, weight_decay=0.4)
    np.testing.assert_allclose(path, by_optax(peer), rtol=1e-11, atol=1e-12)
    penalized = optax.chain(optax.add_decayed_weights(0.4), PEERS["adam"])
    assert np.abs(by_optax(penalized)[-1] - path[-1]).max() > 1e-2


@pytest.mark.proves("R3", "formula")
def test_decoupled_decay_is_the_l2_penalty_under_plain_descent() -> None:
    w = START.copy()
    for g in GRADIENTS:
        w = kept_share(0.03, 0.4) * w - 0.03 * g
    peer = optax.chain(optax.add_decayed_weights(0.4), optax.sgd(0.03))
    np.testing.assert_allclose(w, by_optax(peer)[-1], rtol=1e-11, atol=1e-12)


@pytest.mark.proves("O11", "independent")
@pytest.mark.parametrize("limit", [0.5, 3.0, 100.0])
def test_clipping_equals_optax(limit: float) -> None:
    by_value = [clipped_by_value(g, limit, np) for g in GRADIENTS]
    by_norm = [g * norm_scale([g[0], g[1]], limit, np) for g in GRADIENTS]
    descent = optax.sgd(0.03)
    for clipped, peer in ((by_value, optax.clip(limit)),
                          (by_norm, optax.clip_by_global_norm(limit))):  # fmt: skip
        got = START - 0.03 * np.cumsum(clipped, axis=0)
        right = by_optax(optax.chain(peer, descent))
        np.testing.assert_allclose(got, right, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_as_optax_equals_the_rule(name: str) -> None:
    got = by_optax(as_optax(OPTIMIZERS[name], **NUMBERS))
    np.testing.assert_allclose(got, by_rule(name), rtol=1e-12, atol=1e-13)


def test_momentum_is_optaxs_velocity_at_a_smaller_rate() -> None:
    """The averaged form with rate alpha is the other form with rate (1 - beta) alpha."""
    right = by_optax(optax.sgd(0.03 * (1 - 0.8), momentum=0.8))
    np.testing.assert_allclose(by_rule("momentum"), right, rtol=1e-11, atol=1e-12)


def test_the_average_and_its_bias_correction_in_worked_numbers() -> None:
    """Theta = 40, 49 with beta 0.98: raw 0.8, 1.764; corrected 40, 44.545."""
    raw, v = [], (np.zeros(1),)
    corrected, moments = [], (np.zeros(1), np.zeros(1))
    adam = {"learning_rate": 1.0, "beta1": 0.98, "beta2": 0.0, "epsilon": 1e-300,
            "epsilon_root": 0.0}  # fmt: skip
    for t, theta in enumerate((40.0, 49.0), 1):
        g = np.array([theta])
        change, v = OPTIMIZERS["momentum"].change(
            g, v, {"learning_rate": 1.0, "momentum": 0.98}, t, np
        )
        assert change == -v[0]
        raw.append(float(v[0][0]))
        # With beta2 = 0 the root is |theta|: Adam's change is the corrected mean over it.
        change, moments = OPTIMIZERS["adam"].change(g, moments, adam, t, np)
        corrected.append(float(-change[0] * theta))
    assert raw == pytest.approx([0.8, 1.764], rel=1e-12)
    assert corrected == pytest.approx([40, 44.545], abs=5e-4)


@pytest.mark.parametrize(("beta", "steps", "left"), [(0.9, 10, 0.349), (0.98, 50, 0.364)])
def test_an_average_forgets_all_but_about_one_in_e(beta: float, steps: int, left: float) -> None:
    v = (np.ones(1),)
    for t in range(1, steps + 1):
        numbers = {"learning_rate": 1.0, "momentum": beta}
        _, v = OPTIMIZERS["momentum"].change(np.zeros(1), v, numbers, t, np)
    assert v[0][0] == pytest.approx(left, abs=5e-4)


@pytest.mark.proves("O8", "formula")
@pytest.mark.parametrize("alpha", [1e-4, 0.01, 1.0])
@pytest.mark.parametrize(("kind", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-6)])
def test_adams_first_step_moves_by_alpha(alpha: float, kind: type, tolerance: float) -> None:
    g = np.array([1e-2, -0.5, 3.0, -70.0, 1e6, 0.0], kind)
    changes = first_adam_changes(g, alpha)
    right = -alpha * g.astype(float) / (np.abs(g.astype(float)) + 1e-8)  # alpha, up to epsilon
    np.testing.assert_allclose(changes, right, rtol=tolerance)
    assert changes[-1] == 0.0


@pytest.mark.parametrize(("wide", "tolerance"), [(True, 1e-12), (False, 1e-6)])
def test_adams_first_step_as_optax_moves_by_alpha(wide: bool, tolerance: float) -> None:
    g = np.array([1e-2, -0.5, 3.0, -70.0, 1e6], np.float64 if wide else np.float32)
    adam = as_optax(OPTIMIZERS["adam"], learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8)
    with jax.enable_x64(wide):
        updates = jax.jit(lambda g: adam.update(g, adam.init(g))[0])(g)
    assert updates.dtype == g.dtype
    right = -0.01 * g.astype(float) / (np.abs(g.astype(float)) + 1e-8)
    np.testing.assert_allclose(updates, right, rtol=tolerance)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_no_gradient_means_no_change(name: str) -> None:
    """Padded weights have gradient 0 and must stay 0."""
    optimizer = OPTIMIZERS[name]
    slots = tuple(np.zeros(3, np.float32) for _ in optimizer.slots)
    numbers = {k: np.float32(v) for k, v in NUMBERS.items()} | {"epsilon": np.float32(1e-8)}
    for t in range(1, 4):
        change, slots = optimizer.change(np.zeros(3, np.float32), slots, numbers, np.float32(t), np)
        assert not change.any()
        assert not np.any(slots)


@pytest.mark.proves("O9", "formula")
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_as_optax_composes_with_optax_over_nested_parameters(name: str) -> None:
    layer = (np.ones((2, 3), np.float32), np.zeros(3, np.float32))
    parameters = {"layer": layer, "last": [START.astype(np.float32)]}
    gradients = jax.tree.map(lambda p: np.full(p.shape, 3.0, np.float32), parameters)
    chain = optax.chain(optax.clip_by_global_norm(1.0), as_optax(OPTIMIZERS[name], **NUMBERS))

    @jax.jit
    def step(parameters, state):
        updates, state = chain.update(gradients, state, parameters)
        return optax.apply_updates(parameters, updates), state

    state = chain.init(parameters)
    got, after = step(parameters, state)
    got, after = step(got, after)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert jax.tree.structure(got) == jax.tree.structure(parameters)
    clipped = np.float32(1 / np.sqrt(2 * 3 + 3 + 6))  # 15 equal entries of a vector of norm 1
    optimizer, w = OPTIMIZERS[name], np.zeros(1)
    slots = tuple(np.zeros(1) for _ in optimizer.slots)
    for t in (1, 2):
        change, slots = optimizer.change(np.array([float(clipped)]), slots, NUMBERS, t, np)
        w = w + change
    moved = jax.tree.map(lambda a, b: np.asarray(a) - b, got, parameters)
    for leaf in jax.tree.leaves(moved):
        np.testing.assert_allclose(leaf, np.full(leaf.shape, w[0]), rtol=1e-4)
