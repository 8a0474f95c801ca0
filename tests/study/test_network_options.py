"""Options of networks from the search space to the saved model and the command line."""

import numpy as np
import pytest

import deepwell as dw
from deepwell.study._model import load_model

SPACE = {
    "hidden_units": (6, 5),
    "activation": ["maxout", "tanh"],
    "batch_norm": ["before", "after", "none"],
    "residual": [0, 1],
    "dropout": (0.3, 0.1),
    "input_dropout": 0.05,
    "dropout_kind": ["classic", "inverted"],
    "label_smoothing": 0.1,
    "initializer_scale": 0.9,
    "learning_rate": dw.log(1e-3, 1e-1),
    "batch_size": 16,
}


def table(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4))
    frame = {f"x{i}": x[:, i] for i in range(4)}
    return {**frame, "y": np.where(x[:, 0] * x[:, 1] > 0, "yes", "no")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    store = tmp_path_factory.mktemp("store")
    study = dw.Study(dw.load(table(), target="y", vault=store), SPACE, store=store, name="options")
    return store, study, study.run(trials=12, epochs=4)


def test_the_saved_model_scores_what_the_program_recorded(finished):
    store, _, result = finished
    assert result.networks == 12
    model = load_model("options", store=store)
    best = result.best
    assert model.architecture.batch_norm == best["batch_norm"]
    assert model.architecture.dropout == (0.3, 0.1)
    names = set(model.architecture.parameter_shapes()) | set(model.architecture.statistic_shapes())
    assert set(model.parameters) == names


def test_a_saved_model_with_dropout_tells_its_spread(finished):
    store, _, _ = finished
    model = load_model("options", store=store)
    frame = {k: v for k, v in table(30, seed=2).items() if k != "y"}
    sampled = model.predict_spread(frame, samples=8)
    again = model.predict_spread(frame, samples=8)
    np.testing.assert_array_equal(sampled.mean, again.mean)
    columns = model.predict_frame(frame, samples=8)
    assert list(columns) == [
        "prediction", "probability_no", "spread_no", "probability_yes", "spread_yes"
    ]  # fmt: skip
    np.testing.assert_array_equal(columns["spread_no"], sampled.spread[:, 0])
    np.testing.assert_allclose(sampled.mean.sum(axis=1), 1)
    assert np.all(sampled.spread > 0)


def test_exact_statistics_are_saved_in_place_of_the_averages(tmp_path):
    data = dw.load(table(), target="y", vault=tmp_path)
    options = {"batch_norm": "before", "hidden_units": (6,), "batch_size": 16}
    found = {}
    for kind in ("averages", "exact"):
        fixed = {**options, "batch_norm_statistics": kind}
        dw.Study(data, fixed, store=tmp_path, name=kind).run(trials=1, epochs=5)
        found[kind] = load_model(kind, store=tmp_path)
    a, e = found["averages"].parameters, found["exact"].parameters
    np.testing.assert_array_equal(a["weights/0"], e["weights/0"])
    z = data.train.x.astype(np.float64) @ e["weights/0"].astype(np.float64)
    np.testing.assert_allclose(e["means/0"], z.mean(axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(e["variances/0"], z.var(axis=0), rtol=1e-4)
    assert not np.array_equal(a["means/0"], e["means/0"])


def test_smoothing_the_labels_of_a_regression_changes_nothing(tmp_path):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(150, 3))
    data = dw.load(
        {"a": x[:, 0], "b": x[:, 1], "y": x @ [1.0, 2.0, 0.5]}, target="y", vault=tmp_path
    )
    scores = []
    for smoothing in (0.0, 0.3):
        fixed = {"hidden_units": (5,), "label_smoothing": smoothing}
        result = dw.Study(data, fixed, store=tmp_path).run(trials=1, epochs=3)
        scores.append(result.dev.value)
    assert scores[0] == scores[1]
