"""C3: full-batch descent falls below 2 over the largest eigenvalue, mini-batches on average."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell._native._core_module import available
from deepwell.checking._cost_falls import cost_falls, cost_falls_on_average
from deepwell.checking._network_cost import network_cost
from deepwell.data._batches import epoch_order
from deepwell.networks._architecture import Architecture
from deepwell.networks._initializers import initial_parameters
from deepwell.training._program import Chunk, Member, ProgramOptions, Structure, TrainingRows

RNG = np.random.default_rng(4)
X = RNG.normal(size=(40, 3))
Y = (X[:, 0] * X[:, 1] + np.sin(X[:, 2]) > 0).astype(np.int32)
NETWORK = Architecture(3, (4,), 1, "tanh", loss="logistic")
L2 = 0.02


def quadratic(w, a):
    return 0.5 * w @ a @ w


@pytest.mark.proves("C3", "formula")
@pytest.mark.parametrize("share", [0.5, 0.999, 1.001, 3.0])
def test_a_quadratic_falls_exactly_below_its_limit(share: float) -> None:
    """w along the steepest eigenvector: each step multiplies it by 1 - alpha L, here exactly."""
    a = np.diag([8.0, 1.0, 0.5])
    rate = share * 2 / 8.0
    path = np.array([(1 - rate * 8.0) ** t * np.array([1.0, 0.0, 0.0]) for t in range(6)])
    told = cost_falls(quadratic, path, rate, data=a)
    assert told.limit == pytest.approx(0.25, rel=1e-9)
    assert told.costs == pytest.approx(4 * (1 - rate * 8) ** (2 * np.arange(6)), rel=1e-9)
    assert (told.verdict, told.rose) == (("falls", 0) if share < 1 else ("rate too high", 1))
    assert told.apart < 1e-9


def by_hand(wrong: str = "", rate: float = 0.1, steps: int = 30) -> tuple[np.ndarray, float]:
    """Logistic regression with a penalty, descended in NumPy; returns path and top eigenvalue."""
    w, path, top = np.array([2.0, -1.0, 1.5]), [], 0.0
    for _ in range(steps + 1):
        path.append(w.copy())
        p = 1 / (1 + np.exp(-X @ w))
        top = max(top, np.linalg.eigvalsh((X.T * (p * (1 - p))) @ X / len(X) + np.eye(3)).max())
        data, penalty = X.T @ (p - Y) / len(X), w
        gradient = {
            "": data + penalty,
            "sign": -(data + penalty),
            "no penalty": data,
            "no mean": data * len(X) + penalty,
            "one row": X[0] * (p[0] - Y[0]) * 20 + penalty * 0,
        }[wrong]
        w = w - rate * gradient
    return np.array(path), top


def logistic_cost(w, rows):
    x, y = rows
    z = x @ w
    return jnp.mean(jnp.logaddexp(0, z) - y * z) + 0.5 * jnp.sum(w * w)


@pytest.mark.proves("C3", "independent")
def test_a_descent_in_numpy_falls_below_numpys_limit_and_not_above() -> None:
    path, top = by_hand(rate=0.3)
    told = cost_falls(logistic_cost, path, 0.3, data=(X, Y), points=31)
    assert told.verdict == "falls"
    assert told.limit == pytest.approx(2 / top, rel=1e-6)
    assert (np.diff(told.costs) < 0).all()
    path, _ = by_hand(rate=3.0, steps=3)
    told = cost_falls(logistic_cost, path, 3.0, data=(X, Y))
    assert told.verdict == "rate too high"
    assert f"above {told.limit:.3g}" in told.detail
    assert told.apart < 1e-9


@pytest.mark.parametrize(("wrong", "rate"), [("sign", 0.1), ("no mean", 0.3), ("one row", 0.3)])
def test_a_wrong_gradient_is_told_from_a_high_rate(wrong: str, rate: float) -> None:
    path, _ = by_hand(wrong, rate)
    told = cost_falls(logistic_cost, path, rate, data=(X, Y))
    assert told.verdict == "gradient wrong", told
    assert told.apart > 0.1
    assert f"the cost rose in step {told.rose}" in told.detail


def test_a_missing_penalty_shows_in_the_gradient_even_where_the_cost_falls() -> None:
    path, _ = by_hand("no penalty", 0.01, steps=5)
    told = cost_falls(logistic_cost, path, 0.01, data=(X, Y))
    assert told.verdict == "falls"
    assert "off the rate times the gradient of this cost" in told.detail


def test_recorded_costs_without_their_penalty() -> None:
    path, _ = by_hand()
    told = cost_falls(logistic_cost, path, 0.1, data=(X, Y))
    same = cost_falls(logistic_cost, path, 0.1, data=(X, Y), costs=told.costs.astype(np.float32))
    assert same.verdict == "falls"
    bare = told.costs - 0.5 * (path**2).sum(1)
    told = cost_falls(logistic_cost, path, 0.1, data=(X, Y), costs=bare)
    assert told.verdict == "cost incomplete"
    assert "is a penalty left out" in told.detail


def descended(native: bool, rate: float, dtype: str = "float64", seeds: int = 3):
    """Full-batch descents of a program's members, side by side: their paths."""
    rows = TrainingRows(X, Y, np.ones(len(Y)), X[:5], Y[:5], np.ones(5))
    structure = Structure(3, () if native else (4,), 1, "logistic", "" if native else "tanh",
                          "" if native else "sgd", len(X), False, len(X) + 1, 5, 1, "error",
                          dtype=dtype)  # fmt: skip
    members = [
        Member(NETWORK, "sgd", "lecun", seed, {"learning_rate": rate, "l2": L2}, dtype=dtype)
        for seed in range(seeds)
    ]
    if native:
        from deepwell.training._native_program import NativeProgram

        program = NativeProgram(structure, rows)
    else:
        from deepwell.training._jax_program import JaxProgram

        program = JaxProgram(structure, rows, ProgramOptions(lanes=seeds))
    session = program.load(members, [None] * seeds)
    states = [session.states()]
    for epoch in range(1, 26):
        session.advance(Chunk(epoch_order(0, epoch, len(X), len(X)), epoch))
        states.append(session.states())
    names = NETWORK.parameter_shapes()
    return [{n: np.stack([s[k][n] for s in states]) for n in names} for k in range(seeds)]


@pytest.mark.proves("C3", "population")
@pytest.mark.parametrize("native", [True, False])
def test_every_member_of_a_population_falls_below_its_limit(native: bool) -> None:
    if native and not available():
        pytest.skip("no compiled core")
    cost = network_cost(NETWORK, L2)
    for path in descended(native, 0.5):
        told = cost_falls(cost, path, 0.5, data=(X, Y))
        assert told.verdict == "falls", told
        assert told.apart < 1e-8
        assert told.limit > 0.5


def test_a_population_in_float32_is_judged_with_its_rounding() -> None:
    if not available():
        pytest.skip("no compiled core")
    (path,) = descended(True, 0.5, "float32", seeds=1)
    assert cost_falls(network_cost(NETWORK, L2), path, 0.5, data=(X, Y)).verdict == "falls"
    (path,) = descended(True, 60.0, "float32", seeds=1)
    told = cost_falls(network_cost(NETWORK, L2), path, 60.0, data=(X, Y))
    assert told.verdict == "rate too high", told


def test_minimize_gives_paths_that_are_taken_as_they_are() -> None:
    cost = network_cost(NETWORK)
    start = initial_parameters(NETWORK, "lecun", seed=1)
    end = dw.minimize(cost, start, data=(X, Y), learning_rate=0.5, steps=10, keep_path=True)
    assert cost_falls(cost, end.path, 0.5, data=(X, Y), costs=end.costs).verdict == "falls"


def test_a_kink_is_no_fault_of_rate_or_gradient() -> None:
    """|w| has no curvature where it is measured, and rises after a step across 0."""
    path = np.array([[0.5], [-1.0]])
    told = cost_falls(lambda w: jnp.abs(w).sum(), path, 1.5, points=2)
    assert (told.verdict, told.rose) == ("unclear", 1)
    assert "a kink" in told.detail


def test_a_path_that_diverged() -> None:
    path = np.array([[1.0], [1e200]])
    told = cost_falls(lambda w: jnp.sum(w**4), path, -(1e200 - 1) / -4.0 + 0.5)
    assert told.verdict in ("gradient wrong", "rate too high")
    assert told.rose == 1


def test_dropout_is_noisy_and_says_what_to_do() -> None:
    told = cost_falls(quadratic, np.ones((3, 2)), 0.1, data=np.eye(2), dropout=0.2)
    assert told.verdict == "noisy"
    assert "check with keep_prob 1" in told.detail


def test_mini_batches_fall_on_average_and_noise_alone_does_not() -> None:
    rng = np.random.default_rng(0)
    steps = np.arange(300)
    falling = np.exp(-steps / 150) + 0.3 * rng.normal(size=300)
    assert (np.diff(falling) > 0).mean() > 0.4  # many steps rise
    told = cost_falls_on_average(falling)
    assert told.falls is True
    assert told.p_value < 0.01
    assert len(told.blocks) == 10
    assert cost_falls_on_average(falling[::-1]).falls is False
    assert cost_falls_on_average([3.0, 2.0, 1.0]).falls is None


def test_the_test_of_a_trend_keeps_its_error_rate() -> None:
    """Of 2,000 series without a trend about as many fall as the test says, 95 % limits."""
    rng = np.random.default_rng(1)
    falls = sum(bool(cost_falls_on_average(rng.normal(size=50)).falls) for _ in range(2000))
    assert 40 <= falls <= 125  # exact level with 10 blocks: 0.0363 (next is 0.054)


def test_the_chance_is_that_of_scipy() -> None:
    from scipy.stats import kendalltau

    for seed in range(5):
        costs = np.random.default_rng(seed).normal(size=8)
        expected = kendalltau(np.arange(8), costs, alternative="less", method="exact").pvalue
        assert cost_falls_on_average(costs, blocks=8).p_value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: cost_falls(quadratic, np.ones((1, 2)), 0.1, data=np.eye(2)), "at least two"),
        (lambda: cost_falls(quadratic, 1.0, 0.1, data=np.eye(2)), "at least two points"),
        (lambda: cost_falls(quadratic, np.ones((3, 2)), -0.1, data=np.eye(2)), "learning_rate"),
        (lambda: cost_falls(quadratic, np.ones((3, 2)), 0.1, data=np.eye(2), dropout=1.0), "dropo"),
        (lambda: cost_falls(quadratic, np.ones((3, 2)), 0.1, data=np.eye(2), points=1), "points"),
        (
            lambda: cost_falls(quadratic, np.ones((3, 2)), 0.1, data=np.eye(2), costs=[1.0]),
            "one cost a point",
        ),
        (lambda: cost_falls_on_average([1.0, np.nan] * 10), "must be finite"),
        (lambda: cost_falls_on_average([1.0] * 10, blocks=3), "`blocks` must be"),
    ],
)
def test_bad_input_is_answered_in_one_sentence(call, told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        call()
    assert "\n" not in str(caught.value)
