"""Streamed rows: windows of a memory-mapped file train the members that rows in memory train."""

import dataclasses

import numpy as np
import pytest

from deepwell.data._batches import epoch_order
from deepwell.data._mapped import read_rows
from deepwell.training._jax_program import JaxProgram
from deepwell.training._native_program import NativeProgram
from deepwell.training._program import Chunk, ProgramOptions, Window
from deepwell.training._state import initial_state
from deepwell.training._window import window_steps, windowed

TRAIN, BATCH = 70, 16


def streamed_program(kind, structure, rows, steps):
    """Return a program of the same members whose train rows come in windows of `steps` steps."""
    streamed = dataclasses.replace(rows, streamed=True)
    if kind == "native":
        return NativeProgram(structure, streamed, lanes=8)
    small = dataclasses.replace(structure, steps=steps, train_rows=steps * BATCH + 1)
    return JaxProgram(small, streamed, ProgramOptions(lanes=4))


def mapped(rows, folder):
    """Return the rows with the train inputs in a file."""
    file = folder / "rows.bin"
    np.ascontiguousarray(rows.x_train).tofile(file)
    x = np.memmap(file, rows.x_train.dtype, "r", shape=rows.x_train.shape)
    return dataclasses.replace(rows, x_train=x, streamed=True)


def chunks(epoch, steps):
    order = epoch_order(3, epoch, TRAIN, BATCH)
    for first in range(0, len(order), steps):
        yield Chunk(order[first : first + steps], epoch, first + steps >= len(order))


def same(states, others):
    for one, other in zip(states, others, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["native", "jax"])
def test_windows_train_to_the_bit_what_rows_in_memory_train(
    kind, dtype, structure, program, native, member, rows, tmp_path
):
    held = (native if kind == "native" else program)(structure(dtype=dtype))
    shape = held.structure
    members = [
        member(shape, hidden=(8, 8), seed=1),
        member(shape, hidden=(5, 7), seed=2, dropout=0.5, l2=0.1, patience=1),
        member(shape, hidden=(8, 3), seed=3, dropout=0.0, patience=2, learning_rate=0.3),
        member(shape, hidden=(4, 4), seed=4, learning_rate=1e30),  # diverges
    ]
    on_disk = mapped(rows(shape.loss), tmp_path)
    streamed = streamed_program(kind, shape, on_disk, steps=2)
    states = [initial_state(m) for m in members]
    whole, parts = held.load(members, states), streamed.load(members, states)
    for epoch in range(1, 7):
        order = epoch_order(3, epoch, TRAIN, BATCH)
        expected = whole.advance(Chunk(order, epoch))
        got = [parts.advance(windowed(chunk, on_disk)) for chunk in chunks(epoch, steps=2)][-1]
        for name in ("dev_cost", "dev_score", "outcome", "step", "best_epoch"):
            running = expected.moved & np.isfinite(expected.dev_cost)
            np.testing.assert_array_equal(
                getattr(got, name)[running], getattr(expected, name)[running], err_msg=name
            )
        if epoch == 3:  # a stop inside an epoch, and on from the states alone
            parts = streamed.load(members, parts.states())
    same(parts.states(), whole.states())
    best = held.evaluate(members, whole.states()).dev_score
    np.testing.assert_array_equal(streamed.evaluate(members, parts.states()).dev_score, best)


@pytest.mark.parametrize("kind", ["native", "jax"])
def test_members_go_on_in_the_middle_of_an_epoch(
    kind, structure, program, native, member, rows, tmp_path
):
    held = (native if kind == "native" else program)(structure())
    on_disk = mapped(rows(held.structure.loss), tmp_path)
    members = [member(held.structure, seed=7)]
    start = [initial_state(m) for m in members]
    whole = held.load(members, start)
    for chunk in chunks(1, steps=5):
        whole.advance(chunk)
    states = start
    for chunk in chunks(1, steps=1):  # a new session and another window size for every step
        # Two at least for JAX, as the planner has it: a loop of one step rounds otherwise.
        session = streamed_program(kind, held.structure, on_disk, steps=2).load(members, states)
        session.advance(windowed(chunk, on_disk))
        states = session.states()
    same(states, whole.states())


def test_a_window_holds_the_rows_of_its_steps_and_no_others(rows, tmp_path):
    all_rows = rows("softmax")
    on_disk = mapped(all_rows, tmp_path)
    order = epoch_order(3, 1, TRAIN, BATCH)[-2:]  # the last batch is short
    chunk = windowed(Chunk(order, 1), on_disk)
    real = order.ravel() < TRAIN
    assert chunk.window is not None
    assert chunk.order.max() == real.sum() == len(chunk.window.y) == BATCH + TRAIN % BATCH
    assert not isinstance(chunk.window.x, np.memmap)
    for name in ("x", "y", "weight"):
        expected = getattr(all_rows, f"{name}_train")[order.ravel()[real]]
        got = getattr(chunk.window, name)[chunk.order.ravel()[real]]
        np.testing.assert_array_equal(got, expected)


def test_rows_come_from_a_file_in_any_order_and_as_often_as_wanted(tmp_path, monkeypatch):
    monkeypatch.setattr("deepwell.data._mapped._PIECE_BYTES", 100)
    table = np.arange(3000, dtype=np.float32).reshape(1000, 3)
    table.tofile(tmp_path / "table.bin")
    on_disk = np.memmap(tmp_path / "table.bin", np.float32, "r", shape=table.shape)
    wanted = np.random.default_rng(0).integers(0, 1000, 5000)
    np.testing.assert_array_equal(read_rows(on_disk, wanted), table[wanted])
    np.testing.assert_array_equal(read_rows(on_disk, wanted[:0]), table[wanted[:0]])
    np.testing.assert_array_equal(read_rows(table, wanted), table[wanted])


def test_a_window_takes_as_many_steps_as_fit_and_at_least_one():
    assert window_steps(batch=10, inputs=8, window_bytes=10 * 40 * 7 + 39) == 7
    assert window_steps(batch=10**6, inputs=8, window_bytes=1) == 1


@pytest.mark.parametrize("kind", ["native", "jax"])
def test_a_program_of_streamed_rows_asks_for_a_window(kind, structure, member, rows, native):
    if kind == "native":
        native(structure())  # skips without a compiled core
    shape = structure()
    program = streamed_program(kind, shape, rows(shape.loss), steps=2)
    one = member(shape)
    session = program.load([one], [initial_state(one)])
    with pytest.raises(ValueError, match="window"):
        session.advance(Chunk(np.zeros((1, BATCH), np.int32), 1))


@pytest.mark.parametrize("kind", ["native", "jax"])
def test_a_window_that_does_not_fit_is_refused(kind, structure, member, rows, native):
    if kind == "native":
        native(structure())
    shape = structure()
    program = streamed_program(kind, shape, rows(shape.loss), steps=1)
    one = member(shape)
    session = program.load([one], [initial_state(one)])
    few = np.zeros(3, np.int32)
    order = np.zeros((1, BATCH), np.int32)
    wide = Chunk(order, 1, window=Window(np.zeros((3, 9)), few, np.ones(3)))
    with pytest.raises(ValueError, match=r"shape|features"):
        session.advance(wide)
    with pytest.raises(ValueError, match="equally long"):
        Window(np.zeros((4, 6)), few, np.ones(3))
    if kind == "native":
        strange = Chunk(order, 1, window=Window(np.zeros((3, 6)), few + 3, np.ones(3)))
        with pytest.raises(ValueError, match="class numbers"):
            session.advance(strange)
