"""The gradient of a whole network, in every program, against numerical derivatives in float64.

One step of plain descent with rate 1 moves each parameter by minus its gradient. The cost that is
differentiated numerically is NumPy's forward pass with the loss, the sample weights, the masks
and the penalty written out.
"""

from __future__ import annotations

import numpy as np
import pytest

from deepwell._base._hash import Purpose, fold, key, words
from deepwell.networks._activations import ACTIVATIONS
from deepwell.networks._losses import LOSSES
from deepwell.networks._normals import fill_normals
from deepwell.testing._numerical import gradient_difference, numerical_gradient
from deepwell.training._program import Chunk
from deepwell.training._state import initial_state, parameter_names

BATCH = np.arange(16)


@pytest.fixture
def program(every_program):
    return every_program


def start(member):
    """Return a state whose biases are not 0, so that no unit stands on a kink."""
    state = initial_state(member)
    for layer in range(member.architecture.layers):
        bias = state[f"biases/{layer}"][None]
        fill_normals(bias, member.seed, (Purpose.WEIGHTS, 100 + layer), 0.3)
    return state


def cost_of(member, rows):
    """Return `parameters -> cost` of the first step's batch, dropout masks included."""
    a, numbers = member.architecture, member.numbers
    weight = rows.weight_train[BATCH]
    masks_key = fold(fold(key(member.seed), Purpose.DROPOUT), 1)

    def cost(parameters):
        h = rows.x_train[BATCH]
        for layer in range(a.layers):
            z = h @ parameters[f"weights/{layer}"] + parameters[f"biases/{layer}"]
            if layer < a.layers - 1:
                h = ACTIVATIONS[a.activation].apply(z, a.slope, np)
                drawn = words(fold(masks_key, layer), h.shape)
                h = h * (drawn >= numbers["dropout"] * 2.0**32) / (1 - numbers["dropout"])
        losses = LOSSES[a.loss].rows(z, rows.y_train[BATCH], np)
        squares = sum((parameters[f"weights/{layer}"] ** 2).sum() for layer in range(a.layers))
        return float((losses * weight).sum() / weight.sum() + numbers["l2"] / 2 * squares)

    return cost


def difference(program, member, rows):
    """Return the relative difference between a program's gradient and the numerical one."""
    state = start(member)
    session = program.load([member], [state])
    session.advance(Chunk(BATCH.astype(np.int32)[None], 1))
    (after,) = session.states()
    names = parameter_names(member.architecture.layers)
    moved = {name: state[name] - after[name] for name in names}
    numerical = numerical_gradient(cost_of(member, rows), {name: state[name] for name in names})
    return gradient_difference(numerical, moved)


@pytest.mark.proves("N1", "N4", "N5", "N7", "N10", "R1", "D9", "O1", "gradient")
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation, structure, program, member, rows):
    s = structure(activation=activation, optimizer="sgd")
    one = member(s, hidden=(5, 7), seed=3, learning_rate=1.0, l2=0.05)
    assert difference(program(s), one, rows("softmax")) < 1e-7


@pytest.mark.proves("N5", "N11", "gradient")
@pytest.mark.parametrize("hidden", [(), (5,)])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_with_and_without_hidden_layers(loss, hidden, structure, program, member, rows):
    s = structure(
        optimizer="sgd", loss=loss, outputs=3 if loss == "softmax" else 1, hidden=hidden,
        score={"softmax": "error", "logistic": "error", "squared": "rmse"}[loss],
    )  # fmt: skip
    one = member(s, seed=7, learning_rate=1.0, l2=0.01)
    assert difference(program(s), one, rows(loss)) < 1e-7


@pytest.mark.parametrize("wrong", [{"l2": 0.06}, {"dropout": 0.31}])
def test_a_wrong_gradient_is_seen(wrong, structure, program, member, rows):
    s = structure(optimizer="sgd")
    one = member(s, hidden=(5, 7), seed=3, learning_rate=1.0, l2=0.05)
    other = member(s, hidden=(5, 7), seed=3, learning_rate=1.0, **{"l2": 0.05, **wrong})
    state, names = start(one), parameter_names(3)
    numerical = numerical_gradient(cost_of(other, rows("softmax")), {n: state[n] for n in names})
    session = program(s).load([one], [state])
    session.advance(Chunk(BATCH.astype(np.int32)[None], 1))
    (after,) = session.states()
    assert gradient_difference(numerical, {n: state[n] - after[n] for n in names}) > 1e-4
