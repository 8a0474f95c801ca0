"""Convolutional networks in the JAX program (N10): formula, gradient, E1, E2 and E5."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import correlate2d

from deepwell._base._errors import UsageError
from deepwell.data._batches import epoch_order
from deepwell.execution._members import architecture_of
from deepwell.networks._activations import ACTIVATIONS
from deepwell.networks._architecture import Architecture
from deepwell.networks._convolutions import Convolutions, pooled, sum_of_products
from deepwell.networks._convolve import by_library, by_product
from deepwell.networks._forward import forward, predictions
from deepwell.networks._initializers import initial_parameters
from deepwell.networks._losses import LOSSES
from deepwell.records import TrialSpec
from deepwell.training._jax_blocks import block_rows
from deepwell.training._jax_program import JaxProgram
from deepwell.training._program import Chunk, ProgramOptions, TrainingRows
from deepwell.training._state import initial_state

IMAGE, TRAIN, DEV, BATCH = (7, 6, 2), 40, 24, 16
INPUTS = 84
FRONTS = {
    "two layers": Convolutions(IMAGE, (4, 3)),
    "stride and average": Convolutions(IMAGE, (5,), kernel=5, stride=2, pool=2, pooling="average"),
    "nothing pooled": Convolutions(IMAGE, (3,), kernel=1, pool=1),
}


def image_rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(TRAIN + DEV, INPUTS))
    y = (x[:, :20].sum(axis=1) > 0).astype(np.int32) + (x[:, 40:].sum(axis=1) > 3)
    y = y.astype(np.int32)
    w = rng.uniform(0.5, 1.5, TRAIN + DEV)
    return TrainingRows(x[:TRAIN], y[:TRAIN], w[:TRAIN], x[TRAIN:], y[TRAIN:], w[TRAIN:])


@pytest.fixture(scope="module")
def programs():
    made = {}

    def make(structure):
        if structure not in made:
            made[structure] = JaxProgram(structure, image_rows(), ProgramOptions(lanes=3))
        return made[structure]

    return make


@pytest.fixture
def convolving(structure, member):
    def make(front, seed=0, hidden=(5,), numbers=None, **changes):
        base = {"inputs": INPUTS, "hidden": (8,), "optimizer": "momentum", "batch": BATCH,
                "train_rows": TRAIN + 1, "dev_rows": DEV, "drops": False, "steps": 4,
                "front": front, "score": "log_loss"}  # fmt: skip
        s = structure(**{**base, **changes})
        one = member(s, hidden=hidden, seed=seed, learning_rate=0.02, **(numbers or {}))
        a = replace(one.architecture, inputs=INPUTS, front=front)
        return s, replace(one, architecture=a)

    return make


def train(program, members, epochs=3, states=None, first=1):
    states = [initial_state(m) for m in members] if states is None else states
    session = program.load(members, states)
    infos = [
        session.advance(Chunk(epoch_order(3, epoch, TRAIN, BATCH), epoch))
        for epoch in range(first, first + epochs)
    ]
    return session.states(), infos


@pytest.mark.proves("N10", "independent")
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 2), (1, 3)])
def test_the_convolution_is_scipy_s(kernel, stride):
    rng = np.random.default_rng(1)
    a, k = rng.normal(size=(2, 7, 6, 3)), rng.normal(size=(kernel, kernel, 3, 4))
    z = sum_of_products(a, k, stride)
    for row in range(2):
        for out in range(4):
            whole = sum(correlate2d(a[row, :, :, c], k[:, :, c, out], "same") for c in range(3))
            np.testing.assert_allclose(z[row, :, :, out], whole[::stride, ::stride], rtol=1e-9)


@pytest.mark.proves("N10", "independent")
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 2), (1, 3), (3, 2), (15, 1)])
def test_a_product_gives_the_convolution_and_gradients_of_the_library(kernel, stride):
    rng = np.random.default_rng(1)
    a, k = rng.normal(size=(2, 7, 6, 3)), rng.normal(size=(kernel, kernel, 3, 4))
    with jax.enable_x64(True):
        found = []
        for convolve in (by_product, by_library):
            z, pull = jax.vjp(lambda a, k, f=convolve: f(a, k, stride), a, k)
            found.append([z, *pull(jnp.cos(jnp.arange(z.size).reshape(z.shape)))])
        for ours, library in zip(*found, strict=True):
            np.testing.assert_allclose(ours, library, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found[0][0], sum_of_products(a, k, stride), rtol=1e-12, atol=1e-12)


@pytest.mark.proves("N10", "independent")
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_pooling_before_a_rising_activation_changes_nothing(activation):
    """The same values and, where no two numbers of a square are alike, the same gradients."""
    g, front = ACTIVATIONS[activation], Convolutions(IMAGE, (2,))
    if g.takes_pieces:
        return
    z = np.random.default_rng(3).normal(0, 2, (4, 7, 6, 2))
    falls = bool((np.diff(g.apply(np.linspace(-8, 8, 4_001), 0.2, np)) < -1e-12).any())
    assert g.rising == (not falls)
    with jax.enable_x64(True):

        def first(z):
            return g.apply(pooled(front, z), 0.2, jnp)

        def last(z):
            return pooled(front, g.apply(z, 0.2, jnp))

        for f in (lambda h: h(z), lambda h: jax.grad(lambda z: jnp.sin(h(z)).sum())(z)):
            if g.rising:
                np.testing.assert_allclose(f(first), f(last), rtol=1e-12, atol=1e-14)


def test_rows_are_scored_in_blocks_of_bounded_memory():
    front = Convolutions((28, 28, 1), (8, 16))
    assert front.most_seen() == 14 * 14 * 9 * 8
    assert block_rows(Architecture(784, (10,), 3, front=front)) == 4_000_000 // 14_112
    assert block_rows(Architecture(784, (10,), 3)) == 16_384
    assert block_rows(Architecture(9, (), 3, front=Convolutions((999, 999, 3), (8,)))) == 16


@pytest.mark.proves("N10", "formula")
def test_sizes_and_squares_by_hand():
    front = Convolutions((28, 28, 1), (8, 16), kernel=3)
    assert front.sizes() == [(28, 28, 1), (14, 14, 8), (7, 7, 16)]
    assert front.features == 784
    assert front.layer_multiply_adds() == [28 * 28 * 9 * 8, 14 * 14 * 9 * 8 * 16]
    assert Architecture(784, (10,), 3, front=front).parameters == (
        9 * 8 + 8 + 9 * 8 * 16 + 16 + 784 * 10 + 10 + 10 * 3 + 3
    )
    a = np.arange(24.0).reshape(1, 4, 6, 1)
    np.testing.assert_array_equal(
        pooled(front, a)[0, :, :, 0], [[7.0, 9.0, 11.0], [19.0, 21.0, 23.0]]
    )
    mean = pooled(replace(front, pooling="average"), a)[0, 0, 0, 0]
    assert mean == np.mean([0, 1, 6, 7])


@pytest.mark.proves("N10", "independent")
@pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS)
@pytest.mark.parametrize("batch_norm", ["none", "before", "after"])
def test_saved_networks_predict_what_the_program_scores(front, batch_norm, convolving, programs):
    s, one = convolving(front, batch_norm=batch_norm)
    one = replace(one, architecture=replace(one.architecture, batch_norm=batch_norm))
    (state,), infos = train(programs(s), [one], epochs=2)
    rows, loss = image_rows(), LOSSES["softmax"]
    z = forward(one.architecture, state, rows.x_dev)
    cost = (loss.rows(z, rows.y_dev, np) * rows.weight_dev).sum() / rows.weight_dev.sum()
    assert infos[-1].dev_cost[0] == pytest.approx(cost, rel=1e-9)
    said = predictions(one.architecture, state, rows.x_dev)
    np.testing.assert_allclose(said.sum(axis=1), 1.0)


@pytest.mark.proves("N10", "gradient")
@pytest.mark.parametrize("front", FRONTS.values(), ids=FRONTS)
def test_the_gradient_is_the_numerical_one(front, convolving, programs):
    """tanh, so that no kink is near; the largest of a square moves with the numbers below it."""
    s, one = convolving(front, optimizer="sgd", activation="tanh", numbers={"l2": 0.0}, batch=TRAIN)
    one = replace(one, architecture=replace(one.architecture, activation="tanh"))
    one = replace(one, optimizer="sgd", numbers={**one.numbers, "learning_rate": 1.0})
    state = initial_state(one)
    session = programs(s).load([one], [state])
    order = np.arange(TRAIN, dtype=np.int32)[None]
    session.advance(Chunk(order, 1))
    (after,) = session.states()
    rows, loss = image_rows(), LOSSES["softmax"]

    def cost(parameters):
        z = forward(one.architecture, parameters, rows.x_train)
        return (loss.rows(z, rows.y_train, np) * rows.weight_train).sum() / rows.weight_train.sum()

    rng = np.random.default_rng(2)
    names = list(one.architecture.parameter_shapes())
    direction = {name: rng.normal(size=state[name].shape) for name in names}
    for name in names:  # array by array, so that a wrong one is named
        slope = float(((state[name] - after[name]) * direction[name]).sum())
        step = 1e-6
        ends = [
            cost({**state, name: state[name] + sign * step * direction[name]}) for sign in (1, -1)
        ]
        numerical = (ends[0] - ends[1]) / (2 * step)
        assert abs(slope - numerical) / (abs(slope) + abs(numerical) + 1e-12) < 1e-7, name


@pytest.mark.proves("N10", "population")
def test_population_equals_alone_and_resumed_to_the_bit(convolving, programs):
    front = FRONTS["two layers"]
    made = [
        convolving(front, seed=i, dtype="float32", hidden=(3 + i,), extras=("l1", "mixup"),
                   numbers={"l1": 1e-4 * i, "mixup": 0.2 * i})
        for i in range(4)
    ]  # fmt: skip
    program, members = programs(made[0][0]), [one for _, one in made]
    together, _ = train(program, members, epochs=4)
    half, _ = train(program, members[::-1], epochs=2)
    resumed, _ = train(program, members, epochs=2, states=half[::-1], first=3)
    for one, state, again in zip(members, together, resumed, strict=True):
        (alone,), _ = train(program, [one], epochs=4)
        for name in state:
            assert alone[name].tobytes() == state[name].tobytes(), name
            assert again[name].tobytes() == state[name].tobytes(), name


@pytest.mark.proves("N10", "population")
def test_padding_around_convolutions_is_exact(convolving, programs):
    front = FRONTS["two layers"]
    s, one = convolving(front, extras=("gradient_noise",), numbers={"gradient_noise": 1e-4})
    tight = replace(s, hidden=(5,))
    wide = replace(s, inputs=96, hidden=(16,), train_rows=64, dev_rows=40)
    (exact,), _ = train(programs(tight), [one], epochs=10)
    (padded,), _ = train(programs(wide), [one], epochs=10)
    for name in exact:
        np.testing.assert_allclose(exact[name], padded[name], rtol=1e-9, atol=1e-12, err_msg=name)


def test_penalties_reach_kernels(convolving, programs):
    s, one = convolving(FRONTS["nothing pooled"], optimizer="sgd", extras=("l1", "max_norm"))
    one = replace(one, optimizer="sgd")
    strong = replace(one, numbers={**one.numbers, "l2": 5.0, "learning_rate": 0.1})
    (free,), _ = train(programs(s), [one], epochs=5)
    (held,), _ = train(programs(s), [strong], epochs=5)
    assert np.abs(held["kernels/0"]).sum() < 0.2 * np.abs(free["kernels/0"]).sum()


def test_max_norm_holds_all_that_comes_into_a_channel(convolving, programs):
    s, one = convolving(FRONTS["nothing pooled"], optimizer="sgd", extras=("l1", "max_norm"))
    one = replace(one, optimizer="sgd", numbers={**one.numbers, "max_norm": 0.3})
    begun = initial_state(one)["kernels/0"].reshape(-1, 3)
    assert (np.linalg.norm(begun, axis=0) > 0.3).all()
    (held,), _ = train(programs(s), [one], epochs=1)
    norms = np.linalg.norm(held["kernels/0"].reshape(-1, 3), axis=0)
    assert (norms < 0.3 * (1 + 1e-9)).all()
    assert norms.max() == pytest.approx(0.3, rel=1e-9)


def test_kernels_start_by_what_a_unit_sees():
    front = Convolutions((16, 16, 8), (64,), kernel=5)
    drawn = initial_parameters(Architecture(2048, (4,), 2, front=front), "he", 3, "float64")
    assert drawn["kernels/0"].std() == pytest.approx(np.sqrt(2 / (25 * 8)), rel=0.02)
    assert not drawn["offsets/0"].any()


def test_what_cannot_be_convolved():
    spec = TrialSpec({"conv_layers": 2, "conv_channels": 4}, seed=0)
    assert spec.conv_channels == (4, 4)
    assert TrialSpec.from_json(spec.to_json()) == spec
    plain = TrialSpec({}, seed=0)
    assert TrialSpec.from_json(plain.to_json()) == plain
    with pytest.raises(UsageError, match="`conv_layers` needs images"):
        architecture_of(spec, 10, 2, "softmax")
    maxout = TrialSpec({"conv_channels": [3], "activation": "maxout"}, seed=0)
    with pytest.raises(UsageError, match="maxout has no convolutional form"):
        architecture_of(maxout, 9, 2, "softmax", (3, 3, 1))
    with pytest.raises(UsageError, match="`conv_kernel` must be an odd number"):
        TrialSpec({"conv_kernel": 4}, seed=0)
    with pytest.raises(UsageError, match="`conv_channels` lists 2 layers but `conv_layers` is 1"):
        TrialSpec({"conv_channels": [3, 4], "conv_layers": 1}, seed=0)
