"""The gradient of every layer and loss, through the programs, against numeric ones in float64.

One step of plain descent at rate 1 moves the parameters by minus the gradient. The cost that is
differentiated numerically is written out here from the formulas, in NumPy.
"""

import numpy as np
import pytest
from scipy.special import erf, expit, log_softmax, xlog1py, xlogy

from deepwell._base._hash import Purpose, fold, key, words
from deepwell.networks._activations import ACTIVATIONS
from deepwell.testing._numerical import gradient_difference, numerical_gradient
from deepwell.training._program import Chunk
from deepwell.training._state import initial_state

ROWS = np.array([3, 14, 15, 9, 26, 5, 35, 8, 70, 70, 58, 2, 38, 46, 64, 70], np.int32)  # 70: none
ACTIVATE = {
    "sigmoid": lambda z, s: expit(z),
    "tanh": lambda z, s: np.tanh(z),
    "relu": lambda z, s: np.maximum(z, 0),
    "leaky_relu": lambda z, s: np.maximum(z, s * z),
    "elu": lambda z, s: np.where(z >= 0, z, s * (np.exp(np.minimum(z, 0)) - 1)),
    "gelu": lambda z, s: z * 0.5 * (1 + erf(z / np.sqrt(2))),
    "silu": lambda z, s: z * expit(z),
    "identity": lambda z, s: z,
}


def cost_of(member, parameters, x, y, weight, dropping=True):
    """Return the weighted mean loss of a train batch at step 1, by the formulas."""
    a = member.architecture
    share = weight / weight.sum()
    masks_key = fold(fold(key(member.seed), Purpose.DROPOUT), 1)

    def dropped(values, rate, layer):
        if not (rate and dropping):
            return values
        drawn = words(fold(masks_key, layer), values.shape)
        kept = np.where(drawn >= np.uint32(round(rate * 2**32)), values, 0)
        return kept if a.classic_dropout else kept / (1 - rate)

    def norm(z, layer):
        mean = (share[:, None] * z).sum(0)
        variance = (share[:, None] * (z - mean) ** 2).sum(0)
        z = (z - mean) / np.sqrt(variance + a.norm_epsilon)
        return parameters[f"scales/{layer}"] * z + parameters[f"shifts/{layer}"]

    h, outputs = dropped(x, a.input_dropout, 2**32 - 1), []
    for layer in range(len(a.hidden)):
        z = h @ parameters[f"weights/{layer}"] + parameters.get(f"biases/{layer}", 0)
        z = norm(z, layer) if a.batch_norm == "before" else z
        if a.activation == "maxout":
            g = np.max([z[:, k :: a.pieces] for k in range(a.pieces)], axis=0)
        else:
            g = ACTIVATE[a.activation](z, a.slope)
        g = norm(g, layer) if a.batch_norm == "after" else g
        h = dropped(g, a.dropout[layer], layer)
        if a.residual and layer and layer % a.residual == 0:
            other = outputs[layer - a.residual]
            wide = np.zeros((len(x), max(h.shape[1], other.shape[1])))
            wide[:, : other.shape[1]] += other
            h = h + wide[:, : h.shape[1]]
        outputs.append(h)
    z = h @ parameters[f"weights/{a.layers - 1}"] + parameters[f"biases/{a.layers - 1}"]
    smoothing = member.number("label_smoothing")
    if a.loss == "squared":
        losses = (z[:, 0] - y) ** 2
    elif a.loss == "logistic":
        q = (1 - smoothing) * y + smoothing / 2
        p = expit(z[:, 0])
        losses = -xlogy(q, p) - xlog1py(1 - q, -p)
    else:
        q = (1 - smoothing) * np.eye(z.shape[1])[y] + smoothing / z.shape[1]
        losses = -(q * log_softmax(z, axis=1)).sum(1)
    return share @ losses


def jolted(one):
    """Return an initial state moved off its symmetric points: biases, scales and shifts too."""
    state = initial_state(one)
    rng = np.random.default_rng(5)
    return state | {
        n: state[n] + rng.normal(0, 0.3, s) for n, s in one.architecture.parameter_shapes().items()
    }


def gradients(one, program, rows):
    """Return the gradient of one batch by the program and numerically, as two vectors by name."""
    state = jolted(one)
    session = program.load([one], [state])
    info = session.advance(Chunk(ROWS[None, :], 1, ends_epoch=False))
    (after,) = session.states()
    parts = (rows.x_train, rows.y_train, rows.weight_train)
    batch = [np.concatenate([part, part[:1] * 0])[ROWS] for part in parts]
    names = list(one.architecture.parameter_shapes())
    parameters = {n: state[n].copy() for n in names}
    np.testing.assert_allclose(
        float(after["cost_sum"]) / float(after["weight_sum"]), cost_of(one, parameters, *batch),
        rtol=1e-12,
    )  # fmt: skip
    assert info.moved[0]
    numeric = numerical_gradient(
        lambda p: cost_of(one, p, *batch) + one.number("l2") / 2 * squares(p), parameters
    )
    return {n: state[n] - after[n] for n in names}, numeric


def squares(parameters):
    return sum((w**2).sum() for name, w in parameters.items() if name.startswith("weights/"))


def check(one, program, rows):
    mine, numeric = gradients(one, program, rows(one.architecture.loss))
    assert gradient_difference(numeric, mine) < 1e-7
    for name in mine:  # no block may hide behind a larger one
        assert np.abs(mine[name] - numeric[name]).max() < 1e-7, name


DESCENT = {"learning_rate": 1.0, "l2": 0.05}


@pytest.mark.proves("N1", "N4", "N5", "N6", "N7", "N10", "R1", "D9", "O1", "gradient")
@pytest.mark.parametrize("norm", ["none", "before", "after"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_with_and_without_batch_norm(
    activation, norm, native, structure, member, rows
):
    """The native program; that the other agrees with it to 1e-9 is held elsewhere."""
    s = structure(activation=activation, batch_norm=norm, optimizer="sgd", hidden=(8, 8))
    one = member(s, hidden=(4, 3), seed=3, **DESCENT)
    check(one, native(s), rows)


@pytest.mark.proves("N4", "N5", "N11", "R1", "R5", "gradient")
@pytest.mark.parametrize("hidden", [(), (4,)])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize(("loss", "outputs"), [("softmax", 3), ("logistic", 1), ("squared", 1)])
def test_every_loss(loss, outputs, smoothing, hidden, every_program, structure, member, rows):
    score = "rmse" if loss == "squared" else "log_loss"
    room = tuple(8 for _ in hidden)
    s = structure(
        loss=loss, outputs=outputs, score=score, smooths=True, optimizer="sgd", hidden=room
    )
    smoothing = 0.0 if loss == "squared" else smoothing
    one = member(s, hidden=hidden, seed=3, label_smoothing=smoothing, **DESCENT)
    check(one, every_program(s), rows)


@pytest.mark.proves("N1", "N5", "N6", "N7", "N8", "N10", "R5", "gradient")
def test_every_technique(technique, native, structure, member, rows):
    shaping, numbers = technique
    if "extras" in shaping:
        return  # clipped and noisy on purpose: no gradient of the cost
    s = structure(hidden=(8, 8, 8), optimizer="sgd", **shaping)
    one = member(s, hidden=(4, 3, 5), seed=3, **DESCENT, **numbers)
    check(one, native(s), rows)


@pytest.mark.proves("N6", "N8", "N10", "gradient")
@pytest.mark.parametrize("name", ["batch_norm_after", "classic_dropout", "all_at_once"])
def test_techniques_in_jax(name, techniques, program, structure, member, rows):
    shaping, numbers = techniques[name]
    s = structure(hidden=(8, 8, 8), optimizer="sgd", **shaping)
    one = member(s, hidden=(4, 3, 5), seed=3, **DESCENT, **numbers)
    check(one, program(s), rows)


@pytest.mark.parametrize(
    "wrong",
    [{"l2": 0.06}, {"dropout": 0.31}, {"norm_epsilon": 1e-4}, {"label_smoothing": 0.01}],
)
def test_a_wrong_gradient_is_seen(wrong, native, structure, member, rows):
    s = structure(optimizer="sgd", batch_norm="before", hidden=(8,))
    one = member(s, hidden=(5,), seed=3, **DESCENT)
    other = member(s, hidden=(5,), seed=3, **{**DESCENT, **wrong})
    mine, _ = gradients(one, native(s), rows("softmax"))
    _, numeric = gradients(other, native(s), rows("softmax"))
    assert gradient_difference(numeric, mine) > 1e-6
