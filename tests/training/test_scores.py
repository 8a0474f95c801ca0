"""The metrics inside programs against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from deepwell.training._scores import score_function

RNG = np.random.default_rng(5)
N = 200
WEIGHT = RNG.uniform(0.2, 2.0, N).astype(np.float32)
WEIGHT[:5] = 0.0  # padding


def softmax(z):
    p = np.exp(z - z.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


def classes(outputs, y):
    if outputs.shape[1] == 1:
        p = 1 / (1 + np.exp(-outputs[:, 0]))
        return np.stack([1 - p, p], 1), (outputs[:, 0] > 0).astype(int)
    return softmax(outputs), outputs.argmax(1)


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("name", ["error", "log_loss", "balanced_error", "f1", "auc"])
def test_class_metrics(name, count):
    y = RNG.integers(0, count, N)
    outputs = RNG.normal(size=(N, 1 if count == 2 else count)).astype(np.float32)
    outputs[50:60] = outputs[40:50]  # ties
    p, said = classes(outputs, y)
    loss = "logistic" if count == 2 else "softmax"
    got = float(score_function(name, loss)(outputs, y, WEIGHT))
    keep = WEIGHT > 0
    if name == "auc" and count > 2:
        areas = [
            oracle.roc_auc_score(y[keep] == c, p[keep, c], sample_weight=WEIGHT[keep])
            for c in range(count)
        ]
        right = 1 - np.mean(areas)
    else:
        right = {
            "error": lambda: 1 - oracle.accuracy_score(y, said, sample_weight=WEIGHT),
            "log_loss": lambda: oracle.log_loss(y, p, sample_weight=WEIGHT),
            "balanced_error": lambda: (
                1 - oracle.balanced_accuracy_score(y[keep], said[keep], sample_weight=WEIGHT[keep])
            ),
            "f1": lambda: (
                1
                - oracle.f1_score(
                    y, said, sample_weight=WEIGHT, average="binary" if count == 2 else "macro"
                )
            ),
            "auc": lambda: (
                1 - oracle.roc_auc_score(y[keep], p[keep, 1], sample_weight=WEIGHT[keep])
            ),
        }[name]()
    assert got == pytest.approx(right, rel=2e-5)


@pytest.mark.parametrize("name", ["rmse", "mae", "r2"])
def test_regression_metrics(name):
    y = RNG.normal(size=N).astype(np.float32)
    outputs = RNG.normal(size=(N, 1)).astype(np.float32)
    got = float(score_function(name, "squared")(outputs, y, WEIGHT))
    said = outputs[:, 0]
    right = {
        "rmse": np.sqrt(oracle.mean_squared_error(y, said, sample_weight=WEIGHT)),
        "mae": oracle.mean_absolute_error(y, said, sample_weight=WEIGHT),
        "r2": 1 - oracle.r2_score(y, said, sample_weight=WEIGHT),
    }[name]
    assert got == pytest.approx(right, rel=2e-5)


def test_auc_ranks_very_sure_outputs_without_ties():
    """In float32 all probabilities above z = 17 round to 1; the logits still rank."""
    outputs = np.linspace(20, 40, 60, dtype=np.float32)[:, None]
    y = RNG.integers(0, 2, 60)
    got = float(score_function("auc", "logistic")(outputs, y, np.ones(60, np.float32)))
    assert got == pytest.approx(1 - oracle.roc_auc_score(y, outputs[:, 0]), rel=1e-5)
