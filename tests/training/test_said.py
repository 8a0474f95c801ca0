"""What a session keeps of its members' last scores: the raw outputs that were scored."""

import numpy as np
import pytest

from deepwell.data._batches import epoch_order
from deepwell.networks._forward import forward
from deepwell.networks._losses import LOSSES
from deepwell.training import _native_program
from deepwell.training._changing import ChangingSession
from deepwell.training._program import Chunk


def order(epoch):
    return epoch_order(3, epoch, 70, 16)


@pytest.mark.parametrize("loss", ["softmax", "logistic", "squared"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_is_what_the_forward_pass_gives_and_what_was_scored(
    structure, native, member, rows, loss, dtype
):
    outputs = 3 if loss == "softmax" else 1
    score = "rmse" if loss == "squared" else "error"
    s = structure(loss=loss, outputs=outputs, dtype=dtype, score=score)
    members = [member(s, seed=i, hidden=(5 + i,)) for i in range(3)]
    held = rows(loss)
    session = native(s).load(members, [None] * 3)
    assert session.said(0) is None  # nothing was scored yet
    for epoch in (1, 2):
        info = session.advance(Chunk(order(epoch), epoch))
    for index, (one, state) in enumerate(zip(members, session.states(), strict=True)):
        said = session.said(index)
        assert said.dtype == dtype
        tolerance = 1e-4 if dtype == "float32" else 1e-9
        expected = forward(one.architecture, state, held.x_dev.astype(dtype))
        np.testing.assert_allclose(said, expected, rtol=tolerance, atol=tolerance)
        cost = LOSSES[loss].rows(said.astype(float), held.y_dev, np)
        cost = (cost * held.weight_dev).sum() / held.weight_dev.sum()
        assert cost == pytest.approx(info.dev_cost[index], rel=1e-4)
    wrapped = ChangingSession(session, members)
    np.testing.assert_array_equal(wrapped.said(1), session.said(1))


def test_outputs_that_are_too_many_are_not_kept(structure, native, member, monkeypatch):
    monkeypatch.setattr(_native_program, "KEPT_BYTES", 100)
    s = structure()
    session = native(s).load([member(s)], [None])
    session.advance(Chunk(order(1), 1))
    assert session.said(0) is None


def test_a_member_that_is_not_there_is_refused(structure, native, member):
    s = structure()
    session = native(s).load([member(s)], [None])
    with pytest.raises(IndexError):
        session.said(4)


def test_the_jax_program_keeps_none(structure, program, member):
    s = structure()
    session = program(s).load([member(s)], [None])
    session.advance(Chunk(order(1), 1))
    assert session.said(0) is None
