"""Noise and mixup of table rows in both programs (D7); more in test_techniques.py."""

import numpy as np
import pytest
from scipy.stats import beta, kstest

from deepwell._base._errors import UsageError
from deepwell._base._hash import Purpose, fold, key, words
from deepwell._base._hyperparameters import complete
from deepwell.data._augmentation import SHARES, share_table
from deepwell.data._batches import epoch_order
from deepwell.training._program import Chunk
from deepwell.training._state import initial_state

BOTH = ("input_noise", "mixup")
LOSSES = {"softmax": (3, "error"), "logistic": (1, "auc"), "squared": (1, "rmse")}


@pytest.mark.proves("D7", "independent")
@pytest.mark.parametrize("alpha", [0.1, 0.4, 1.0, 7.0])
def test_shares_are_of_the_beta_distribution(alpha):
    table = np.array(share_table(alpha))
    assert len(table) == SHARES
    np.testing.assert_allclose(table + table[::-1], 1.0, atol=1e-9)
    drawn = words(fold(fold(key(5), Purpose.MIXUP), 1), (20_000, 2))[:, 1]
    # a table of 1024 quantiles cannot be told from the distribution by so few draws
    assert kstest(table[drawn[:1_000] >> 22], beta(alpha, alpha).cdf).pvalue > 1e-3
    assert share_table(0.0) == ()


@pytest.mark.proves("D7", "independent")
@pytest.mark.parametrize("loss", LOSSES)
def test_both_programs_augment_alike(loss, structure, program, native, member, trained):
    outputs, score = LOSSES[loss]
    s = structure(loss=loss, outputs=outputs, score=score, extras=BOTH, train_rows=71)
    members = [
        member(s, seed=4, learning_rate=0.01, mixup=0.7, input_noise=0.2),
        member(s, seed=5, learning_rate=0.01, mixup=2.0),
        member(s, seed=6, learning_rate=0.01, input_noise=0.5),
    ]
    jax, jax_infos = trained(program(s), members, epochs=40)
    ours, infos = trained(native(s), members, epochs=40)
    for a, b in zip(jax, ours, strict=True):
        for name in a:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(jax_infos[-1].train_cost, infos[-1].train_cost, rtol=1e-9)


@pytest.mark.proves("D7", "population")
def test_augmented_members_do_not_see_each_other(structure, every_program, member, trained):
    s = structure(dtype="float32", extras=BOTH)
    members = [member(s, seed=i, mixup=0.3 * i, input_noise=0.1 * (i % 2)) for i in range(4)]
    together, _ = trained(every_program(s), members)
    for one, state in zip(members, together, strict=True):
        (alone,), _ = trained(every_program(s), [one])
        for name in state:
            assert alone[name].tobytes() == state[name].tobytes(), name


def test_off_costs_and_changes_nothing(structure, native, member, trained):
    s = structure(dtype="float32", extras=BOTH)
    (off,), _ = trained(native(s), [member(s, seed=1, mixup=0.0, input_noise=0.0)])
    (plain,), _ = trained(native(structure(dtype="float32")), [member(s, seed=1)])
    for name in plain:
        assert off[name].tobytes() == plain[name].tobytes()


def test_a_batch_of_several_blocks_is_mixed_as_one(structure, native, program, member):
    s = structure(batch=600, steps=1, train_rows=71, extras=BOTH)
    one = member(s, seed=6, mixup=1.0, input_noise=0.3)
    order = np.tile(np.arange(70, dtype=np.int32), 9)[None, :600].copy()
    order[0, 590:] = 70  # the last places hold no row, and nobody's partner
    jax, ours = (p.load([one], [initial_state(one)]) for p in (program(s), native(s)))
    for epoch in range(1, 6):
        for session in (jax, ours):
            session.advance(Chunk(order, epoch))
    (a,), (b,) = jax.states(), ours.states()
    for name in a:
        np.testing.assert_allclose(a[name], b[name], rtol=1e-9, atol=1e-11)


def test_dev_rows_are_never_augmented(structure, every_program, member, trained):
    s = structure(extras=BOTH, score="log_loss")
    plain, wild = member(s, seed=2), member(s, seed=2, input_noise=3.0, mixup=1.0)
    states, _ = trained(every_program(s), [plain])
    told = every_program(s).evaluate([plain, wild], [states[0], states[0]])
    assert told.dev_cost[0] == told.dev_cost[1]


@pytest.mark.proves("D7", "formula")
def test_the_cost_is_that_of_the_rows_seen(structure, every_program, member):
    """One step from known weights: the train cost is the mean over mixed and noisy rows."""
    s = structure(loss="squared", outputs=1, score="rmse", hidden=(), extras=BOTH, batch=70,
                  optimizer="sgd", drops=False, train_rows=71, steps=2)  # fmt: skip
    one = member(s, hidden=(), seed=9, mixup=1.0, input_noise=0.25, learning_rate=1e-12, l2=0.0)
    state = initial_state(one)
    session = every_program(s).load([one], [state])
    info = session.advance(Chunk(epoch_order(3, 1, 70, 70), 1))
    from tests.training.conftest import rows_for

    rows, seed = rows_for("squared"), key(9)
    drawn = words(fold(fold(seed, Purpose.MIXUP), 1), (70, 2))
    partner, share = drawn[:, 0] % 70, np.array(share_table(1.0))[drawn[:, 1] >> 22]
    from deepwell.optimization._gradient_noise import normal_of

    x = share[:, None] * rows.x_train + (1 - share)[:, None] * rows.x_train[partner]
    x = x + 0.25 * normal_of(words(fold(fold(seed, Purpose.INPUT_NOISE), 1), x.shape), float, np)
    y = share * rows.y_train + (1 - share) * rows.y_train[partner]
    off = (x @ state["weights/0"])[:, 0] - y
    expected = (off**2 * rows.weight_train).sum() / rows.weight_train.sum()
    assert info.train_cost[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("name", "value"), [("input_noise", -0.1), ("mixup", 101), ("mixup", "a")])
def test_out_of_range(name, value):
    with pytest.raises(UsageError, match=f"`{name}` must be in .0, 100., got"):
        complete({name: value})
