"""Penalties, decay, clipping, noise, max-norm and warm-up in both programs: formula, E1, E2, E5."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta

from deepwell._base._errors import UsageError
from deepwell._base._hash import Purpose, fold, key, words
from deepwell.data._batches import epoch_order
from deepwell.execution._changing import changing
from deepwell.optimization._gradient_noise import normal_of
from deepwell.training._program import EXTRAS, NUMBERS, Chunk
from deepwell.training._state import initial_state

TECHNIQUES = {
    "none": {},
    "l1": {"l1": 3e-3},
    "weight_decay": {"weight_decay": 0.5},
    "clip_value": {"clip_value": 0.01},
    "clip_norm": {"clip_norm": 0.1},
    "gradient_noise": {"gradient_noise": 1e-3},
    "max_norm": {"max_norm": 0.8},
    "input_noise": {"input_noise": 0.3},
    "mixup": {"mixup": 0.4},
    "all": {
        "l1": 1e-3,
        "weight_decay": 0.1,
        "clip_value": 0.05,
        "clip_norm": 0.2,
        "gradient_noise": 1e-4,
        "max_norm": 1.5,
        "warmup_epochs": 2.5,
        "input_noise": 0.1,
        "mixup": 1.0,
    },
}
RATE = 0.05


@pytest.fixture
def every(structure):
    """A structure with all techniques, as one program with all of them has."""

    def make(**changes):
        base = {"optimizer": "momentum", "extras": EXTRAS, "train_rows": 71, "score": "log_loss"}
        return structure(**{**base, **changes})

    return make


@pytest.fixture
def members(member):
    def make(structure, hidden=None):
        return [
            member(structure, hidden=hidden, seed=3, learning_rate=RATE, **numbers)
            for numbers in TECHNIQUES.values()
        ]

    return make


def relative_difference(a, b):
    names = [name for name in a if "/" in name]
    return max(np.abs(a[n] - b[n]).max() / max(np.abs(a[n]).max(), 1e-300) for n in names)


def slopes(parameters, x, y, weight):
    """Return the gradient of a tanh network's mean cross-entropy, y (B, C), by the formulas."""
    layers, a = len(parameters) // 2, [x]
    for layer in range(layers):
        z = a[-1] @ parameters[f"weights/{layer}"] + parameters[f"biases/{layer}"]
        a.append(np.tanh(z) if layer < layers - 1 else z)
    p = np.exp(a[-1] - a[-1].max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    d = (p - y) * (weight / weight.sum())[:, None]
    found = {}
    for layer in reversed(range(layers)):
        found[f"weights/{layer}"] = a[layer].T @ d
        found[f"biases/{layer}"] = d.sum(0)
        d = (d @ parameters[f"weights/{layer}"].T) * (1 - a[layer] ** 2)
    return found


def augmented(one, x, y, step):
    """Return rows and one-hot targets as mixup and noise leave them (D7), by the formulas."""
    seed, m = key(one.seed), one.numbers
    if m.get("mixup"):
        drawn = words(fold(fold(seed, Purpose.MIXUP), step), (len(x), 2))
        partner = drawn[:, 0] % len(x)
        share = beta(m["mixup"], m["mixup"]).ppf(((drawn[:, 1] >> 22) + 0.5) / 1024)[:, None]
        x, y = (share * part + (1 - share) * part[partner] for part in (x, y))
    drawn = words(fold(fold(seed, Purpose.INPUT_NOISE), step), x.shape)
    return x + m.get("input_noise", 0) * normal_of(drawn, np.float64, np), y


def oracle(one, data, epochs):
    """Return the weights after some epochs of momentum with the member's techniques."""
    m, masters = one.numbers, fold(key(one.seed), Purpose.NOISE)
    state = initial_state(one)
    w = {k: v for k, v in state.items() if k.split("/")[0] in ("weights", "biases")}
    v = {k: np.zeros_like(array) for k, array in w.items()}
    step = 0
    for epoch in range(1, epochs + 1):
        for batch in epoch_order(3, epoch, 70, 16):
            some, step = batch[batch < 70], step + 1
            x, y = augmented(one, data.x_train[some], np.eye(3)[data.y_train[some]], step)
            g = slopes(w, x, y, data.weight_train[some])
            for k in g:
                if k.startswith("weights"):
                    g[k] = g[k] + m["l2"] * w[k] + m.get("l1", 0) * np.sign(w[k])
                if m.get("clip_value"):
                    g[k] = np.clip(g[k], -m["clip_value"], m["clip_value"])
            norm = np.sqrt(sum((array**2).sum() for array in g.values()))
            if m.get("clip_norm") and norm > m["clip_norm"]:
                g = {k: array * m["clip_norm"] / norm for k, array in g.items()}
            rate = m["learning_rate"] * min(1, step / max(m.get("warmup_epochs", 0) * 5, 1))
            for k, array in g.items():
                kind, layer = k.split("/")
                drawn = words(
                    fold(fold(masters, step), 2 * int(layer) + (kind == "biases")),
                    array.shape if array.ndim == 2 else (1, *array.shape),
                ).reshape(array.shape)
                deviation = np.sqrt(m.get("gradient_noise", 0) / step**0.55)
                v[k] = m["momentum"] * v[k] + (1 - m["momentum"]) * (
                    array + deviation * normal_of(drawn, np.float64, np)
                )
                change = -rate * v[k]
                if kind == "weights":
                    change = change - rate * m.get("weight_decay", 0) * w[k]
                w[k] = w[k] + change
                if kind == "weights" and m.get("max_norm"):
                    norms = np.sqrt((w[k] ** 2).sum(axis=0))
                    w[k] = w[k] * np.minimum(1, m["max_norm"] / norms)
    return w


@pytest.mark.proves("R1", "R2", "R3", "R5", "O10", "O11", "formula", "independent")
def test_techniques_follow_the_formulas(every, every_program, members, trained, rows):
    s = every(drops=False)
    ours = members(s)
    states, _ = trained(every_program(s), ours, epochs=4)
    for name, one, state in zip(TECHNIQUES, ours, states, strict=True):
        for k, right in oracle(one, rows("softmax"), 4).items():
            assert np.abs(state[k] - right).max() < 1e-10 * np.abs(right).max(), (name, k)
    assert len({state["weights/0"].tobytes() for state in states}) == len(TECHNIQUES)


def test_the_limits_are_met_and_none_is_without_effect(every, every_program, members, trained):
    s = every(drops=False)
    states, _ = trained(every_program(s), members(s), epochs=4)
    held = dict(zip(TECHNIQUES, states, strict=True))
    norms = {
        name: max(np.linalg.norm(state[f"weights/{i}"], axis=0).max() for i in range(3))
        for name, state in held.items()
    }
    assert norms["max_norm"] == pytest.approx(0.8, rel=1e-12)
    assert norms["none"] > 1.2
    sizes = {name: sum(np.abs(state[f"weights/{i}"]).sum() for i in range(3))
             for name, state in held.items()}  # fmt: skip
    assert sizes["l1"] < 0.999 * sizes["none"]
    assert sizes["weight_decay"] < 0.99 * sizes["none"]


@pytest.mark.proves("R2", "R3", "R5", "O11", "population")
def test_programs_agree_on_every_technique(every, program, native, members, trained):
    s = every()
    jax, _ = trained(program(s), members(s), epochs=40)
    ours, _ = trained(native(s), members(s), epochs=40)
    for name, one, other in zip(TECHNIQUES, jax, ours, strict=True):
        assert int(other["step"]) == 200
        assert relative_difference(one, other) < 1e-9, name


@pytest.mark.proves("R2", "R3", "R5", "O11", "population")
def test_padding_is_exact_with_every_technique(every, every_program, members, trained):
    wide = every(inputs=8, hidden=(16, 8), train_rows=96, dev_rows=48)
    tight = every(hidden=(5, 7))
    padded, _ = trained(every_program(wide), members(tight, (5, 7)), epochs=40)
    exact, _ = trained(every_program(tight), members(tight, (5, 7)), epochs=40)
    for name, one, other in zip(TECHNIQUES, padded, exact, strict=True):
        assert relative_difference(one, other) < 1e-9, name


@pytest.mark.proves("R2", "R3", "R5", "O11", "population")
def test_population_equals_alone_and_resumed_to_the_bit(every, every_program, members, trained):
    s = every(dtype="float32")
    p, ours = every_program(s), members(s)
    together, _ = trained(p, ours, epochs=5)
    half, _ = trained(p, ours[::-1], epochs=2)
    resumed, _ = trained(p, ours, epochs=3, states=half[::-1], first_epoch=3)
    for one, state, again in zip(ours, together, resumed, strict=True):
        (alone,), _ = trained(p, [one], epochs=5)
        for name in state:
            assert alone[name].tobytes() == state[name].tobytes() == again[name].tobytes(), name


@pytest.mark.proves("O7", "formula")
def test_rmsprop_may_start_from_the_first_gradient(structure, every_program, member, trained, rows):
    """With s0 = g0^2 the first step is alpha sgn(g0), whatever beta is; from 0 it is larger."""
    s = structure(optimizer="rmsprop", train_rows=71, score="log_loss")
    options = {"dropout": 0.0, "l2": 0.0, "beta2": 0.9, "epsilon": 1e-30, "learning_rate": 0.01}
    ours = [member(s, rms_start=start, **options) for start in ("first_gradient", "zero")]
    starts = [initial_state(one) for one in ours]
    session = every_program(s).load(ours, starts)
    batch = epoch_order(3, 1, 70, 16)[:1]
    session.advance(Chunk(batch, 1, ends_epoch=False))
    data = rows("softmax")
    gradient = slopes(
        {k: v for k, v in starts[0].items() if k.split("/")[0] in ("weights", "biases")},
        data.x_train[batch[0]],
        np.eye(3)[data.y_train[batch[0]]],
        data.weight_train[batch[0]],
    )
    for state, factor in zip(session.states(), (1, 1 / np.sqrt(0.1)), strict=True):
        for name, g in gradient.items():
            right = -0.01 * factor * np.sign(g)
            np.testing.assert_allclose(state[name] - starts[0][name], right, rtol=1e-6)


CHANGES = {
    "input_dropout": 0.2,
    "label_smoothing": 0.1,
    "learning_rate": 0.2,
    "momentum": 0.5,
    "dropout": 0.6,
    "l2": 0.05,
    "l1": 0.01,
    "weight_decay": 0.3,
    "clip_norm": 0.05,
    "clip_value": 0.01,
    "max_norm": 0.7,
    "gradient_noise": 0.01,
    "input_noise": 0.2,
    "mixup": 0.5,
}


@pytest.mark.proves("O12", "formula", "population")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_changed_by_hand_hold_from_the_next_call_on(
    dtype, every, every_program, member, trained
):
    s = every(dtype=dtype, drops_inputs=True, smooths=True)
    p, quiet = every_program(s), member(s, seed=1)
    ours = [member(s, seed=i, dropout=0.0) for i in range(3)]
    session = p.load([*ours, quiet], [initial_state(m) for m in (*ours, quiet)])

    def epochs(first, last):
        for epoch in range(first, last + 1):
            session.advance(Chunk(epoch_order(3, epoch, 70, 16), epoch))

    epochs(1, 2)
    half = session.states()
    session.change(1, {"learning_rate": 0.3})
    session.change(1, CHANGES)
    session.change(2, {"momentum": 0.0})
    epochs(3, 5)
    changed = [ours[0], ours[1].changed(CHANGES), ours[2].changed({"momentum": 0.0}), quiet]
    assert changed[1].number("l1") == 0.01
    right, _ = trained(p, changed, epochs=3, states=half, first_epoch=3)
    for i, (state, other) in enumerate(zip(session.states(), right, strict=True)):
        for name in state:
            assert state[name].tobytes() == other[name].tobytes(), (i, name)
    unchanged, _ = trained(p, [ours[1]], epochs=3, states=[half[1]], first_epoch=3)
    assert unchanged[0]["weights/0"].tobytes() != right[1]["weights/0"].tobytes()


@pytest.mark.proves("O12", "formula", "population")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_changes_said_beforehand_are_those_made_by_hand(dtype, every, every_program, member):
    """To the bit, beside others, each with changes of its own; taken up anywhere, too."""
    s = every(dtype=dtype, drops_inputs=True, smooths=True)
    p = every_program(s)
    base = [member(s, seed=i, dropout=0.0, decay="exponential", decay_factor=0.9) for i in range(3)]
    said = [
        base[0],
        replace(base[1], changes={4: {"learning_rate": 0.3}, 2: CHANGES}),
        replace(base[2], changes={3: {"momentum": 0.0, "dropout": 0.3}}),
    ]
    assert [len(m.stages()) for m in said] == [1, 3, 2]
    assert said[1].stages()[2].number("learning_rate") == 0.3
    assert said[1].stages()[2].number("l1") == 0.01

    def epochs(session, first, last):
        for epoch in range(first, last + 1):
            order = epoch_order(3, epoch, 70, 16)
            for part in (order[:2], order[2:]):
                session.advance(Chunk(part, epoch, ends_epoch=part is not order[:2]))
        return session.states()

    by_hand = p.load(base, [initial_state(m) for m in base])
    epochs(by_hand, 1, 2)
    by_hand.change(1, CHANGES)
    epochs(by_hand, 3, 3)
    by_hand.change(2, {"momentum": 0.0, "dropout": 0.3})
    epochs(by_hand, 4, 4)
    by_hand.change(1, {"learning_rate": 0.3})
    right = epochs(by_hand, 5, 6)
    whole = changing(p.load(said, [initial_state(m) for m in said]), said)
    found = epochs(whole, 1, 6)
    alone = changing(p.load([said[1]], [initial_state(said[1])]), [said[1]])
    half = epochs(alone, 1, 3)
    again = epochs(changing(p.load([said[1]], half), [said[1]]), 4, 6)
    for state, other in [*zip(found, right, strict=True), (again[0], right[1])]:
        for name in other:
            assert state[name].tobytes() == other[name].tobytes(), name
    assert next(iter(whole.read()))["step"] == right[0]["step"]
    plain = p.load(base, [initial_state(m) for m in base])
    assert changing(plain, base) is plain


def test_a_wrong_change_is_refused_and_changes_nothing(every, every_program, member, trained):
    s = every(dtype="float32")
    p, one = every_program(s), member(s, seed=1)
    session = p.load([one], [initial_state(one)])
    with pytest.raises(UsageError, match=r"`learning_rate` must be above 0, got -1"):
        session.change(0, {"momentum": 0.1, "learning_rate": -1})
    with pytest.raises(ValueError, match='"batch_size" cannot change while a member trains'):
        session.change(0, {"batch_size": 3})
    with pytest.raises((IndexError, ValueError)):
        session.change(1, {"momentum": 0.1})
    session.advance(Chunk(epoch_order(3, 1, 70, 16), 1))
    (right,), _ = trained(p, [one], epochs=1)
    for name, array in session.states()[0].items():
        assert array.tobytes() == right[name].tobytes()


def test_a_program_without_a_technique_refuses_it(structure, program, member):
    s = structure(dtype="float32", drops=False)
    one = member(s)
    session = program(s).load([one], [initial_state(one)])
    for name in ("dropout", *EXTRAS):
        with pytest.raises(ValueError, match="does not fit"):
            session.change(0, {name: 0.5})


def test_every_extra_is_a_number_that_is_off_at_its_default(structure, member):
    one = member(structure())
    assert set(EXTRAS) <= set(NUMBERS)
    assert all(one.number(name) == 0 for name in EXTRAS)
