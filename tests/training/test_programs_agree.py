"""The native program against the JAX program: same draws, same numbers, states that travel."""

import numpy as np
import pytest
from scipy.special import log_softmax

from deepwell.data._batches import epoch_order
from deepwell.networks._activations import ACTIVATIONS
from deepwell.networks._forward import forward
from deepwell.optimization._decay import DECAYS
from deepwell.optimization._registry import OPTIMIZERS
from deepwell.training._program import Chunk, Outcome
from deepwell.training._state import best_parameters, initial_state

EPOCHS = 40  # of 5 steps


def difference(a, b):
    """Return the largest relative difference of any parameter or moment of two states."""
    assert a.keys() == b.keys()
    for name in a:
        assert a[name].dtype == b[name].dtype
        assert a[name].shape == b[name].shape
    arrays = [name for name in a if "/" in name]
    return max(np.abs(a[n] - b[n]).max() / max(np.abs(a[n]).max(), 1e-300) for n in arrays)


def assert_infos_agree(one, other, rtol):
    for a, b in zip(one, other, strict=True):
        for name in ("train_cost", "dev_cost", "dev_score"):
            np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=rtol, atol=1e-12)
        for name in ("outcome", "step", "best_epoch", "moved"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@pytest.mark.proves("N1", "population")
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_in_float64(activation, structure, program, native, member, trained):
    s = structure(activation=activation, train_rows=71)
    one = member(s, hidden=(8, 8), seed=3)
    (jax,), jax_infos = trained(program(s), [one], epochs=EPOCHS)
    (ours,), infos = trained(native(s), [one], epochs=EPOCHS)
    assert int(ours["step"]) == 200
    assert difference(jax, ours) < 1e-9
    assert_infos_agree(jax_infos, infos, 1e-9)


LOSSES = {"softmax": (3, "log_loss"), "logistic": (1, "log_loss"), "squared": (1, "r2")}


@pytest.mark.proves("N4", "N5", "O1", "O4", "O5", "O6", "O7", "O8", "population")
@pytest.mark.parametrize(
    ("optimizer", "loss"),
    [*((optimizer, "softmax") for optimizer in OPTIMIZERS), ("adam", "logistic"),
     ("adam", "squared")],
)  # fmt: skip
def test_every_optimizer_and_loss_in_float64(
    optimizer, loss, structure, program, native, member, trained
):
    outputs, score = LOSSES[loss]
    s = structure(
        optimizer=optimizer, loss=loss, outputs=outputs, score=score, hidden=(16,), train_rows=71
    )
    one = member(s, hidden=(5,), seed=2, decay="inverse_time", decay_rate=0.05)
    (jax,), jax_infos = trained(program(s), [one], epochs=EPOCHS)
    (ours,), infos = trained(native(s), [one], epochs=EPOCHS)
    assert difference(jax, ours) < 1e-9
    assert_infos_agree(jax_infos, infos, 1e-9)


@pytest.mark.proves("N10", "N11", "O10", "R1", "population")
@pytest.mark.parametrize("hidden", [(), (8, 8, 8)])
def test_every_decay_and_depth_in_float64(hidden, structure, program, native, member, trained):
    s = structure(hidden=hidden, train_rows=71, optimizer="rmsprop", score="log_loss")
    members = [
        member(
            s, seed=5, decay=decay, decay_rate=0.2, decay_factor=0.9, decay_scale=0.5,
            decay_every=7, epochs=30, warmup_epochs=2.5 if i % 2 else 0, l2=0.1, dropout=0.5,
        )
        for i, decay in enumerate(DECAYS)
    ]  # fmt: skip
    jax, jax_infos = trained(program(s), members, epochs=EPOCHS)
    ours, infos = trained(native(s), members, epochs=EPOCHS)
    for one, other in zip(jax, ours, strict=True):
        assert difference(one, other) < 1e-9
    assert_infos_agree(jax_infos, infos, 1e-9)
    assert len({state["weights/0"].tobytes() for state in ours}) == len(DECAYS)


@pytest.mark.proves("N1", "N5", "N6", "N7", "N8", "N10", "R5", "population")
def test_every_technique_in_float64(technique, structure, program, native, member, trained):
    shaping, numbers = technique
    s = structure(inputs=8, hidden=(16, 8, 16), train_rows=96, dev_rows=48, **shaping)
    one = member(s, hidden=(7, 5, 9), seed=3, **numbers)
    (jax,), jax_infos = trained(program(s), [one], epochs=EPOCHS)
    (ours,), infos = trained(native(s), [one], epochs=EPOCHS)
    assert int(ours["step"]) == 200
    assert difference(jax, ours) < 1e-9
    assert_infos_agree(jax_infos, infos, 1e-9)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_stable_training_in_float32(
    activation, optimizer, structure, program, native, member, trained
):
    s = structure(activation=activation, optimizer=optimizer, dtype="float32", train_rows=71)
    one = member(s, seed=1, learning_rate=0.05)
    (jax,), _ = trained(program(s), [one], epochs=EPOCHS)
    (ours,), _ = trained(native(s), [one], epochs=EPOCHS)
    assert difference(jax, ours) < 1e-5


@pytest.mark.parametrize("optimizer", ["adagrad", "adam", "rmsprop"])
def test_adaptive_optimizers_in_float32_differ_less_than_row_order_does(
    optimizer, structure, program, native, member, trained
):
    s = structure(optimizer=optimizer, dtype="float32", drops=False, train_rows=71)
    one = member(s, seed=4)
    (jax,), _ = trained(program(s), [one], epochs=EPOCHS)
    (ours,), _ = trained(native(s), [one], epochs=EPOCHS)
    session = program(s).load([one], [initial_state(one)])
    for epoch in range(1, EPOCHS + 1):
        order = epoch_order(3, epoch, 70, 16)
        session.advance(Chunk(np.ascontiguousarray(order[:, ::-1]), epoch))
    (permuted,) = session.states()
    assert difference(jax, ours) <= max(10 * difference(jax, permuted), 1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_trial_goes_on_in_the_other_program(dtype, structure, program, native, member, trained):
    # A smooth score: the error of other sums may tie in one program and not in the other.
    s = structure(dtype=dtype, optimizer="momentum", train_rows=71, score="log_loss")
    members = [member(s, seed=i) for i in range(3)]
    through, _ = trained(program(s), members, epochs=20)
    for first, second in ((program(s), native(s)), (native(s), program(s))):
        half, _ = trained(first, members, epochs=9)
        states, _ = trained(second, members, epochs=11, states=half, first_epoch=10)
        for a, b in zip(through, states, strict=True):
            assert difference(a, b) < (1e-9 if dtype == "float64" else 1e-5)
            for name in ("step", "epoch", "best_epoch", "stale", "outcome"):
                assert a[name] == b[name]


def test_unlike_members_train_in_one_session(structure, native, member, trained):
    shapes = [
        ("relu", "adam", (3,), "float32"),
        ("gelu", "sgd", (), "float64"),
        ("tanh", "rmsprop", (20, 5, 7), "float32"),
        ("elu", "momentum", (64, 1), "float64"),
    ]
    members = []
    for seed, (activation, optimizer, hidden, dtype) in enumerate(shapes):
        s = structure(activation=activation, optimizer=optimizer, hidden=hidden, dtype=dtype)
        members.append(member(s, seed=seed))
    p = native(structure(hidden=()))
    together, _ = trained(p, members)
    for one, state in zip(members, together, strict=True):
        (alone,), _ = trained(p, [one])
        for name in alone:
            assert alone[name].tobytes() == state[name].tobytes(), name


def test_a_batch_of_several_blocks_is_one_batch(native, program, structure, member):
    """More than 256 rows go through the network in pieces whose gradients are summed."""
    s = structure(batch=600, steps=1, train_rows=71, drops=True)
    one = member(s, seed=6)
    order = (np.arange(600, dtype=np.int32) * 7) % 71  # 70 is no row: weight 0 inside the batch
    jax, ours = (p.load([one], [initial_state(one)]) for p in (program(s), native(s)))
    for epoch in range(1, 6):
        chunk = Chunk(order[None, :], epoch)
        a, b = jax.advance(chunk), ours.advance(chunk)
        assert_infos_agree([a], [b], 1e-9)
    assert difference(jax.states()[0], ours.states()[0]) < 1e-9


def test_both_diverge_at_the_same_step(structure, program, native, member, trained):
    s = structure(optimizer="sgd", activation="relu", dtype="float32", loss="squared", outputs=1,
                  score="rmse", train_rows=71)  # fmt: skip
    wild = member(s, seed=9, learning_rate=1e3)
    (jax,), jax_infos = trained(program(s), [wild])
    (ours,), infos = trained(native(s), [wild])
    assert int(jax["outcome"]) == int(ours["outcome"]) == Outcome.DIVERGED
    assert int(jax["step"]) == int(ours["step"])
    assert np.isnan(infos[-1].dev_score[0])
    np.testing.assert_array_equal(jax_infos[-1].moved, infos[-1].moved)


@pytest.mark.proves("N6", "N8", "N10", "independent")
def test_a_saved_model_predicts_what_the_program_scored(
    technique, structure, native, member, trained, rows
):
    """NumPy's forward pass of the best parameters, statistics included, has the recorded cost."""
    shaping, numbers = technique
    s = structure(hidden=(8, 8, 8), score="log_loss", **shaping)
    one = member(s, hidden=(7, 5, 8), seed=3, **numbers)
    (state,), _ = trained(native(s), [one], epochs=6)
    data = rows("softmax")
    z = forward(one.architecture, best_parameters(state), data.x_dev)
    losses = log_loss_rows(z, data.y_dev)
    right = np.average(losses, weights=data.weight_dev)
    assert float(state["best_cost"]) == pytest.approx(right, rel=1e-12)


def log_loss_rows(z, y):
    return -log_softmax(z, axis=1)[np.arange(len(y)), y]
