"""E1, E2 and E4: what every program must hold for every member."""

import numpy as np
import pytest

from deepwell._jax._generator import Words
from deepwell.networks._activations import ACTIVATIONS
from deepwell.optimization._registry import OPTIMIZERS
from deepwell.training._native_program import NativeProgram
from deepwell.training._program import Chunk, Outcome
from deepwell.training._state import initial_state


@pytest.fixture
def program(every_program):
    return every_program


def assert_same_bits(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert a[name].dtype == b[name].dtype
        assert a[name].tobytes() == b[name].tobytes(), name


def relative_difference(a, b):
    scale = max(np.abs(a).max(), 1e-300)
    return np.abs(a - b).max() / scale


@pytest.mark.proves("O1", "O4", "O7", "O8", "D9", "R1", "N2", "N7", "population")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_population_equals_alone_to_the_bit(optimizer, structure, program, member, trained):
    s = structure(optimizer=optimizer, dtype="float32")
    p = program(s)
    members = [member(s, seed=i, dropout=0.1 * i, learning_rate=0.01 * (i + 1)) for i in range(5)]
    together, _ = trained(p, members)
    backwards, _ = trained(p, members[::-1])
    for i, one in enumerate(members):
        (alone,), _ = trained(p, [one])
        assert_same_bits(alone, together[i])
        assert_same_bits(alone, backwards[len(members) - 1 - i])


def test_going_on_from_a_saved_state_changes_nothing(structure, program, member, trained):
    s = structure(dtype="float32")
    p = program(s)
    members = [member(s, seed=i) for i in range(3)]
    through, _ = trained(p, members, epochs=6)
    half, _ = trained(p, members, epochs=2)
    resumed, _ = trained(p, members[::-1], epochs=4, states=half[::-1], first_epoch=3)
    for a, b in zip(through, resumed[::-1], strict=True):
        assert_same_bits(a, b)


@pytest.mark.proves("N1", "N7", "N10", "R1", "population")
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", ["softmax"])
def test_padding_is_exact_in_float64(activation, loss, structure, program, member, trained):
    wide = structure(activation=activation, inputs=8, hidden=(16, 8), train_rows=96, dev_rows=48)
    tight = structure(activation=activation, hidden=(5, 7), train_rows=71)
    one = member(tight, hidden=(5, 7), seed=4)
    (padded,), info_padded = trained(program(wide), [one], epochs=40)  # 200 steps
    (exact,), info_exact = trained(program(tight), [one], epochs=40)
    assert int(exact["step"]) == 200
    for name in exact:
        assert exact[name].shape == padded[name].shape
        assert relative_difference(exact[name], padded[name]) < 1e-9, name
    costs = [[i.dev_cost[0] for i in infos] for infos in (info_padded, info_exact)]
    np.testing.assert_allclose(costs[0], costs[1], rtol=1e-9)


@pytest.mark.proves("N4", "N5", "O1", "O4", "O5", "O6", "O7", "O8", "population")
@pytest.mark.parametrize(
    ("optimizer", "loss"),
    [*((optimizer, "softmax") for optimizer in OPTIMIZERS), ("adam", "logistic"),
     ("adam", "squared")],
)  # fmt: skip
def test_padding_is_exact_for_every_optimizer_and_loss(
    optimizer, loss, structure, program, member, trained
):
    outputs, score = (3, "error") if loss == "softmax" else (1, "log_loss")
    score = "rmse" if loss == "squared" else score
    same = {"optimizer": optimizer, "loss": loss, "outputs": outputs, "score": score}
    wide = structure(hidden=(16,), inputs=8, train_rows=96, dev_rows=48, **same)
    tight = structure(hidden=(5,), train_rows=71, **same)
    one = member(tight, hidden=(5,), seed=2)
    (padded,), _ = trained(program(wide), [one], epochs=40)
    (exact,), _ = trained(program(tight), [one], epochs=40)
    for name in exact:
        assert relative_difference(exact[name], padded[name]) < 1e-9, name


@pytest.mark.proves("N1", "N5", "N6", "N7", "N8", "N10", "R5", "population")
def test_every_technique_padded_is_the_same_network(technique, structure, program, member, trained):
    shaping, numbers = technique
    wide = structure(inputs=8, hidden=(16, 8, 16), train_rows=96, dev_rows=48, **shaping)
    tight = structure(hidden=(7, 5, 9), train_rows=71, **shaping)
    one = member(tight, hidden=(7, 5, 9), seed=4, **numbers)
    (padded,), info_padded = trained(program(wide), [one], epochs=40)  # 200 steps
    (exact,), info_exact = trained(program(tight), [one], epochs=40)
    assert int(exact["step"]) == 200
    for name in exact:
        assert exact[name].shape == padded[name].shape
        assert relative_difference(exact[name], padded[name]) < 1e-9, name
    costs = [[i.dev_cost[0] for i in infos] for infos in (info_padded, info_exact)]
    np.testing.assert_allclose(costs[0], costs[1], rtol=1e-9)


@pytest.mark.proves("N1", "N5", "N6", "N7", "N8", "N10", "R5", "population")
def test_every_technique_trains_alike_alone_and_in_a_population(
    technique, structure, program, member, trained
):
    shaping, numbers = technique
    s = structure(hidden=(8, 8, 8), dtype="float32", **shaping)
    members = [member(s, hidden=(7, 5, 8), seed=i, learning_rate=0.01 * (i + 1), **numbers)
               for i in range(3)]  # fmt: skip
    plain = structure(hidden=(8, 8, 8), dtype="float32")
    mixes = isinstance(program(s), NativeProgram)  # members with and without the technique
    others = [member(plain, seed=9)] if mixes else []
    together, _ = trained(program(s), [*members, *others])
    for i, one in enumerate(members):
        (alone,), _ = trained(program(s), [one])
        assert_same_bits(alone, together[i])


def test_every_technique_goes_on_from_a_saved_state(technique, structure, program, member, trained):
    shaping, numbers = technique
    s = structure(hidden=(8, 8, 8), dtype="float32", **shaping)
    one = member(s, hidden=(7, 5, 8), seed=5, **numbers)
    (through,), infos = trained(program(s), [one], epochs=6)
    half, _ = trained(program(s), [one], epochs=2)
    (resumed,), _ = trained(program(s), [one], epochs=4, states=half, first_epoch=3)
    assert_same_bits(through, resumed)
    scores = np.array([i.dev_score[0] for i in infos])
    assert float(through["best_score"]) == scores.min()
    assert program(s).evaluate([one], [through]).dev_score[0] == scores.min()


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_padding_in_float32_stays_within_1e_5(optimizer, structure, program, member, trained):
    same = {"optimizer": optimizer, "dtype": "float32"}
    wide = structure(hidden=(16, 8), inputs=8, train_rows=96, dev_rows=48, **same)
    tight = structure(hidden=(5, 7), train_rows=71, **same)
    one = member(tight, hidden=(5, 7), seed=4, learning_rate=0.05)
    (padded,), _ = trained(program(wide), [one], epochs=40)
    (exact,), _ = trained(program(tight), [one], epochs=40)
    for name in exact:
        assert relative_difference(exact[name], padded[name]) < 1e-5, name


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_padding_in_float32_is_within_what_row_order_does(
    optimizer, structure, program, member, trained
):
    """Adam and RMSprop amplify rounding: the yardstick is a permutation inside each batch."""
    from deepwell.data._batches import epoch_order

    same = {"optimizer": optimizer, "dtype": "float32", "drops": False}
    wide = structure(hidden=(16, 8), inputs=8, train_rows=96, dev_rows=48, **same)
    tight = structure(hidden=(5, 7), train_rows=71, **same)
    one = member(tight, hidden=(5, 7), seed=4)
    (padded,), _ = trained(program(wide), [one], epochs=40)
    (exact,), _ = trained(program(tight), [one], epochs=40)
    session = program(tight).load([one], [initial_state(one)])
    for epoch in range(1, 41):
        order = epoch_order(3, epoch, 70, 16)
        session.advance(Chunk(np.ascontiguousarray(order[:, ::-1]), epoch))
    (permuted,) = session.states()
    moved = max(
        relative_difference(exact[n], permuted[n]) for n in exact if n.startswith("weights/")
    )
    for name in (n for n in exact if n.startswith("weights/")):
        assert relative_difference(exact[name], padded[name]) <= max(10 * moved, 1e-5), name


def test_a_diverging_member_leaves_its_neighbours_bit_identical(
    structure, program, member, trained
):
    s = structure(optimizer="sgd", activation="relu", dtype="float32")
    p = program(s)
    healthy = [member(s, seed=i) for i in range(4)]
    wild = member(s, seed=9, learning_rate=1e6)
    before, _ = trained(p, healthy)
    after, infos = trained(p, [*healthy[:2], wild, *healthy[2:]])
    for a, b in zip(before, after[:2] + after[3:], strict=True):
        assert_same_bits(a, b)
    assert infos[-1].outcome[2] == Outcome.DIVERGED
    assert int(after[2]["outcome"]) == Outcome.DIVERGED
    assert 0 < int(after[2]["step"]) < int(after[0]["step"])
    assert not infos[-1].moved[2]


def test_draws_do_not_depend_on_the_padding():
    from deepwell._jax._generator import words

    key = Words(np.uint32(5), np.uint32(9))
    wide = np.asarray(words(key, (16, 64)))
    np.testing.assert_array_equal(np.asarray(words(key, (16, 53))), wide[:, :53])
    np.testing.assert_array_equal(np.asarray(words(key, (7, 64))), wide[:7])
