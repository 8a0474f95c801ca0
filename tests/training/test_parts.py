"""Parts of the train rows as data views: step for step a training on these rows alone (G5, E1)."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from deepwell.data._batches import epoch_order, part_order
from deepwell.training._jax_program import JaxProgram
from deepwell.training._native_program import NativeProgram
from deepwell.training._native_views import NativeViewsProgram
from deepwell.training._program import Chunk, ProgramOptions, TrainingRows
from deepwell.training._state import initial_state

BATCH, ROWS, DEV, EPOCHS = 16, 60, 33, 6
PARTS = {(60, 1): 60, (37, 1): 37, (37, 2): 37, (16, 1): 16, (9, 1): 9}


@functools.cache
def rows():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(ROWS + DEV, 6))
    y = np.digitize(x[:, 0] * x[:, 1], [-0.3, 0.3]).astype(np.int32)
    w = rng.uniform(0.5, 1.5, ROWS + DEV)
    parts = {name: rng.permutation(ROWS)[:size].astype(np.int32) for name, size in PARTS.items()}
    return TrainingRows(x[:ROWS], y[:ROWS], w[:ROWS], x[ROWS:], y[ROWS:], w[ROWS:], parts=parts)


@functools.cache
def parted(kind, structure, width=1):
    if kind == "jax":
        return JaxProgram(structure, rows(), ProgramOptions(lanes=8, width=width))
    return NativeViewsProgram(structure, rows(), threads=2)


@functools.cache
def alone(kind, structure, place):
    part = list(rows().parts.values())[place]
    r = rows()
    only = replace(
        r, x_train=r.x_train[part], y_train=r.y_train[part], weight_train=r.weight_train[part],
        parts={},
    )  # fmt: skip
    return (JaxProgram if kind == "jax" else NativeProgram)(structure, only)


def orders(epoch):
    return np.stack([part_order(3, epoch, part, ROWS, BATCH) for part in rows().parts.values()])


def run(program, members, order, epochs=EPOCHS):
    session = program.load(members, [initial_state(m) for m in members])
    infos = [session.advance(Chunk(order(epoch), epoch)) for epoch in range(1, epochs + 1)]
    return session.states(), infos


def same_bits(a, b):
    return a.keys() == b.keys() and all(a[n].tobytes() == b[n].tobytes() for n in a)


@pytest.fixture
def population(structure, member):
    def make(**changes):
        s = structure(train_rows=64, dev_rows=40, steps=4, views=len(PARTS), **changes)
        members = [
            replace(member(s, seed=i // 5, learning_rate=0.01 + 0.01 * (i // 5)), view=i % 5)
            for i in range(8)
        ]
        return s, members

    return make


@pytest.mark.proves("G5", "formula")
@pytest.mark.parametrize("size", [1, 5, 16, 17, 37, 60])
def test_the_batches_are_those_of_a_training_on_the_part_alone(size: int) -> None:
    part = np.random.default_rng(0).permutation(ROWS)[:size].astype(np.int32)
    steps = [part_order(7, epoch, part, ROWS, BATCH) for epoch in range(1, 6)]
    assert {order.shape for order in steps} == {(4, BATCH)}
    mine = np.concatenate(steps)
    passes = np.concatenate([epoch_order(7, epoch, size, BATCH) for epoch in range(1, 30)])
    named = np.append(part, ROWS)[passes[: len(mine)]]
    np.testing.assert_array_equal(mine[:, : named.shape[1]], named)
    assert (mine[:, named.shape[1] :] == ROWS).all()
    assert ((mine < ROWS).sum(axis=1) > 0).all()  # no step is without a row


def test_all_rows_in_their_order_are_no_part() -> None:
    for epoch in (1, 2, 9):
        everything = part_order(3, epoch, np.arange(ROWS, dtype=np.int32), ROWS, BATCH)
        np.testing.assert_array_equal(everything, epoch_order(3, epoch, ROWS, BATCH))


@pytest.mark.proves("G5", "population")
@pytest.mark.parametrize("kind", ["native", "jax"])
def test_a_part_s_member_is_the_same_beside_others_and_alone(kind, population):
    s, members = population(dtype="float32")
    together, infos = run(parted(kind, s), members, orders)
    shuffled, _ = run(parted(kind, s), members[::-1], orders)
    for i, one in enumerate(members):
        (lone,), lone_infos = run(parted(kind, s), [one], orders)
        assert same_bits(lone, together[i])
        assert same_bits(lone, shuffled[len(members) - 1 - i])
        assert lone_infos[-1].dev_score[0] == infos[-1].dev_score[i]


@pytest.mark.proves("G5", "independent", "population")
@pytest.mark.parametrize("kind", ["native", "jax"])
def test_a_part_is_a_data_set_of_its_rows(kind, population):
    """A program that never saw the other rows takes the same steps to the same weights."""
    s, members = population()
    together, infos = run(parted(kind, s), members, orders)
    for place, size in enumerate(PARTS.values()):
        batch = min(BATCH, size)
        single = replace(s, views=1, batch=batch, train_rows=size + 4)
        one, part = replace(members[place], view=0), list(rows().parts.values())[place]
        number = {row: n for n, row in enumerate(part.tolist())} | {ROWS: size}

        def order(epoch, part=part, number=number, batch=batch):
            named = part_order(3, epoch, part, ROWS, BATCH)[:, :batch]
            return np.vectorize(number.__getitem__)(named).astype(np.int32)

        (lone,), lone_infos = run(alone(kind, single, place), [one], order)
        for name in lone:
            np.testing.assert_allclose(lone[name], together[place][name], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(lone_infos[-1].dev_cost[0], infos[-1].dev_cost[place], rtol=1e-9)


def test_both_programs_train_parts_alike(population):
    s, members = population(optimizer="momentum")
    jax, jax_infos = run(parted("jax", s), members, orders, epochs=20)
    ours, infos = run(parted("native", s), members, orders, epochs=20)
    for a, b in zip(jax, ours, strict=True):
        for name in a:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(jax_infos[-1].dev_cost, infos[-1].dev_cost, rtol=1e-9)


def test_a_wide_step_trains_parts_alike(population):
    s, members = population()
    narrow, _ = run(parted("jax", s), members, orders)
    wide, _ = run(parted("jax", s, 8), members, orders)
    for a, b in zip(narrow, wide, strict=True):
        for name in a:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", ["native", "jax"])
def test_the_best_weights_are_scored_on_the_dev_rows(kind, population):
    s, members = population()
    states, infos = run(parted(kind, s), members, orders, epochs=3)
    again = parted(kind, s).evaluate(members, states)
    best = np.nanmin(np.stack([info.dev_score for info in infos]), axis=0)
    np.testing.assert_allclose(again.dev_score, best, rtol=1e-9)
