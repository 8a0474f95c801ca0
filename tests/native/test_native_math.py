"""The activations of the core at single points, against NumPy and SciPy in twice the precision."""

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
    ("learning_rate", "decay_rate", "momentum", "beta1", "beta2", "epsilon", "dropout", "l2"), 0.0
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


@pytest.mark.parametrize("name", ACTIVATIONS)
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
