"""The main job on real tables: what a user gets, in figures."""

import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell.data._samples import write_sample


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The study of the digits table that several tests look at."""
    folder = tmp_path_factory.mktemp("digits")
    write_sample("digits", folder / "digits.csv")
    data = dw.load(folder / "digits.csv", target="label", vault=folder / "vault")
    study = dw.Study(data, store=folder / "store", name="digits", seed=0)
    study.run(trials=128)
    return folder, study


def fit(folder, name, target, **run):
    write_sample(name, folder / f"{name}.csv")
    data = dw.load(folder / f"{name}.csv", target=target, vault=folder / "vault")
    study = dw.Study(data, store=folder / "store", name=name, seed=0)
    study.run(**run)
    return study


def test_digits_errors(digits):
    _, study = digits
    result = study.result
    assert result.dev.value <= 0.04
    assert result.dev.low <= result.dev.value <= result.dev.high
    (opening,) = study.open_test()
    assert opening.test.value <= 0.05
    assert opening.number == 1


def test_programs_equal_the_plan(digits):
    _, study = digits
    result = study.result
    assert result.programs == result.plan.programs > 0
    assert result.networks == 128


def test_predictions_in_a_new_process_equal_the_study(digits):
    folder, study = digits
    here = study.best.predict_proba(folder / "digits.csv")
    code = (
        "import sys, numpy as np, deepwell as dw;"
        "m = dw.load_model(sys.argv[1]);"
        "np.save(sys.argv[3], m.predict_proba(sys.argv[2]));"
        "assert 'jax' not in sys.modules"
    )
    out = folder / "there.npy"
    model = folder / "store" / "digits" / "model"
    command = [sys.executable, "-c", code, str(model), str(folder / "digits.csv"), str(out)]
    subprocess.run(command, check=True)
    np.testing.assert_allclose(np.load(out), here, atol=1e-6)
    labels = pl.read_csv(folder / "digits.csv")["label"].cast(pl.String).to_numpy()
    assert (study.best.predict(folder / "digits.csv") == labels).mean() > 0.95


def test_dev_score_is_that_of_the_saved_model(digits):
    _, study = digits
    dev = study.data.dev
    said = study.best.outputs(dev.x).argmax(axis=1)
    assert study.result.dev.value == pytest.approx((said != dev.y).mean(), abs=1e-12)
    best = min(study.history(), key=lambda t: t.rank_key())
    assert best.score == pytest.approx(study.result.dev.value, abs=1.01 / len(dev))


def test_curves_and_events_are_recorded(digits):
    _, study = digits
    for trial in study.history():
        assert trial.status.over
        for name in ("train_cost", "dev_cost", "dev_score"):
            assert len(trial.curves[name]) == trial.epochs > 0
        assert trial.score == np.nanmin(trial.curves["dev_score"])
        assert trial.curves["dev_score"][trial.best_epoch - 1] == np.float32(trial.score)
    frame = study.trials()
    assert frame.height == 128
    assert frame["score"].is_sorted()


def test_same_seed_same_numbers(tmp_path):
    outcomes = []
    for store in ("one", "two"):
        (tmp_path / store).mkdir()
        study = fit(tmp_path / store, "iris", "label", trials=12, epochs=12)
        trials = [(t.spec.to_json(), t.score, t.cost, t.epochs) for t in study.history()]
        result = study.result
        outcomes.append(
            (trials, result.train, result.dev, dict(result.best), study.open_test()[0].test)
        )
    assert outcomes[0] == outcomes[1]


def test_another_seed_other_networks(tmp_path):
    write_sample("iris", tmp_path / "iris.csv")
    data = dw.load(tmp_path / "iris.csv", target="label", vault=tmp_path / "vault")
    specs = []
    for seed in (0, 1):
        study = dw.Study(data, store=tmp_path / f"s{seed}", seed=seed)
        study.run(trials=2, epochs=2)
        specs.append([t.spec.to_json() for t in study.history()])
    assert specs[0] != specs[1]


def test_breast_cancer_test_error(tmp_path):
    study = fit(tmp_path, "breast-cancer", "label", trials=64)
    (opening,) = study.open_test()
    assert opening.test.value <= 0.06


def test_diabetes_is_no_worse_than_ridge_and_says_so(tmp_path):
    study = fit(tmp_path, "diabetes", "target", trials=64)
    result = study.result
    ridge = next(b for b in result.baselines if b.name == "ridge regression")
    assert result.versus is not None
    assert result.versus.low <= 0  # not clearly worse on the same rows
    assert result.dev.value <= ridge.estimate.high
    (finding,) = [f for f in result.findings if f.code == "DW105"]
    assert "ridge regression" in finding.claim
    json.dumps(finding.to_plain())
