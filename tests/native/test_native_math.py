"""Activations and losses of the core at single points, against more precise arithmetic."""

import numpy as np
import pytest

from deepwell.networks._activations import ACTIVATIONS
from deepwell.networks._architecture import Architecture
from deepwell.training._native_program import NativeProgram
from deepwell.training._program import Member, Structure, TrainingRows
from deepwell.training._state import initial_state

POINTS = np.concatenate(
    [[0.0, -0.0, 1e-30, -1e-30, 88.5, -88.5, 1e4, -1e4], np.linspace(-12, 12, 97), [1e-4, -1e-4]]
)
NUMBERS = dict.fromkeys(
    ("learning_rate", "decay_rate", "momentum", "beta1", "beta2", "epsilon", "l2"), 0.0
)


def at_points(activation, dtype, slope=0.25):
    """Return g at every point: one member a point, whose hidden bias is the point."""
    x, y, weight = np.zeros((1, 1)), np.zeros(1), np.ones(1)
    s = Structure(1, (), 1, "squared", "", "", 1, False, 1, 1, 1, "mae")
    program = NativeProgram(s, TrainingRows(x, y, weight, x, y, weight))
    one = Member(Architecture(1, (1,), 1, activation, slope, "squared"), "sgd", "zeros", 0,
                 NUMBERS, dtype=dtype)  # fmt: skip
    states = []
    for point in POINTS:
        state = initial_state(one)
        state["best/biases/0"] = np.full(1, point, dtype)
        state["best/weights/1"] = np.ones((1, 1), dtype)
        states.append(state)
    return program.evaluate([one] * len(states), states).dev_score


@pytest.mark.parametrize("name", [n for n in ACTIVATIONS if n != "maxout"])
@pytest.mark.parametrize(("dtype", "units"), [("float32", 6), ("float64", 6)])
def test_activations_are_right_to_the_last_digits(name, dtype, units):
    got = at_points(name, dtype)
    z = POINTS.astype(dtype).astype(np.longdouble if dtype == "float64" else np.float64)
    z = z.astype(np.float64)
    right = np.abs(ACTIVATIONS[name].apply(z, 0.25, np))
    # A unit in the last place of the value; of 1 (times z) where the formula adds 1 first.
    scale = np.maximum(right, {"sigmoid": 1.0}.get(name, 0.0))
    if name in ("gelu", "silu"):
        scale = np.maximum(right, np.abs(z))
    tiny = np.finfo(dtype).tiny
    assert (np.abs(got - right) <= units * np.finfo(dtype).eps * scale + tiny).all()


def losses_at(loss, outputs, dtype):
    """Return the loss of a row of class 0: one member a row of `outputs`, which are its biases."""
    x, y, weight = np.zeros((1, 1)), np.zeros(1), np.ones(1)
    width = outputs.shape[1]
    s = Structure(1, (), width, loss, "", "", 1, False, 1, 1, 1, "log_loss")
    program = NativeProgram(s, TrainingRows(x, y, weight, x, y, weight))
    one = Member(Architecture(1, (), width, "relu", 0.0, loss), "sgd", "zeros", 0, NUMBERS,
                 dtype=dtype)  # fmt: skip
    state = initial_state(one)
    states = [state | {"best/biases/0": row.astype(dtype)} for row in outputs]
    return program.evaluate([one] * len(states), states).dev_cost


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_logistic_loss_is_right_to_the_last_digits(dtype):
    """Also where the true class is nearly sure, and the loss is nearly 0."""
    z = np.concatenate([np.linspace(-80, 80, 641), np.linspace(-1, 1, 201), [0.0, -0.0, 1e4]])
    got = losses_at("logistic", z[:, None], dtype)
    z = z.astype(dtype).astype(np.longdouble)
    right = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
    assert (np.abs(got - right) <= 6 * np.finfo(dtype).eps * right).all()
    assert np.isnan(losses_at("logistic", np.full((1, 1), np.nan), dtype)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("classes", [2, 3, 10, 1000])
def test_the_softmax_loss_is_right_to_the_last_digits(dtype, classes):
    """A sum of exponentials lies from 1 to the number of classes: every exponent is met."""
    z = np.random.default_rng(0).normal(size=(200, classes)) * np.geomspace(1e-3, 30, 200)[:, None]
    got = losses_at("softmax", z, dtype)
    z = z.astype(dtype).astype(np.longdouble)
    top = z.max(1)
    right = np.log(np.exp(z - top[:, None]).sum(1)) + top - z[:, 0]
    scale = np.maximum(np.abs(top - z[:, 0]), np.sqrt(classes))  # rounding of a sum of that many
    assert (np.abs(got - right) <= 6 * np.finfo(dtype).eps * scale).all()
    z[0, 0], z[1, 0] = np.nan, np.inf
    assert np.isnan(losses_at("softmax", z[:2].astype(dtype), dtype)).all()
