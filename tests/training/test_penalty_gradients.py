"""The gradient with penalties, of deep and of linear networks, against numerical derivatives.

One step of plain descent with rate 1 moves each parameter by minus the gradient of the mean loss
plus the penalties.
"""

from __future__ import annotations

import numpy as np
import pytest

from deepwell.networks._forward import forward
from deepwell.networks._losses import LOSSES
from deepwell.testing._numerical import gradient_difference, numerical_gradient
from deepwell.training._program import Chunk
from deepwell.training._state import initial_state

BATCH = np.arange(16, dtype=np.int32)
PENALTIES = {"l2": 0.05, "l1": 0.03}


def penalized_cost(member, rows):
    """Return `parameters -> cost` of the batch, the penalties on weights included."""
    network, weight = member.architecture, rows.weight_train[BATCH]

    def cost(parameters):
        z = forward(network, parameters, rows.x_train[BATCH])
        losses = LOSSES[network.loss].rows(z, rows.y_train[BATCH], np)
        weights = [parameters[f"weights/{layer}"] for layer in range(network.layers)]
        squares = sum((w**2).sum() for w in weights)
        sizes = sum(np.abs(w).sum() for w in weights)
        penalties = member.number("l2") / 2 * squares + member.number("l1") * sizes
        return float((losses * weight).sum() / weight.sum() + penalties)

    return cost


@pytest.mark.proves("R1", "R2", "N11", "D9", "O1", "gradient")
@pytest.mark.parametrize("hidden", [(), (5,)], ids=["linear", "deep"])
@pytest.mark.parametrize("loss", LOSSES)
def test_penalties_are_in_the_gradient(loss, hidden, every_program, structure, member, rows):
    s = structure(
        optimizer="sgd", loss=loss, outputs=3 if loss == "softmax" else 1, hidden=hidden,
        score="rmse" if loss == "squared" else "log_loss", drops=False, extras=("l1",),
    )  # fmt: skip
    one = member(s, seed=7, learning_rate=1.0, **PENALTIES)
    state = initial_state(one)
    names = list(one.architecture.parameter_shapes())
    session = every_program(s).load([one], [state])
    session.advance(Chunk(BATCH[None], 1))
    (after,) = session.states()
    moved = {name: state[name] - after[name] for name in names}
    numerical = numerical_gradient(penalized_cost(one, rows(loss)), {n: state[n] for n in names})
    assert gradient_difference(numerical, moved) < 1e-7
