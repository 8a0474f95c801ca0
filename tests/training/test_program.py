"""What a program computes, against an oracle in plain NumPy; early stopping and its corners."""

import numpy as np
import pytest

from deepwell._base._hash import Purpose, fold, key, words
from deepwell.data._batches import epoch_order
from deepwell.training._program import Chunk, Outcome
from deepwell.training._state import best_parameters, initial_state


@pytest.fixture
def program(every_program):
    return every_program


def oracle_step(parameters, moments, x, y, weight, t, m, rate, dropout, dropout_key):
    """One Adam step of a tanh network with softmax output, by the formulas, float64."""
    layers = len(parameters) // 2
    a, kept, scales = [x], [], []
    for layer in range(layers):
        z = a[-1] @ parameters[f"weights/{layer}"] + parameters[f"biases/{layer}"]
        if layer == layers - 1:
            out = z
            break
        h = np.tanh(z)
        drawn = words(fold(fold(dropout_key, t), layer), h.shape)
        mask = (drawn >= np.uint32(round(dropout * 2**32))) / (1 - dropout)
        kept.append(h)
        scales.append(mask)
        a.append(h * mask)
    p = np.exp(out - out.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    d = (p - np.eye(p.shape[1])[y]) * weight[:, None] / weight.sum()
    gradients = {}
    for layer in reversed(range(layers)):
        gradients[f"weights/{layer}"] = a[layer].T @ d + m["l2"] * parameters[f"weights/{layer}"]
        gradients[f"biases/{layer}"] = d.sum(0)
        if layer:
            d = (
                (d @ parameters[f"weights/{layer}"].T)
                * scales[layer - 1]
                * (1 - kept[layer - 1] ** 2)
            )
    for name, g in gradients.items():
        first = m["beta1"] * moments[0].get(name, 0) + (1 - m["beta1"]) * g
        second = m["beta2"] * moments[1].get(name, 0) + (1 - m["beta2"]) * g**2
        moments[0][name], moments[1][name] = first, second
        m_hat, s_hat = first / (1 - m["beta1"] ** t), second / (1 - m["beta2"] ** t)
        parameters[name] = parameters[name] - rate * m_hat / (np.sqrt(s_hat) + m["epsilon"])


@pytest.mark.proves("D9", "N7", "N10", "R1", "O8", "O10", "formula", "independent")
def test_training_equals_the_formulas_after_200_steps(structure, program, member, trained, rows):
    s = structure(hidden=(8, 8))
    one = member(s, hidden=(5, 7), seed=11, decay="inverse_time", decay_rate=0.1)
    (state,), _ = trained(program(s), [one], epochs=40)
    data = rows("softmax")
    parameters = {
        k: v for k, v in initial_state(one).items() if k.split("/")[0] in ("weights", "biases")
    }
    moments, t = ({}, {}), 0
    masks = fold(key(11), Purpose.DROPOUT)
    for epoch in range(1, 41):
        rate = 0.01 / (1 + 0.1 * epoch)
        for batch in epoch_order(3, epoch, 70, 16):
            t += 1
            where = batch < 70  # the oracle trains on a truly short last batch
            some = batch[where]
            oracle_step(
                parameters, moments, data.x_train[some], data.y_train[some],
                data.weight_train[some], t, one.numbers, rate, 0.3, masks,
            )  # fmt: skip
    for name, right in parameters.items():
        scale = np.abs(right).max()
        assert np.abs(state[name] - right).max() / scale < 1e-9, name


@pytest.mark.proves("R4", "formula")
def test_best_weights_score_exactly_what_was_recorded(structure, program, member, trained):
    s = structure(optimizer="momentum", dtype="float32", score="log_loss", drops=False)
    p = program(s)
    members = [member(s, seed=i, learning_rate=0.5) for i in range(3)]
    states, infos = trained(p, members, epochs=12)
    scores = np.array([i.dev_score for i in infos])
    again = p.evaluate(members, states)
    for i, state in enumerate(states):
        assert float(state["best_score"]) == scores[:, i].min()
        assert int(state["best_epoch"]) == 1 + int(scores[:, i].argmin())
        assert again.dev_score[i] == scores[:, i].min()


@pytest.mark.proves("R4", "formula")
def test_early_stopping_waits_for_patience_and_keeps_the_best(structure, program, member, trained):
    s = structure(dtype="float32", score="log_loss", drops=False)
    patient = member(s, seed=1, patience=3, learning_rate=0.1)
    forever = member(s, seed=1, patience=0, learning_rate=0.1)
    (stopped, full), infos = trained(program(s), [patient, forever], epochs=40)
    best = int(stopped["best_epoch"])
    assert int(stopped["outcome"]) == Outcome.EARLY_STOPPED
    assert int(stopped["epoch"]) == best + 3
    assert int(full["epoch"]) == 40
    scores = [i.dev_score[0] for i in infos[: best + 3]]
    assert int(np.argmin(scores)) + 1 == best
    for name, array in best_parameters(stopped).items():
        assert array.shape == stopped[name].shape
        assert name.startswith("biases") or not np.array_equal(array, stopped[name])


def test_an_epoch_in_two_chunks_is_the_same_epoch(structure, every_program, member):
    s = structure(dtype="float32")
    p = every_program(s)
    one = member(s, seed=2)
    order = epoch_order(3, 1, 70, 16)
    whole = p.load([one], [initial_state(one)])
    info = whole.advance(Chunk(order, 1))
    parts = p.load([one], [initial_state(one)])
    parts.advance(Chunk(order[:2], 1, ends_epoch=False))
    last = parts.advance(Chunk(order[2:], 1))
    later = p.load([one], [None])
    later.advance(Chunk(order, 1, ends_epoch=False))
    scored = later.advance(Chunk(order[:0], 1))
    for each, session in ((last, parts), (scored, later)):
        for metric in ("train_cost", "dev_cost", "dev_score", "step", "best_epoch"):
            assert getattr(info, metric)[0] == getattr(each, metric)[0], metric
        for name, array in whole.states()[0].items():
            assert array.tobytes() == session.states()[0][name].tobytes(), name
