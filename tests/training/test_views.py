"""Data views: members of different folds train side by side, each as it would alone (D3, E1)."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from deepwell.data._batches import epoch_order, view_orders
from deepwell.training._jax_program import JaxProgram
from deepwell.training._native_program import NativeProgram
from deepwell.training._native_views import NativeViewsProgram
from deepwell.training._program import Chunk, ProgramOptions, TrainingRows
from deepwell.training._state import initial_state

BATCH, SIZES = 16, ((60, 20), (60, 20), (47, 33))


@functools.cache
def views():
    rng = np.random.default_rng(4)
    made = []
    for n, k in SIZES:
        x = rng.normal(size=(n + k, 6))
        y = np.digitize(x[:, 0] * x[:, 1], [-0.3, 0.3]).astype(np.int32)
        w = rng.uniform(0.5, 1.5, n + k)
        made.append(TrainingRows(x[:n], y[:n], w[:n], x[n:], y[n:], w[n:]))
    first, *others = made
    return TrainingRows(
        first.x_train, first.y_train, first.weight_train, first.x_dev, first.y_dev,
        first.weight_dev, others=tuple(others),
    )  # fmt: skip


@functools.cache
def folded(kind, structure, width=1):
    if kind == "jax":
        options = ProgramOptions(lanes=8, width=width)
        return JaxProgram(structure, views(), options)
    return NativeViewsProgram(structure, views(), threads=2)


@functools.cache
def alone(kind, structure, view):
    rows = replace(views().views[view], others=())
    return (JaxProgram if kind == "jax" else NativeProgram)(structure, rows)


def run(program, members, order, epochs=4):
    session = program.load(members, [initial_state(m) for m in members])
    infos = [session.advance(Chunk(order(epoch), epoch)) for epoch in range(1, epochs + 1)]
    return session.states(), infos


def folds_order(epoch):
    return view_orders(3, epoch, [n for n, _ in SIZES], BATCH)


def same_bits(a, b):
    return a.keys() == b.keys() and all(a[n].tobytes() == b[n].tobytes() for n in a)


@pytest.fixture
def population(structure, member):
    def make(**changes):
        s = structure(train_rows=64, dev_rows=40, steps=4, views=3, **changes)
        members = [
            replace(member(s, seed=i // 3, learning_rate=0.01 + 0.01 * (i // 3)), view=i % 3)
            for i in range(9)
        ]
        return s, members

    return make


@pytest.mark.proves("D3", "population")
@pytest.mark.parametrize("kind", ["native", "jax"])
def test_a_fold_s_member_is_the_same_beside_others_and_alone(kind, population):
    s, members = population(dtype="float32")
    together, infos = run(folded(kind, s), members, folds_order)
    shuffled, _ = run(folded(kind, s), members[::-1], folds_order)
    for i, one in enumerate(members):
        (lone,), lone_infos = run(folded(kind, s), [one], folds_order)
        assert same_bits(lone, together[i])
        assert same_bits(lone, shuffled[len(members) - 1 - i])
        assert lone_infos[-1].dev_score[0] == infos[-1].dev_score[i]


@pytest.mark.proves("D3", "formula")
@pytest.mark.parametrize("kind", ["native", "jax"])
def test_a_fold_is_the_split_with_its_rows(kind, population):
    """Beside other folds a member sees what a study of its rows alone would show it."""
    s, members = population()
    together, infos = run(folded(kind, s), members, folds_order)
    for view, (n, _) in enumerate(SIZES):
        single = replace(s, views=1)
        one = replace(members[view], view=0)
        if view < 2:  # as large as the largest: the very batches of a study of its own
            np.testing.assert_array_equal(folds_order(1)[view], epoch_order(3, 1, n, BATCH))
        (lone,), lone_infos = run(
            alone(kind, single, view), [one], lambda epoch, v=view: folds_order(epoch)[v]
        )
        for name in lone:
            np.testing.assert_allclose(lone[name], together[view][name], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(lone_infos[-1].dev_cost[0], infos[-1].dev_cost[view], rtol=1e-9)


def test_both_programs_train_folds_alike(population):
    s, members = population(optimizer="momentum")
    jax, jax_infos = run(folded("jax", s), members, folds_order, epochs=20)
    ours, infos = run(folded("native", s), members, folds_order, epochs=20)
    for a, b in zip(jax, ours, strict=True):
        for name in a:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(jax_infos[-1].dev_cost, infos[-1].dev_cost, rtol=1e-9)
    assert jax_infos[-1].useful > 0


def test_a_wide_step_trains_folds_alike(population):
    s, members = population()
    narrow, _ = run(folded("jax", s), members, folds_order)
    wide, _ = run(folded("jax", s, 8), members, folds_order)
    for a, b in zip(narrow, wide, strict=True):
        for name in a:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", ["native", "jax"])
def test_the_best_weights_are_scored_on_the_fold_s_own_rows(kind, population):
    s, members = population()
    states, infos = run(folded(kind, s), members, folds_order, epochs=3)
    again = folded(kind, s).evaluate(members, states)
    best = np.nanmin(np.stack([info.dev_score for info in infos]), axis=0)
    np.testing.assert_allclose(again.dev_score, best, rtol=1e-9)


def test_a_stop_leaves_whole_steps(population):
    s, members = population()
    session = folded("native", s).load(members, [initial_state(m) for m in members])
    info = session.advance(Chunk(np.repeat(folds_order(1), 4000, axis=1), 1), lambda: True)
    assert (info.step < 16_000).all()
    for state, step in zip(session.states(), info.step, strict=True):
        assert int(state["step"]) == step


def test_no_step_of_a_view_is_without_rows():
    for sizes in ([129, 128, 60], [5, 4], [64, 64], [1, 1]):
        orders = view_orders(0, 2, sizes, 32)
        assert orders.shape == (
            len(sizes),
            -(-max(sizes) // min(32, max(sizes))),
            min(32, max(sizes)),
        )
        for order, n in zip(orders, sizes, strict=True):
            assert sorted(order[order < n].tolist()) == list(range(n))
            assert (order[order >= n] == n).all()
            if n >= len(order):
                assert ((order < n).sum(axis=1) > 0).all()


def test_a_view_of_one_batch_beside_larger_ones_is_shuffled_in_every_epoch():
    """Sorted by class, the same two batches of one class each would come again and again."""
    small = [view_orders(0, epoch, [65, 64], 64)[1] for epoch in range(1, 21)]
    batches = {frozenset(batch[batch < 64].tolist()) for order in small for batch in order}
    assert len(batches) == 40
    for order in small:
        assert [(batch < 64).sum() for batch in order] == [32, 32]
        assert sorted(order[order < 64].tolist()) == list(range(64))


def test_views_that_all_fit_one_batch_take_their_rows_as_they_lie():
    for order, n in zip(view_orders(0, 3, [12, 9], 64), (12, 9), strict=True):
        np.testing.assert_array_equal(order[0], np.minimum(np.arange(12), n))
