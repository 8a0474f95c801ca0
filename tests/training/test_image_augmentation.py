"""Images augmented inside the JAX program (D7): formula, E1, E2, E5, and off is off."""

from dataclasses import replace

import numpy as np
import pytest

from deepwell._base._errors import UsageError
from deepwell._base._hash import Purpose, fold, key, words
from deepwell.data._batches import epoch_order
from deepwell.data._image_augmentations import AUGMENTATIONS, STRENGTHS
from deepwell.networks._convolutions import Convolutions
from deepwell.optimization._gradient_noise import normal_of
from deepwell.training._jax_program import JaxProgram
from deepwell.training._program import Chunk, ProgramOptions, TrainingRows
from deepwell.training._state import initial_state

IMAGE, INPUTS, TRAIN, DEV, BATCH = (6, 5, 2), 60, 40, 24, 16
STRONG = {
    "flip": 0.5, "crop": 2, "shift": 0.2, "rotation": 30.0, "contrast": 0.5, "brightness": 0.4
}  # fmt: skip
EVERY = (*STRENGTHS, "mixup", "input_noise")


def image_rows(targets="softmax"):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(TRAIN + DEV, INPUTS))
    y = (x[:, :20].sum(axis=1) > 0).astype(np.int32) if targets == "softmax" else x[:, :9].sum(1)
    w = rng.uniform(0.5, 1.5, TRAIN + DEV)
    return TrainingRows(x[:TRAIN], y[:TRAIN], w[:TRAIN], x[TRAIN:], y[TRAIN:], w[TRAIN:])


@pytest.fixture(scope="module")
def programs():
    made = {}

    def make(structure):
        if structure not in made:
            rows = image_rows(structure.loss)
            made[structure] = JaxProgram(structure, rows, ProgramOptions(lanes=4))
        return made[structure]

    return make


@pytest.fixture
def seeing(structure, member):
    """A structure and a member whose rows are images."""

    def make(numbers, seed=0, hidden=(5,), front=None, **changes):
        base = {"inputs": INPUTS, "outputs": 2, "hidden": (8,), "batch": BATCH, "steps": 4,
                "optimizer": "momentum", "train_rows": TRAIN + 1, "dev_rows": DEV, "drops": False,
                "score": "log_loss", "extras": EVERY, "image": IMAGE, "front": front}  # fmt: skip
        s = structure(**{**base, **changes})
        one = member(s, hidden=hidden, seed=seed, **{"learning_rate": 0.02, **numbers})
        return s, replace(one, architecture=replace(one.architecture, inputs=INPUTS, front=front))

    return make


def train(program, members, epochs=3, states=None, first=1):
    states = [initial_state(m) for m in members] if states is None else states
    session = program.load(members, states)
    infos = [
        session.advance(Chunk(epoch_order(3, epoch, TRAIN, BATCH), epoch))
        for epoch in range(first, first + epochs)
    ]
    return session.states(), infos


def seen_rows(one, x, step):
    """Return rows (B, D) as a member sees them, by the NumPy half of every augmentation."""
    parent = fold(fold(key(one.seed), Purpose.IMAGE), step)
    images = x.reshape(-1, *IMAGE)
    for a in AUGMENTATIONS.values():
        strengths = [one.number(name) for name in a.strengths]
        drawn = words(fold(parent, a.number), (len(x), a.draws))
        images = a.apply(images, drawn, strengths, np)
    return images.reshape(len(x), -1)


@pytest.mark.proves("D7", "formula", "independent")
@pytest.mark.parametrize("mixed", [False, True])
def test_the_cost_and_the_change_are_those_of_the_rows_seen(mixed, seeing, programs):
    """One step of linear regression from known weights: images, then mixup, then noise."""
    from deepwell.data._augmentation import share_table

    more = {"mixup": 1.0, "input_noise": 0.25} if mixed else {}
    s, one = seeing(
        {**STRONG, **more, "l2": 0.0, "learning_rate": 0.1},
        seed=9, hidden=(), loss="squared", outputs=1, optimizer="sgd", batch=TRAIN, steps=2,
    )  # fmt: skip
    s = replace(s, hidden=())
    rows, state = image_rows("squared"), initial_state(one)
    session = programs(s).load([one], [state])
    info = session.advance(Chunk(epoch_order(3, 1, TRAIN, TRAIN), 1))
    order = epoch_order(3, 1, TRAIN, TRAIN)[0]
    x, y, w = rows.x_train[order], rows.y_train[order], rows.weight_train[order]
    x = seen_rows(one, x, 1)
    if mixed:
        drawn = words(fold(fold(key(9), Purpose.MIXUP), 1), (TRAIN, 2))
        partner, share = drawn[:, 0] % TRAIN, np.array(share_table(1.0))[drawn[:, 1] >> 22]
        x = share[:, None] * x + (1 - share)[:, None] * x[partner]
        y = share * y + (1 - share) * y[partner]
        noise = normal_of(words(fold(fold(key(9), Purpose.INPUT_NOISE), 1), x.shape), float, np)
        x = x + 0.25 * noise
    off = (x @ state["weights/0"])[:, 0] + state["biases/0"][0] - y
    factor = float(info.train_cost[0] / ((off**2 * w).sum() / w.sum()))
    assert factor == pytest.approx(1.0, rel=1e-9)
    (after,) = session.states()
    gradient = 2 * x.T @ (off * w) / w.sum()
    moved = (state["weights/0"] - after["weights/0"])[:, 0]
    scale = moved @ gradient / (gradient @ gradient)  # the loss may be a half of the square
    np.testing.assert_allclose(moved, scale * gradient, rtol=1e-8, atol=1e-12)
    assert scale == pytest.approx(0.1, rel=1e-8) or scale == pytest.approx(0.05, rel=1e-8)


@pytest.mark.proves("D7", "population")
@pytest.mark.parametrize("front", [None, Convolutions(IMAGE, (3,))], ids=["dense", "convolving"])
def test_population_equals_alone_and_resumed_to_the_bit(front, seeing, programs):
    tries = [{}, STRONG, {"flip": 1.0}, {"shift": 0.3}, {"crop": 1, "mixup": 0.5}]
    made = [
        seeing(numbers, seed=i, hidden=(3 + i,), dtype="float32", front=front)
        for i, numbers in enumerate(tries)
    ]
    program, members = programs(made[0][0]), [one for _, one in made]
    together, _ = train(program, members, epochs=4)
    half, _ = train(program, members[::-1], epochs=2)
    resumed, _ = train(program, members, epochs=2, states=half[::-1], first=3)
    for one, state, again in zip(members, together, resumed, strict=True):
        (alone,), _ = train(program, [one], epochs=4)
        for name in state:
            assert alone[name].tobytes() == state[name].tobytes(), name
            assert again[name].tobytes() == state[name].tobytes(), name
    assert len({state["weights/0"].tobytes() for state in together}) == len(tries)


@pytest.mark.proves("D7", "population")
def test_padding_around_images_is_exact(seeing, programs):
    s, one = seeing(STRONG)
    tight = replace(s, hidden=(5,))
    wide = replace(s, inputs=72, hidden=(16,), train_rows=64, dev_rows=40, batch=BATCH)
    (exact,), _ = train(programs(tight), [one], epochs=10)
    (padded,), _ = train(programs(wide), [one], epochs=10)
    for name in exact:
        np.testing.assert_allclose(exact[name], padded[name], rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("front", [None, Convolutions(IMAGE, (3,))], ids=["dense", "convolving"])
def test_off_changes_nothing(front, seeing, programs):
    """To the bit beside others; a program without the technique is compiled apart, and rounds."""
    s, off = seeing({}, seed=1, front=front)
    without = replace(s, extras=(), image=())
    (plain,), _ = train(programs(without), [off])
    (beside, _), _ = train(programs(s), [off, seeing(STRONG, seed=1, front=front)[1]])
    (alone,), _ = train(programs(s), [off])
    for name in plain:
        assert beside[name].tobytes() == alone[name].tobytes()
        np.testing.assert_allclose(plain[name], alone[name], rtol=1e-9, atol=1e-12, err_msg=name)


def test_dev_rows_and_what_is_predicted_are_never_augmented(seeing, programs):
    s, plain = seeing({}, seed=2)
    _, wild = seeing({**STRONG, "brightness": 50.0}, seed=2)
    states, _ = train(programs(s), [plain])
    told = programs(s).evaluate([plain, wild], [states[0], states[0]])
    assert told.dev_cost[0] == told.dev_cost[1]


def test_seeds_and_steps_draw_anew_and_all_strengths_have_an_effect(seeing, programs):
    s, plain = seeing({}, dtype="float32")
    members = [plain, *(seeing({n: STRONG[n]}, dtype="float32")[1] for n in STRENGTHS)]
    states, _ = train(programs(s), members, epochs=1)
    assert len({state["weights/0"].tobytes() for state in states}) == 1 + len(STRENGTHS)
    rows = image_rows().x_train
    _, one = seeing({**STRONG, "flip": 0.0})
    first = seen_rows(one, rows, 1)
    assert np.abs(first - seen_rows(one, rows, 2)).max(axis=1).min() > 1e-3
    assert np.abs(first - seen_rows(replace(one, seed=1), rows, 1)).max(axis=1).min() > 1e-3


def test_strengths_may_change_by_hand_within_the_image(seeing, programs):
    s, one = seeing({"crop": 1}, dtype="float32")
    program = programs(s)
    session = program.load([one], [initial_state(one)])
    session.change(0, {"crop": 2, "flip": 0.5})
    session.advance(Chunk(epoch_order(3, 1, TRAIN, BATCH), 1))
    (right,), _ = train(program, [one.changed({"crop": 2, "flip": 0.5})], epochs=1)
    for name, array in session.states()[0].items():
        assert array.tobytes() == right[name].tobytes()
    with pytest.raises(UsageError, match="`crop` must be less than the smaller side of the images"):
        session.change(0, {"crop": 5})
    without = programs(replace(s, extras=("mixup",), image=()))
    with pytest.raises(ValueError, match="does not fit"):
        without.load([one], [None])


def test_the_native_core_refuses_them(structure, native, member):
    s = structure(dtype="float32")
    one = member(s)
    session = native(s).load([one], [initial_state(one)])
    for name in STRENGTHS:
        with pytest.raises(ValueError, match=f"{name} of images does not fit the native core"):
            session.change(0, {name: 1})
        with pytest.raises(ValueError, match=f"{name} of images does not fit the native core"):
            native(s).load([member(s, **{name: 1})], [None])
