"""The counts of an architecture against arrays and against the products that JAX performs."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deepwell.networks._activations import ACTIVATIONS
from deepwell.networks._architecture import Architecture
from deepwell.networks._initializers import initial_parameters
from deepwell.networks._mlp import outputs

SHAPES = [
    Architecture(7, (), 3),
    Architecture(1, (), 1, loss="squared"),
    Architecture(5, (4,), 1, loss="logistic"),
    Architecture(6, (8, 3, 5), 4),
]


def products(architecture: Architecture, rows: int) -> int:
    """Count the multiply-adds of all matrix products in the program of one gradient."""
    drawn = initial_parameters(architecture, "he", 0)
    layers = range(architecture.layers)
    weights, biases = ([drawn[f"{k}/{i}"] for i in layers] for k in ("weights", "biases"))

    def cost(weights, biases, x):
        activation = ACTIVATIONS["tanh"]
        return (outputs(weights, biases, x, activation, jnp.float32(0), []) ** 2).sum()

    x = np.zeros((rows, architecture.inputs), np.float32)
    program = jax.make_jaxpr(jax.grad(cost, argnums=(0, 1)))(weights, biases, x)
    count = 0
    for equation in program.eqns:
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            left = equation.invars[0].aval.shape
            count += equation.outvars[0].aval.size * int(np.prod([left[i] for i in contracted]))
    return count


@pytest.mark.parametrize("architecture", SHAPES)
def test_multiply_adds_are_those_of_the_gradients_program(architecture: Architecture) -> None:
    assert architecture.multiply_adds() * 9 == products(architecture, rows=9)


@pytest.mark.parametrize("architecture", SHAPES)
def test_parameters_are_those_that_are_drawn(architecture: Architecture) -> None:
    drawn = initial_parameters(architecture, "he", 0)
    assert architecture.parameters == sum(p.size for p in drawn.values())
    shapes = [drawn[f"weights/{layer}"].shape for layer in range(architecture.layers)]
    assert architecture.layer_shapes() == shapes


def test_worked_numbers() -> None:
    a = Architecture(2, (3,), 4)
    assert (a.widths, a.layers) == ((2, 3, 4), 2)
    assert a.parameters == 2 * 3 + 3 + 3 * 4 + 4
    assert a.multiply_adds() == 2 * (2 * 3) + 3 * (3 * 4)
