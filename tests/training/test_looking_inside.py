"""C5 in both programs: a look inside is of the step that training takes, and touches nothing."""

from dataclasses import replace

import numpy as np
import pytest

from deepwell.checking._probes import Where, look_inside
from deepwell.data._batches import epoch_order
from deepwell.networks._convolutions import Convolutions
from deepwell.networks._forward import forward
from deepwell.networks._signals import layer_arrays, signals
from deepwell.optimization._registry import OPTIMIZERS
from deepwell.records._probe import QUANTILES
from deepwell.training._jax_program import JaxProgram
from deepwell.training._program import Chunk, ProgramOptions, TrainingRows

ARRAYS = ("activations", "gradients", "weights", "dead", "saturated", "zero")
NORMS = ("weight_norm", "gradient_norm", "update_norm")
EPOCHS = 2


def where(program, rows, epoch=EPOCHS + 1):
    order = epoch_order(3, epoch, len(rows.y_train), program.structure.batch)[:1]
    return Where(program, rows, Chunk(order, epoch, ends_epoch=False), QUANTILES)


def same(one, other, rtol):
    for name in (*ARRAYS, *NORMS):
        got, right = getattr(one, name), getattr(other, name)
        scale = np.nanmax(np.abs(right), initial=0.0)
        np.testing.assert_allclose(got, right, rtol=rtol, atol=rtol * scale, err_msg=name)


@pytest.mark.proves("C5", "population")
def test_the_update_is_the_next_step_to_the_bit_and_nothing_else_moves(
    technique, structure, every_program, member, trained, rows
):
    shaping, numbers = technique
    s = structure(hidden=(8, 8, 8), train_rows=71, **shaping)
    p = every_program(s)
    options = {"hidden": (8, 5, 6), "learning_rate": 0.02, **numbers}
    if "dropout" not in numbers:
        options["dropout"] = 0.2
    members = [member(s, seed=n, **options) for n in range(2)]
    states, _ = trained(p, members, epochs=EPOCHS)
    before = [{name: a.tobytes() for name, a in state.items()} for state in states]
    view = where(p, rows(s.loss))
    inside = look_inside(members, states, view)
    assert [{name: a.tobytes() for name, a in state.items()} for state in states] == before
    session = p.load(members, states)
    session.advance(view.next_step)
    for one, state, after, told in zip(members, states, session.states(), inside, strict=True):
        for layer, names in enumerate(layer_arrays(one.architecture)):
            moved = np.concatenate([(after[n] - state[n]).ravel() for n in names])
            norm = np.sqrt(np.square(moved, dtype=np.float64).sum())
            assert told.update_norm[layer] == np.float32(norm)
        (alone,) = look_inside([one], [state], view)
        for name in (*ARRAYS, *NORMS):
            assert getattr(alone, name).tobytes() == getattr(told, name).tobytes(), name


@pytest.mark.proves("C5", "population")
def test_the_programs_agree(technique, structure, program, native, member, trained, rows):
    shaping, numbers = technique
    s = structure(hidden=(8, 8, 8), train_rows=71, **shaping)
    options = {"hidden": (8, 5, 6), "learning_rate": 0.02, **numbers}
    if "dropout" not in numbers:
        options["dropout"] = 0.2
    one = member(s, seed=1, **options)
    (state,), _ = trained(program(s), [one], epochs=EPOCHS)
    (a,), (b,) = (look_inside([one], [state], where(p(s), rows(s.loss))) for p in (program, native))
    same(a, b, 1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_rule_of_the_jax_program_gives_the_gradient(
    optimizer, dtype, structure, program, native, member, trained, rows
):
    s = structure(optimizer=optimizer, dtype=dtype, train_rows=71)
    one = member(
        s, seed=2, clip_norm=0.0, weight_decay=0.3, epsilon=1e-3, rms_start="first_gradient"
    )
    (state,), _ = trained(program(s), [one], epochs=EPOCHS)
    (told,) = look_inside([one], [state], where(program(s), rows(s.loss)))
    plain = structure(optimizer="sgd", dtype="float64", train_rows=71)
    descends = member(plain, seed=2, learning_rate=1.0)
    held = {n: a.astype(np.float64) if a.dtype == np.float32 else a for n, a in state.items()}
    session = native(plain).load([descends], [held])
    session.advance(where(native(plain), rows(s.loss)).next_step)
    (after,) = session.states()
    tolerance = 1e-6 if dtype == "float64" else 3e-4
    for layer, names in enumerate(layer_arrays(one.architecture)):
        slope = np.concatenate([(held[n] - after[n]).ravel() for n in names])
        np.testing.assert_allclose(told.gradient_norm[layer], np.linalg.norm(slope), rtol=tolerance)
        right = np.quantile(slope, QUANTILES)
        scale = np.abs(right).max()
        np.testing.assert_allclose(told.gradients[layer], right, atol=tolerance * scale)


def test_dense_networks_with_an_optax_optimizer_have_all(
    structure, program, native, member, trained, rows
):
    s = structure(optimizer="optax:lion", train_rows=71)
    one = member(s, seed=4, learning_rate=1e-3)
    (state,), _ = trained(program(s), [one], epochs=EPOCHS)
    (told,) = look_inside([one], [state], where(program(s), rows(s.loss)))
    ours = structure(optimizer="sgd", train_rows=71)
    (right,) = look_inside([member(ours, seed=4)], [state], where(native(ours), rows(s.loss)))
    np.testing.assert_array_equal(told.gradients, right.gradients)
    sizes = [sum(np.size(state[n]) for n in names) for names in layer_arrays(one.architecture)]
    np.testing.assert_allclose(told.update_norm, 1e-3 * np.sqrt(sizes), rtol=0.02)  # signs


@pytest.fixture
def convolving(structure, member):
    front = Convolutions((4, 3, 2), (3, 4))
    rng = np.random.default_rng(0)

    def make(optimizer, activation="relu"):
        s = structure(inputs=24, hidden=(8,), front=front, optimizer=optimizer, drops=False,
                      activation=activation, train_rows=41, dev_rows=20)  # fmt: skip
        one = member(s, hidden=(8,), l2=0.01, clip_value=0.0)
        one = replace(one, architecture=replace(one.architecture, inputs=24, front=front))
        x = rng.normal(size=(60, 24))
        y = (x[:, :8].sum(axis=1) > 0).astype(np.int32)
        data = TrainingRows(x[:40], y[:40], np.ones(40), x[40:], y[40:], np.ones(20))
        return JaxProgram(s, data, ProgramOptions(lanes=2)), one, data

    return make


def after_two(program, one, data):
    session = program.load([one], [None])
    for epoch in (1, 2):
        session.advance(Chunk(epoch_order(3, epoch, 40, program.structure.batch), epoch))
    return session.states()[0]


def test_convolutions_and_their_gradient(convolving):
    program, one, data = convolving("adam", "tanh")
    state = after_two(program, one, data)
    view = where(program, data)
    (told,) = look_inside([one], [state], view)
    assert told.layers == ("convolution 1", "convolution 2", "hidden 1", "output")
    names = layer_arrays(one.architecture)
    assert names[0] == ("kernels/0", "offsets/0")
    rows_of_batch = view.next_step.order[0][view.next_step.order[0] < 40]

    def cost(parameters):  # by differences: nothing of the program is in it but the forward pass
        z = forward(one.architecture, parameters, data.x_train[rows_of_batch])
        z = z - z.max(axis=1, keepdims=True)
        p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        loss = -p[np.arange(len(z)), data.y_train[rows_of_batch]].mean()
        weights = [parameters[n] for n in parameters if n.startswith(("weights/", "kernels/"))]
        return loss + 0.005 * sum((w**2).sum() for w in weights)

    for layer, own in enumerate(names):
        slopes = []
        for name in own:
            for place in np.ndindex(state[name].shape):
                ends = []
                for step in (1e-6, -1e-6):
                    moved = {**state, name: state[name].copy()}
                    moved[name][place] += step
                    parameters = {n: moved[n] for n in one.architecture.parameter_shapes()}
                    ends.append(cost(parameters))
                slopes.append((ends[0] - ends[1]) / 2e-6)
        right = np.quantile(slopes, QUANTILES)
        np.testing.assert_allclose(told.gradients[layer], right, atol=1e-6)


def test_a_unit_of_a_convolution_is_a_channel(convolving):
    program, one, data = convolving("adam")
    state = after_two(program, one, data)
    state["offsets/0"][:2] = -100.0
    (told,) = look_inside([one], [state], where(program, data))
    assert told.dead[0] == np.float32(2 / 3)
    assert told.saturated[0] >= told.dead[0]
    first, second, *_ = signals(one.architecture, state, data.x_dev)
    assert (first.g.shape, first.out.shape) == ((20, 4, 3, 3), (20, 2, 1, 3))
    assert told.zero[0] == np.float32((first.g == 0).mean())
    np.testing.assert_allclose(told.activations[1], np.quantile(second.out, QUANTILES), rtol=1e-5)


def test_convolutions_with_an_optax_optimizer_have_no_gradient(convolving):
    program, one, data = convolving("optax:lion")
    state = after_two(program, one, data)
    (told,) = look_inside([one], [state], where(program, data))
    assert np.isnan(told.gradients).all()
    assert np.isnan(told.gradient_norm).all()
    assert (told.update_norm > 0).all()


def test_signals_end_where_the_forward_pass_ends(
    technique, structure, member, trained, native, rows
):
    shaping, numbers = technique
    s = structure(hidden=(8, 8, 8), train_rows=71, **shaping)
    one = member(s, hidden=(8, 5, 6), **numbers)
    (state,), _ = trained(native(s), [one], epochs=1)
    x = rows(s.loss).x_dev
    *hidden, last = signals(one.architecture, state, x)
    assert [signal.out.shape[1] for signal in hidden] == [8, 5, 6]
    np.testing.assert_array_equal(last.out, forward(one.architecture, state, x))
