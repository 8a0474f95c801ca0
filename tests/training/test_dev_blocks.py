"""A large dev set is scored block by block: the same scores, and a bounded memory."""

import dataclasses

import numpy as np
import pytest

from deepwell._native._core_module import available
from deepwell.training import _jax_blocks
from deepwell.training._jax_program import JaxProgram
from deepwell.training._program import ProgramOptions


@pytest.fixture
def made(structure, rows, member, trained):
    """Train three members in a program of its own, whose blocks have so many rows."""

    def make(block, numbers=(0, 1, 2)):
        s = structure(loss="softmax", score="f1", hidden=(8,), train_rows=71)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_jax_blocks, "BLOCK_ROWS", block)
            program = JaxProgram(s, rows("softmax"), ProgramOptions(lanes=2))
        states, infos = trained(program, [member(s, hidden=(5,), seed=n) for n in numbers])
        costs = np.array([[info.dev_cost, info.dev_score] for info in infos])
        return costs, [state["weights/0"] for state in states]

    return make


@pytest.mark.parametrize("block", [39, 20, 16, 7])
def test_blocks_give_the_scores_of_all_rows_at_once(block, made):
    """40 dev rows in blocks that fit them or not."""
    whole, weights = made(40)
    blocks, same = made(block)
    np.testing.assert_allclose(blocks, whole, rtol=1e-13)
    for one, other in zip(weights, same, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_member_alone_has_the_scores_that_it_has_among_others(made):
    together, _ = made(16)
    alone, _ = made(16, numbers=(1,))
    np.testing.assert_array_equal(alone[:, :, 0], together[:, :, 1])


@pytest.mark.skipif(not available(), reason="the native program needs its core")
def test_programs_agree_on_the_scores(made, structure, native, member, trained):
    s = structure(loss="softmax", score="f1", hidden=(8,), train_rows=71)
    _, infos = trained(native(s), [member(s, hidden=(5,), seed=n) for n in range(3)])
    costs = np.array([[info.dev_cost, info.dev_score] for info in infos])
    np.testing.assert_allclose(made(16)[0], costs, rtol=1e-9)


def test_hidden_units_of_a_large_dev_set_take_the_memory_of_a_block(structure, rows, monkeypatch):
    many, units = 20_000, 512
    small = rows("squared")
    dev = {
        f"{part}_dev": np.zeros((many, *getattr(small, f"{part}_dev").shape[1:]))
        for part in ("x", "y", "weight")
    }
    large = dataclasses.replace(small, **dev)
    s = structure(
        loss="squared", outputs=1, score="rmse", hidden=(units,), dev_rows=many, dtype="float32"
    )

    def temporaries(block):
        monkeypatch.setattr(_jax_blocks, "BLOCK_ROWS", block)
        program = JaxProgram(s, large, ProgramOptions(lanes=1))
        return program._advance.memory_analysis().temp_size_in_bytes

    assert temporaries(many) > 4 * many * units
    assert temporaries(1_000) < 4 * many * units / 4
