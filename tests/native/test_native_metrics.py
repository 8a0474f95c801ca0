"""The core's metrics against scikit-learn, through a network that passes its inputs on."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from deepwell.networks._architecture import Architecture
from deepwell.training._native_program import NativeProgram
from deepwell.training._program import Member, Structure, TrainingRows
from deepwell.training._state import initial_state

N = 300
RNG = np.random.default_rng(5)
WEIGHT = RNG.uniform(0.2, 2.0, N)
WEIGHT[:5] = 0.0
NUMBERS = dict.fromkeys(
    ("learning_rate", "decay_rate", "momentum", "beta1", "beta2", "epsilon", "l2"), 0.0
)


def measured(outputs, y, loss, score, dtype="float64", weight=WEIGHT):
    """Return the dev score of a network without hidden layers whose weights are the identity."""
    count = outputs.shape[1]
    rows = TrainingRows(outputs, y, weight, outputs, y, weight)
    s = Structure(count, (), count, loss, "", "", 8, False, N, N, 1, score)
    shape = Architecture(count, (), count, "identity", 0.0, loss)
    one = Member(shape, "sgd", "zeros", 0, NUMBERS, dtype=dtype)
    state = initial_state(one)
    state["best/weights/0"] = np.eye(count, dtype=dtype)
    return float(NativeProgram(s, rows).evaluate([one], [state]).dev_score[0])


def probabilities(outputs):
    z = np.hstack([np.zeros_like(outputs), outputs]) if outputs.shape[1] == 1 else outputs
    p = np.exp(z - z.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


def expected(name, outputs, y):
    p, classes = probabilities(outputs), max(2, outputs.shape[1])
    said = (outputs[:, 0] > 0).astype(int) if outputs.shape[1] == 1 else outputs.argmax(1)
    keep = WEIGHT > 0
    some = {"sample_weight": WEIGHT[keep]}
    if name == "error":
        return 1 - oracle.accuracy_score(y[keep], said[keep], **some)
    if name == "log_loss":
        return oracle.log_loss(y[keep], p[keep], **some)
    if name == "balanced_error":
        return 1 - oracle.balanced_accuracy_score(y[keep], said[keep], **some)
    if name == "f1":
        average = "binary" if outputs.shape[1] == 1 else "macro"
        return 1 - oracle.f1_score(y[keep], said[keep], average=average, **some)
    columns = range(classes) if classes > 2 else [1]
    areas = [oracle.roc_auc_score(y[keep] == c, p[keep, c], **some) for c in columns]
    return 1 - np.mean(areas)


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("name", ["error", "log_loss", "balanced_error", "f1", "auc"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_class_metrics(name, count, dtype):
    outputs = RNG.normal(size=(N, count)).astype(np.float32).astype(float)
    outputs[50:60] = outputs[40:50]  # ties
    y = RNG.integers(0, max(2, count), N)
    got = measured(outputs, y, "logistic" if count == 1 else "softmax", name, dtype)
    assert got == pytest.approx(expected(name, outputs, y), rel=2e-5)


@pytest.mark.parametrize("name", ["rmse", "mae", "r2"])
def test_regression_metrics(name):
    outputs, y = RNG.normal(size=(N, 1)), RNG.normal(size=N)
    right = {
        "rmse": np.sqrt(oracle.mean_squared_error(y, outputs[:, 0], sample_weight=WEIGHT)),
        "mae": oracle.mean_absolute_error(y, outputs[:, 0], sample_weight=WEIGHT),
        "r2": 1 - oracle.r2_score(y, outputs[:, 0], sample_weight=WEIGHT),
    }[name]
    assert measured(outputs, y, "squared", name) == pytest.approx(right, rel=1e-12)


def test_a_network_without_a_finite_cost_has_no_score():
    outputs = np.full((N, 3), np.inf)
    assert np.isnan(measured(outputs, np.zeros(N, int), "softmax", "error"))


def test_auc_ranks_very_sure_outputs_without_ties():
    outputs, y = np.linspace(20, 40, N)[:, None], RNG.integers(0, 2, N)
    got = measured(outputs, y, "logistic", "auc", "float32", np.ones(N))
    assert got == pytest.approx(1 - oracle.roc_auc_score(y, outputs[:, 0]), rel=1e-5)
