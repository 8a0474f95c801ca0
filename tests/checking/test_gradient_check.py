"""The gradient check: worked numbers, independent derivatives, options, size, words and misuse."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from dataclasses import FrozenInstanceError
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from planted_by_hand import DENSE
from scipy.optimize import approx_fprime, check_grad

import deepwell as dw
from deepwell.checking import one_sided_derivative, two_sided_derivative
from deepwell.checking._gradient_check import grade

W = np.random.default_rng(1).normal(size=5)


@pytest.mark.proves("C1", "formula")
def test_worked_numbers() -> None:
    assert two_sided_derivative(lambda t: t**3, 1.0, 0.01) == pytest.approx(3.0001, abs=1e-12)
    assert one_sided_derivative(lambda t: t**3, 1.0, 0.01) == pytest.approx(3.0301, abs=1e-12)


@pytest.mark.proves("C1", "formula")
def test_the_errors_are_of_second_and_of_first_order() -> None:
    for derivative, factor in ((two_sided_derivative, 100), (one_sided_derivative, 10)):
        wide, narrow = (abs(derivative(np.exp, 0.0, eps) - 1) for eps in (1e-2, 1e-3))
        assert wide / narrow == pytest.approx(factor, rel=0.02)


@pytest.mark.proves("C1", "independent")
def test_the_one_sided_derivative_is_scipys() -> None:
    for x in (-1.5, 0.3, 2.0):
        theirs = approx_fprime(np.array([x]), lambda t: float(np.sin(t[0]) * t[0]), 1e-6)[0]
        ours = one_sided_derivative(lambda t: float(np.sin(t) * t), x, 1e-6)
        assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("eps", [0.0, -1e-3, float("nan"), "small"])
@pytest.mark.parametrize("derivative", [one_sided_derivative, two_sided_derivative])
def test_a_step_that_is_none(derivative: Any, eps: Any) -> None:
    with pytest.raises(dw.UsageError, match="`eps` must be above 0, got"):
        derivative(np.sin, 1.0, eps)


@pytest.mark.proves("C2", "independent")
def test_slopes_are_scipys_and_its_verdict_is_ours() -> None:
    start = DENSE.parameters()
    names, sizes = list(start), [start[k].size for k in start]

    def tree(vector: np.ndarray) -> dict[str, np.ndarray]:
        parts = np.split(vector, np.cumsum(sizes)[:-1])
        return {k: p.reshape(start[k].shape) for k, p in zip(names, parts, strict=True)}

    def cost(vector: np.ndarray) -> float:
        return DENSE.cost(tree(vector))

    right = DENSE.gradient(DENSE.steps)

    def gradient(vector: np.ndarray) -> np.ndarray:
        return np.concatenate([right(tree(vector))[k].ravel() for k in names])

    vector = np.concatenate([start[k].ravel() for k in names])
    assert (
        check_grad(cost, gradient, vector) < 1e-5
    )  # theirs: one-sided, the norm of the difference
    assert dw.check_gradients_of(cost, gradient, vector).error < 1e-8
    spoiled = dw.check_gradients_of(cost, lambda v: gradient(v) + np.eye(len(v))[7], vector)
    (worst,) = spoiled.points[0].blocks[0].worst
    assert worst.index == (7,)
    assert worst.slope == pytest.approx(approx_fprime(vector, cost, 1e-7)[7], rel=1e-5)
    assert worst.gradient == pytest.approx(worst.slope + 1, rel=1e-9)


def test_the_error_is_that_of_the_formula() -> None:
    check = dw.check_gradients_of(lambda w: (w**2).sum(), lambda w: 3 * w, W)
    assert check.error == pytest.approx(1 / 5, rel=1e-9)  # |2w - 3w| / (|2w| + |3w|)
    assert [grade(e) for e in (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.2)] == [
        "great", "good", "good", "look", "look", "worry",
    ]  # fmt: skip


def test_a_bug_that_shows_only_after_some_training() -> None:
    def cost(t: dict) -> float:
        return float((t["w"] ** 2).sum() + (t["b"] ** 2).sum() + t["b"].sum())

    def gradient(t: dict) -> dict:
        return {"w": 2 * t["w"], "b": 4 * t["b"] + 1}  # right while b is 0

    start = {"w": np.ones(3), "b": np.zeros(2)}
    early, late = dw.check_gradients_of(cost, gradient, start).points
    assert [b.verdict for b in early.blocks] == ["right", "right"]
    assert [b.verdict for b in late.blocks] == ["right", "wrong"]
    assert dw.check_gradients_of(cost, gradient, start, steps=0).right


def test_a_gradient_that_is_not_a_number_at_a_kink_is_wrong_though_right_beside() -> None:
    check = dw.check_gradients(lambda w: jnp.linalg.norm(w), np.zeros(3))
    assert check.verdict == "wrong"
    assert check.block("params").cause.kind == "not finite"


def test_a_straight_through_slope_is_told() -> None:
    def loss(w: Any) -> Any:
        rounded = w + jax.lax.stop_gradient(jnp.round(w) - w)
        return (rounded * jnp.arange(1.0, 6.0)).sum()

    check = dw.check_gradients(loss, W)
    assert check.verdict == "wrong"
    assert check.block("params").cause.kind == "flat"


def test_the_number_of_rows_is_named() -> None:
    @jax.custom_vjp
    def mean(z: Any) -> Any:
        return z.mean()

    mean.defvjp(lambda z: (z.mean(), z), lambda z, g: (g * jnp.ones_like(z),))
    x = np.random.default_rng(0).normal(size=(23, 5))
    check = dw.check_gradients(lambda w, x: mean((x @ w) ** 2), W, x)
    assert check.block("params").cause.sentence == (
        "it is 23 times too large, the number of rows: a sum where a mean is meant?"
    )


def test_a_cause_in_common_is_said_once_for_all() -> None:
    def gradient(t: dict) -> dict:
        return {k: 0.5 * v for k, v in DENSE.gradient(DENSE.steps)(t).items()}

    check = dw.check_gradients_of(DENSE.cost, gradient, DENSE.parameters())
    assert check.in_common is not None
    assert check.in_common.sentence == "it is 2 times too small"
    assert "in common: it is 2 times too small" in str(check)


def network(sizes: tuple[int, ...]) -> list:
    rng = np.random.default_rng(0)
    return [
        {
            "w": (rng.normal(size=(a, b)) * np.sqrt(2 / a)).astype(np.float32),
            "b": np.zeros(b, np.float32),
        }
        for a, b in itertools.pairwise(sizes)
    ]


def deep_loss(params: Any, x: Any, y: Any, bug: Any) -> Any:
    for number, layer in enumerate(params[:-1]):
        w = bug(layer["w"]) if number == 1 else layer["w"]
        x = jax.nn.relu(x @ w + layer["b"])
    logs = jax.nn.log_softmax(x @ params[-1]["w"] + params[-1]["b"])
    return -logs[jnp.arange(len(y)), y].mean() + 1e-3 * sum((p["w"] ** 2).sum() for p in params)


def spoiled(change: Any) -> Any:
    """Return the identity with a slope that `change` spoils."""
    rule = jax.custom_vjp(lambda w: w)
    rule.defvjp(lambda w: (w, None), lambda _, g: (change(g),))
    return rule


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda g: g, 0),
        (lambda g: g.at[40, 17].multiply(1.5), 1),
        (lambda g: g.at[-1].set(0), 8),
        (lambda g: 2 * g, 60),
    ],
    ids=["right", "one entry", "last row", "all"],
)
def test_a_large_network(change: Any, wrong: int) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(32, 20)), rng.integers(0, 5, 32)
    loss = partial(deep_loss, bug=spoiled(change))
    check = dw.check_gradients(loss, network((20, 64, 64, 5)), x, y)
    assert check.wrong_blocks == (("1/w",) if wrong else ())
    if wrong:
        block = check.points[0].blocks[3]
        assert block.wrong_entries >= wrong
        assert block.entries < 200 < 64 * 64
    if wrong == 1:
        assert block.worst[0].index == (40, 17)
    if wrong == 8:
        assert {entry.index[0] for entry in block.worst} == {63}
        assert block.cause is not None
        assert block.cause.sentence == "all wrong entries found lie at 63 of axis 0 (the last)"
    if wrong == 60:
        assert block.cause is not None
        assert block.cause.sentence == (
            "apart from a term 0.002 times the parameter, it is 2 times too large"
        )


def test_a_network_of_100_000_parameters_is_checked_in_seconds() -> None:
    params = network((64, 256, 256, 64, 10))
    assert sum(layer["w"].size + layer["b"].size for layer in params) == 99_530
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(64, 64)), rng.integers(0, 10, 64)
    began = time.perf_counter()
    check = dw.check_gradients(partial(deep_loss, bug=lambda w: w), params, x, y)
    assert check.right
    assert check.error < 1e-5
    assert time.perf_counter() - began < 60  # about a tenth where nothing else runs


def test_jax_is_left_as_it_was() -> None:
    before = jax.config.jax_enable_x64
    assert dw.check_gradients(lambda w: jnp.sin(w).sum(), W.astype(np.float32)).error < 1e-9
    assert jax.config.jax_enable_x64 is before
    assert jnp.ones(1).dtype == (jnp.float64 if before else jnp.float32)


def test_the_same_each_time() -> None:
    one, two = (dw.check_gradients(lambda w: jnp.exp(w).sum(), W, seed=3) for _ in range(2))
    assert one == two
    with pytest.raises(FrozenInstanceError):
        one.digits = 3  # type: ignore[misc]


def test_digits_and_notes_tell_the_precision() -> None:
    def low(w: Any) -> Any:
        return (w.astype(jnp.float32) ** 2).sum()

    assert dw.check_gradients(lambda w: (w**2).sum(), W).digits > 14
    assert 6 < dw.check_gradients(low, W).digits < 8.5

    def refuses(w: Any) -> Any:
        if w.dtype != jnp.float32:
            raise TypeError("float32 only")
        return (w**2).sum()

    check = dw.check_gradients(refuses, W.astype(np.float32))
    assert check.right
    assert "the loss refuses float64" in check.notes[0]
    assert "float32 only" in check.notes[0]


def test_what_is_held_is_said() -> None:
    start = {"w": W, "steps": 3, "name": "tanh"}
    for check in (
        dw.check_gradients(lambda p: (p["w"] ** 2).sum() * p["steps"], start),
        dw.check_gradients_of(
            lambda t: (t["w"] ** 2).sum() * t["steps"], lambda t: {"w": 6 * t["w"]}, start
        ),
    ):
        assert check.right
        assert "held as it is" in check.notes[0]
        assert "steps" in check.notes[0]


def test_a_function_that_changes_its_argument_is_told() -> None:
    def cost(t: np.ndarray) -> float:
        t -= 1
        return float((t**2).sum())

    check = dw.check_gradients_of(cost, lambda t: 2 * (t - 1), W)
    assert check.right
    assert check.notes == (
        "`cost` changes the parameters that it is given; it got copies here",
    )  # fmt: skip


def test_json_holds_the_whole_verdict() -> None:
    check = dw.check_gradients_of(
        lambda t: float(t["w"].sum()), lambda t: {"w": np.array([1.0, np.nan])}, {"w": np.ones(2)}
    )
    plain = json.loads(json.dumps(check.to_json(), allow_nan=False))
    assert plain["verdict"] == "wrong"
    assert plain["wrong_blocks"] == ["w"]
    assert plain["points"][0]["blocks"][0]["cause"]["kind"] == "not finite"
    assert plain["points"][0]["blocks"][0]["worst"][0]["gradient"] is None


def test_errors_of_the_functions_are_their_own() -> None:
    def breaks(w: Any) -> Any:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        dw.check_gradients(breaks, W)
    with pytest.raises(ZeroDivisionError, match="mine"):
        dw.check_gradients_of(breaks, breaks, W)
    with pytest.raises(ZeroDivisionError, match="mine"):
        dw.check_gradients_of(lambda w: w.sum(), breaks, W)


draws = np.random.default_rng(0).normal


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: dw.check_gradients(3, W), "`loss` must be a function, got int"),
        (lambda: dw.check_gradients(jnp.sin, W), r"one floating-point number, got shape \(5,\)"),
        (lambda: dw.check_gradients(lambda w: (w.sum(), 1), W), "pass has_aux=True"),
        (lambda: dw.check_gradients(lambda w: w.sum(), W, has_aux=True), "must return two things"),
        (lambda: dw.check_gradients(lambda w: 1, W), "one floating-point number, got int"),
        (
            lambda: dw.check_gradients(lambda w: jnp.log(-(w[0] ** 2)), W),
            "must be finite at `params`",
        ),
        (lambda: dw.check_gradients(lambda w: w["a"] * 1.0, {"a": 3}), "write 1.0 in place of 1"),
        (lambda: dw.check_gradients(lambda w: w.sum() * draws(), W), "the same number each time"),
        (lambda: dw.check_gradients(lambda w: w.sum(), W, steps=-1), "`steps` must be a whole"),
        (lambda: dw.check_gradients(lambda w: w.sum(), W, seed=1.5), "`seed` must be a whole"),
        (lambda: dw.check_gradients(lambda w: float(np.sum(w)), W), "written in jax.numpy"),
        (lambda: dw.check_gradients_of(np.sum, W, W), "`gradient` must be a function of the"),
        (
            lambda: dw.check_gradients_of(np.sin, np.cos, W),
            "one real number, got an array of shape",
        ),
        (lambda: dw.check_gradients_of(lambda w: "3", np.cos, W), "one real number, got str"),
        (lambda: dw.check_gradients_of(np.sum, np.cos, np.arange(3)), "write 1.0 in place of 1"),
        (lambda: dw.check_gradients_of(np.sum, np.cos, W / 0), "must be finite, but theta holds"),
        (lambda: dw.check_gradients_of(lambda w: w.sum() * draws(), np.cos, W), "each time"),
        (
            lambda: dw.check_gradients_of(lambda t: t["a"].sum(), lambda t: {"b": 1}, {"a": W}),
            "must return the form of `theta`: a is not in what it returned",
        ),
        (
            lambda: dw.check_gradients_of(np.sum, lambda w: None, W),
            "must return real numbers, but that of theta is object",
        ),
    ],
)
def test_misuse_is_told_in_one_sentence(call: Any, told: str) -> None:
    with np.errstate(divide="ignore"), pytest.raises(dw.UsageError, match=told) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_functions_of_other_libraries_load_no_jax() -> None:
    code = (
        "import sys, numpy as np, deepwell as dw\n"
        "print(dw.check_gradients_of(lambda w: (w**2).sum(), lambda w: 2 * w, np.ones(3)).right)\n"
        "print('jax' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True", "False"]
