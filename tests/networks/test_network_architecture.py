"""The counts of an architecture against arrays and against the products that JAX performs."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from deepwell.networks._architecture import Architecture
from deepwell.networks._initializers import initial_parameters
from deepwell.networks._mlp import Pass, outputs

SHAPES = [
    Architecture(7, (), 3),
    Architecture(1, (), 1, loss="squared"),
    Architecture(5, (4,), 1, loss="logistic"),
    Architecture(6, (8, 3, 5), 4, "tanh"),
    Architecture(6, (8, 3, 5), 4, "maxout", pieces=3, residual=1),
]


def products(architecture: Architecture, rows: int) -> int:
    """Count the multiply-adds of all matrix products in the program of one gradient."""
    drawn = initial_parameters(architecture, "he", 0)
    x = np.zeros((rows, architecture.inputs), np.float32)
    share = np.full(rows, 1 / rows, np.float32)

    def cost(parameters, x):
        through = Pass(jnp.float32(0), jnp.float32(1e-5), share=share)
        return (outputs(architecture, parameters, x, through)[0] ** 2).sum()

    program = jax.make_jaxpr(jax.grad(cost))(drawn, x)
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


@pytest.mark.parametrize("norm", ["before", "after"])
def test_normalization_adds_two_parameters_a_unit_and_may_take_its_bias(norm: str) -> None:
    plain, normed = Architecture(4, (3, 5), 2), Architecture(4, (3, 5), 2, batch_norm=norm)
    assert normed.parameters - plain.parameters == (8 if norm == "before" else 16)
    assert set(normed.statistic_shapes()) == {
        "means/0", "variances/0", "means/1", "variances/1"
    }  # fmt: skip
    assert ("biases/0" in normed.parameter_shapes()) == (norm == "after")
    assert "biases/2" in normed.parameter_shapes()


def test_skip_connections_span_blocks_from_the_first_hidden_layer_on() -> None:
    network = Architecture(4, (8,) * 7, 2, residual=2)
    assert [network.skip_source(layer) for layer in range(7)] == [None, None, 0, None, 2, None, 4]
    assert all(Architecture(4, (8,) * 7, 2).skip_source(layer) is None for layer in range(7))


def test_worked_numbers() -> None:
    a = Architecture(2, (3,), 4)
    assert (a.widths, a.layers) == ((2, 3, 4), 2)
    assert a.parameters == 2 * 3 + 3 + 3 * 4 + 4
    assert a.multiply_adds() == 2 * (2 * 3) + 3 * (3 * 4)
