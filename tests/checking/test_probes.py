"""Probes against a float64 rewrite in NumPy, and against the steps that programs really take."""

from dataclasses import replace

import numpy as np
import pytest

from deepwell._native._core_module import available, why_not
from deepwell.checking._layer_statistics import quantiles
from deepwell.checking._probes import Inside, Where, look_inside
from deepwell.data._batches import epoch_order
from deepwell.networks._architecture import Architecture
from deepwell.records._probe import QUANTILES
from deepwell.training._program import Chunk, Member, Structure, TrainingRows
from deepwell.training._state import initial_state

TRAIN, DEV, INPUTS, BATCH = 50, 30, 5, 16
ARRAYS = ("activations", "gradients", "weights", "dead", "saturated", "zero")
NORMS = ("weight_norm", "gradient_norm", "update_norm")


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(TRAIN + DEV, INPUTS))
    y = np.digitize(x[:, 0] * x[:, 1], [-0.5, 0.5]).astype(np.int32)
    weight = rng.uniform(0.5, 1.5, TRAIN + DEV)
    return TrainingRows(x[:TRAIN], y[:TRAIN], weight[:TRAIN], x[TRAIN:], y[TRAIN:], weight[TRAIN:])


def structure_of(**changes):
    base = {
        "inputs": INPUTS, "hidden": (8,), "outputs": 3, "loss": "softmax", "activation": "tanh",
        "optimizer": "adam", "batch": BATCH, "drops": True, "train_rows": TRAIN + 1,
        "dev_rows": DEV, "steps": 4, "score": "error", "dtype": "float64",
    }  # fmt: skip
    return Structure(**{**base, **changes})


def member_of(architecture, optimizer="adam", dtype="float64", **numbers):
    return Member(
        architecture,
        optimizer,
        "glorot",
        7,
        {"learning_rate": 0.01, "beta2": 0.999, **numbers},
        dtype=dtype,
    )


@pytest.fixture(scope="module")
def native(rows):
    if not available():
        pytest.skip(why_not())
    from deepwell.training._native_program import NativeProgram

    return NativeProgram(structure_of(hidden=(), activation="", optimizer=""), rows)


def step_of(epoch, order_seed=0):
    order = epoch_order(order_seed, epoch, TRAIN, BATCH)[:1]
    return Chunk(order, epoch, ends_epoch=False)


def trained(program, member, epochs=1):
    session = program.load([member], [None])
    for epoch in range(1, epochs + 1):
        session.advance(Chunk(epoch_order(0, epoch, TRAIN, BATCH), epoch))
    return session.states()[0]


def probe_one(program, member, state, rows, epoch=None) -> Inside:
    step = step_of(int(state["epoch"]) + 1 if epoch is None else epoch)
    return look_inside([member], [state], Where(program, rows, step, QUANTILES))[0]


def by_hand(state, rows, order, l2):
    """Forward and backward through one hidden tanh layer with a softmax, in float64."""
    w, b, v, c = (state[n] for n in ("weights/0", "biases/0", "weights/1", "biases/1"))
    real = order[order < TRAIN]
    x, y, weight = rows.x_train[real], rows.y_train[real], rows.weight_train[real]
    a = np.tanh(x @ w + b)
    z = a @ v + c
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    dz = (p - np.eye(3)[y]) * (weight / weight.sum())[:, None]
    da = dz @ v.T * (1 - a * a)
    return {
        "weights/0": x.T @ da + l2 * w, "biases/0": da.sum(0),
        "weights/1": a.T @ dz + l2 * v, "biases/1": dz.sum(0),
    }  # fmt: skip


def together(arrays, layer):
    return np.concatenate([arrays[f"weights/{layer}"].ravel(), arrays[f"biases/{layer}"]])


@pytest.mark.proves("C5", "formula", "independent", "gradient")
@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_values_against_a_rewrite_in_numpy(native, rows, l2):
    member = member_of(Architecture(INPUTS, (8,), 3, "tanh"), l2=l2)
    state = trained(native, member)
    probe = probe_one(native, member, state, rows)
    assert probe.layers == ("hidden 1", "output")
    hidden = np.tanh(rows.x_dev @ state["weights/0"] + state["biases/0"])
    raw = hidden @ state["weights/1"] + state["biases/1"]
    slopes = by_hand(state, rows, epoch_order(0, 2, TRAIN, BATCH)[0], l2)
    for layer, out in enumerate((hidden, raw)):
        w, g = together(state, layer), together(slopes, layer)
        np.testing.assert_allclose(probe.activations[layer], np.quantile(out, QUANTILES), rtol=1e-6)
        np.testing.assert_allclose(probe.weights[layer], np.quantile(w, QUANTILES), rtol=1e-6)
        np.testing.assert_allclose(
            probe.gradients[layer], np.quantile(g, QUANTILES), rtol=1e-6, atol=1e-12
        )
        np.testing.assert_allclose(probe.weight_norm[layer], np.linalg.norm(w), rtol=1e-6)
        np.testing.assert_allclose(probe.gradient_norm[layer], np.linalg.norm(g), rtol=1e-6)
    for name in (*ARRAYS, *NORMS):
        assert getattr(probe, name).dtype == np.float32


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adam"])
def test_update_is_what_the_next_step_does(native, rows, optimizer, dtype):
    architecture = Architecture(INPUTS, (8, 4), 3, "relu", dropout=(0.5, 0.2))
    member = member_of(
        architecture, optimizer, dtype, momentum=0.9, clip_norm=0.1, weight_decay=0.1
    )
    session = native.load([member], [None])
    session.advance(Chunk(epoch_order(0, 1, TRAIN, BATCH), 1))
    before = session.states()[0]
    probe = probe_one(native, member, before, rows)
    session.advance(step_of(2))
    after = session.states()[0]
    moved = {n: after[n] - before[n] for n in architecture.parameter_shapes()}
    norms = [np.linalg.norm(together(moved, n).astype(np.float64)) for n in range(3)]
    np.testing.assert_array_equal(probe.update_norm, np.array(norms, np.float32))


def test_every_rule_gives_the_same_gradient(native, rows):
    from deepwell.optimization._registry import OPTIMIZERS

    architecture = Architecture(INPUTS, (8,), 3, "tanh", dropout=(0.5,))
    state = trained(native, member_of(architecture, "sgd"))
    plain = member_of(architecture, "sgd", learning_rate=1.0)
    session = native.load([plain], [state])
    session.advance(step_of(2))
    after = session.states()[0]
    for optimizer in OPTIMIZERS:
        member = member_of(
            architecture,
            optimizer,
            momentum=0.5,
            clip_value=1e-3,
            weight_decay=0.1,
            gradient_noise=1.0,
        )
        slots = OPTIMIZERS[optimizer].slots
        held = {
            f"{s}/{n}": np.ones(shape)
            for s in slots
            for n, shape in architecture.parameter_shapes().items()
        }
        probe = probe_one(native, member, {**state, **held}, rows)
        for layer in range(2):
            g = together(state, layer) - together(after, layer)
            np.testing.assert_allclose(
                probe.gradients[layer],
                np.quantile(g, QUANTILES),
                rtol=1e-6,
                atol=1e-11,
                err_msg=optimizer,
            )


def test_tiny_gradients_are_not_lost_beside_the_weights(native, rows):
    architecture = Architecture(INPUTS, (8,), 3, "tanh")
    member = member_of(architecture, dtype="float32")
    state = initial_state(member)
    state["weights/1"] *= np.float32(1e-13)  # hardly anything comes back through
    probe = probe_one(native, member, state, rows)
    exact = {n: state[n].astype(np.float64) for n in architecture.parameter_shapes()}
    slopes = by_hand(exact, rows, epoch_order(0, 1, TRAIN, BATCH)[0], 0.0)
    expected = np.linalg.norm(together(slopes, 0))
    assert expected < 1e-11
    np.testing.assert_allclose(probe.gradient_norm[0], expected, rtol=1e-4)


def planted(architecture, **arrays):
    member = member_of(architecture)
    state = initial_state(member)
    for name, value in arrays.items():
        key = name.replace("_", "/")
        state[key] = np.broadcast_to(np.asarray(value, float), state[key].shape).copy()
    return member, state


def test_dead_units_of_relu(native, rows):
    bias = np.zeros(8)
    bias[:3] = -50.0
    member, state = planted(Architecture(INPUTS, (8,), 3, "relu"), biases_0=bias)
    probe = probe_one(native, member, state, rows)
    z = rows.x_dev @ state["weights/0"] + bias
    assert probe.dead[0] == np.float32(3 / 8)
    assert probe.zero[0] == np.float32((z <= 0).mean())
    assert probe.saturated[0] == np.float32(((z <= 0).mean(0) >= 0.95).mean())
    assert probe.dead[1] == 0
    assert np.isnan(probe.saturated[1])
    assert np.isnan(probe.zero[1])


@pytest.mark.parametrize(("name", "bias"), [("tanh", 3.0), ("sigmoid", -6.0), ("gelu", -60.0)])
def test_saturated_units(native, rows, name, bias):
    biases = np.zeros(8)
    biases[:2] = bias
    weights = np.random.default_rng(1).normal(size=(INPUTS, 8)) * 0.05
    member, state = planted(Architecture(INPUTS, (8,), 3, name), biases_0=biases, weights_0=weights)
    probe = probe_one(native, member, state, rows)
    assert probe.saturated[0] == np.float32(0.25)
    assert probe.dead[0] == (0.25 if name == "gelu" else 0)


@pytest.mark.parametrize("name", ["identity", "leaky_relu", "maxout"])
def test_where_nothing_is_flat_nothing_is_saturated(native, rows, name):
    pieces = 2 if name == "maxout" else 1
    member, state = planted(Architecture(INPUTS, (8,), 3, name, slope=0.1, pieces=pieces))
    probe = probe_one(native, member, state, rows)
    assert np.isnan(probe.saturated).all()
    assert probe.dead[0] == 0


def test_constant_outputs_are_dead(native, rows):
    member, state = planted(Architecture(INPUTS, (8,), 3, "tanh"), weights_1=0.0, biases_1=1.0)
    probe = probe_one(native, member, state, rows)
    assert probe.dead.tolist() == [0, 1]
    assert probe.activations[1].tolist() == [1.0] * 7


def test_probe_changes_nothing(native, rows):
    member = member_of(Architecture(INPUTS, (8,), 3, "tanh", dropout=(0.5,), batch_norm="after"))
    state = trained(native, member)
    before = {name: array.copy() for name, array in state.items()}
    probe_one(native, member, state, rows)
    assert state.keys() == before.keys()
    for name, array in before.items():
        np.testing.assert_array_equal(state[name], array)


@pytest.mark.parametrize("kind", ["before", "after"])
def test_batch_norm(native, rows, kind):
    architecture = Architecture(INPUTS, (8, 8), 3, "relu", batch_norm=kind, residual=1)
    member = member_of(architecture)
    state = trained(native, member, 3)
    probe = probe_one(native, member, state, rows)
    names = ("weights", "biases", "shifts") if kind == "after" else ("weights", "shifts")
    flat = np.concatenate([state[f"{name}/1"].ravel() for name in names])
    np.testing.assert_allclose(probe.weight_norm[1], np.linalg.norm(flat), rtol=1e-6)
    assert np.isfinite(probe.activations).all()
    assert (probe.gradient_norm > 0).all()
    assert (probe.update_norm > 0).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_diverged_member_is_measured_without_a_word(native, rows, bad):
    member = member_of(Architecture(INPUTS, (8, 8), 3, "relu"))
    state = initial_state(member)
    state["weights/1"] = state["weights/1"] * 1e300
    state["weights/1"][0, 0] = bad
    state["outcome"] = np.asarray(2, np.int64)
    probe = probe_one(native, member, state, rows)
    assert np.isfinite(probe.activations[0]).all()
    assert not np.isfinite(probe.activations[2]).all()
    assert not np.isfinite(probe.weight_norm[1])
    assert not np.isfinite(probe.gradient_norm[0])


def test_early_stopped_member_is_measured(native, rows):
    member = member_of(Architecture(INPUTS, (8,), 3, "relu"))
    state = trained(native, member)
    stopped = {**state, "outcome": np.asarray(1, np.int64)}
    same, other = (probe_one(native, member, s, rows) for s in (state, stopped))
    for name in (*ARRAYS, *NORMS):
        np.testing.assert_array_equal(getattr(same, name), getattr(other, name))
    assert (same.update_norm > 0).all()


def test_large_dev_sets_are_thinned_and_blocks_make_no_difference(native, rows, monkeypatch):
    from deepwell.checking import _layer_statistics as statistics
    from deepwell.checking import _probes as probes

    x = np.random.default_rng(0).normal(size=(1000, INPUTS))
    wide = replace(rows, x_dev=x, y_dev=np.zeros(1000, np.int32), weight_dev=np.ones(1000))
    member = member_of(Architecture(INPUTS, (8,), 3, "tanh"))
    state = trained(native, member)
    whole = probe_one(native, member, state, wide)
    monkeypatch.setattr(statistics, "ROWS_AT_ONCE", 77)
    in_blocks = probe_one(native, member, state, wide)
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(in_blocks, name), getattr(whole, name), rtol=1e-5)
    monkeypatch.setattr(probes, "MOST_ROWS", 100)
    some = x[np.linspace(0, 999, 100).astype(int)]
    out = np.tanh(some @ state["weights/0"] + state["biases/0"])
    thinned = probe_one(native, member, state, wide)
    np.testing.assert_allclose(thinned.activations[0], np.quantile(out, QUANTILES), rtol=1e-5)
    monkeypatch.setattr(statistics, "MOST_NUMBERS", 300)
    few = probe_one(native, member, state, wide)
    assert few.activations[0, [0, -1]].tolist() == thinned.activations[0, [0, -1]].tolist()
    np.testing.assert_allclose(few.activations, thinned.activations, atol=0.5)
    assert not np.array_equal(few.activations, thinned.activations)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 4097])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_quantiles_are_numpys(size, dtype):
    values = np.random.default_rng(size).normal(size=size).astype(dtype)
    np.testing.assert_allclose(
        quantiles(values, QUANTILES), np.quantile(values.astype(float), QUANTILES)
    )


def test_quantiles_of_many_numbers_are_near():
    values = np.random.default_rng(0).normal(size=(1000, 400))
    found = quantiles(values, QUANTILES)
    assert (found[0], found[-1]) == (values.min(), values.max())
    np.testing.assert_allclose(found, np.quantile(values, QUANTILES), atol=0.02)
    assert np.isnan(quantiles(np.array([1.0, np.nan, 2.0]), QUANTILES)).all()
