"""N11: networks without hidden layers at convergence are scikit-learn's linear models."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from deepwell.training._program import Chunk
from deepwell.training._state import initial_state

PENALTY = 0.05
ALL_ROWS = np.tile(np.arange(70, dtype=np.int32), (4_000, 1))  # batch descent


def converged(native, structure, member, loss, outputs):
    score = "rmse" if loss == "squared" else "log_loss"
    s = structure(loss=loss, outputs=outputs, score=score, hidden=(), optimizer="sgd", batch=70,
                  drops=False)  # fmt: skip
    one = member(s, learning_rate=0.2, l2=PENALTY, initializer="zeros")
    session = native(s).load([one], [initial_state(one)])
    session.advance(Chunk(ALL_ROWS, 1))
    (state,) = session.states()
    return state["weights/0"], state["biases/0"]


@pytest.mark.proves("N11", "independent")
def test_one_output_is_ridge_regression(native, structure, member, rows):
    """mean w (z - y)^2 + l2/2 |W|^2 is Ridge with alpha = l2/2 times the sum of the weights."""
    weights, biases = converged(native, structure, member, "squared", 1)
    data = rows("squared")
    right = Ridge(alpha=PENALTY / 2 * data.weight_train.sum(), tol=1e-12)
    right.fit(data.x_train, data.y_train, sample_weight=data.weight_train)
    np.testing.assert_allclose(weights[:, 0], right.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(biases[0], right.intercept_, rtol=1e-6, atol=1e-9)


@pytest.mark.proves("N11", "independent")
@pytest.mark.parametrize(("loss", "outputs"), [("logistic", 1), ("softmax", 3)])
def test_logits_are_logistic_and_softmax_regression(loss, outputs, native, structure, member, rows):
    weights, biases = converged(native, structure, member, loss, outputs)
    data = rows(loss)
    strength = 1 / (PENALTY * data.weight_train.sum())
    right = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000)
    right.fit(data.x_train, data.y_train, sample_weight=data.weight_train)
    np.testing.assert_allclose(weights.T, right.coef_, rtol=1e-5, atol=1e-6)
    # Softmax biases are free up to a number that all classes share.
    np.testing.assert_allclose(
        biases - biases.mean() * (outputs > 1),
        right.intercept_ - right.intercept_.mean() * (outputs > 1),
        rtol=1e-5, atol=1e-6,
    )  # fmt: skip


@pytest.mark.proves("N4", "independent")
def test_softmax_of_two_classes_is_logistic_regression(native, structure, member, rows):
    """z of class 1 minus z of class 0; the penalty on two columns is twice that on their half."""
    two = structure(loss="softmax", outputs=2, score="log_loss", hidden=(), optimizer="sgd",
                    batch=70, drops=False)  # fmt: skip
    one = structure(loss="logistic", outputs=1, score="log_loss", hidden=(), optimizer="sgd",
                    batch=70, drops=False)  # fmt: skip
    found = []
    for s in (two, one):
        m = member(s, learning_rate=0.1, l2=0.0, initializer="zeros")
        rate = {"learning_rate": 0.1 if s is two else 0.2}
        session = _with_binary_labels(native, s, rows).load([m.changed(rate)], [initial_state(m)])
        session.advance(Chunk(ALL_ROWS[:500], 1))
        (state,) = session.states()
        found.append((state["weights/0"], state["biases/0"]))
    (w2, b2), (w1, b1) = found
    np.testing.assert_allclose(w2[:, 1] - w2[:, 0], w1[:, 0], rtol=1e-10)
    np.testing.assert_allclose(b2[1] - b2[0], b1[0], rtol=1e-10)


def _with_binary_labels(native, s, rows):
    from deepwell.training._native_program import NativeProgram

    native(s)  # skips where there is no core
    return NativeProgram(s, rows("logistic"))
