"""Lanes that move together, as on an accelerator, train the same networks."""

import numpy as np

from deepwell.training._jax_program import JaxProgram
from deepwell.training._program import ProgramOptions


def test_lanes_that_move_together_train_the_same_networks(
    structure, program, member, trained, rows
):
    s = structure(hidden=(8,), optimizer="sgd", activation="relu")
    wide = JaxProgram(s, rows("softmax"), ProgramOptions(lanes=4, width=4))
    members = [member(s, seed=i, learning_rate=0.01 * (i + 1)) for i in range(4)]
    members.append(member(s, seed=9, learning_rate=1e300))
    one_by_one, first = trained(program(s), members, epochs=10)
    together, second = trained(wide, members, epochs=10)
    for a, b in zip(one_by_one[:4], together[:4], strict=True):
        for name in a:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(first[-1].outcome, second[-1].outcome)
    np.testing.assert_array_equal(first[-1].step, second[-1].step)
