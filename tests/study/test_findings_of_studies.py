"""Findings about training in whole studies: recorded, told, and with commands that run."""

import json
import shlex

import numpy as np
import polars as pl
import pytest
from sklearn import datasets

import deepwell as dw
from deepwell._base._hyperparameters import complete
from deepwell.cli import run
from deepwell.records import TrialSpec
from deepwell.report._json import fit_json
from deepwell.study._change_command import change_command
from deepwell.study._training_findings import Ended, training_findings

CHECKS = {f"DW{number}" for number in range(401, 415)} - {"DW408"}
HEALTHY = {"hidden_layers": 1, "hidden_units": 16, "learning_rate": 0.01, "dropout": 0.0}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    file = tmp_path_factory.mktemp("data") / "some digits.csv"
    dw.write_sample("digits", file)
    return file


def test_a_healthy_study_has_every_check_and_no_problem(digits, tmp_path):
    study = dw.Study(dw.load(digits, target="label"), store=tmp_path, fixed=HEALTHY)
    result = study.run(trials=2, epochs=30)
    told = {f.code: f for f in study.diagnose() if f.code in CHECKS}
    assert set(told) == CHECKS
    assert [f.code for f in told.values() if f.level == "problem"] == []
    kept = {f["code"]: f["evidence"] for f in json.loads(json.dumps(fit_json(result)))["findings"]}
    for code in CHECKS:
        assert {"measured", "threshold", "threshold_source", "change"} <= set(kept[code])
    report = study.report(tmp_path / "report.txt").read_text()
    assert all(code in report for code in CHECKS)


def test_a_problem_has_a_command_that_runs(digits, tmp_path, capsys):
    fault = {"learning_rate": 0.3, "hidden_layers": 2, "hidden_units": [32, 24], "l2": 1e-5}
    study = dw.Study(dw.load(digits, target="label"), store=tmp_path, fixed=fault, scheduler="none")
    result = study.run(trials=1, epochs=20)
    [found] = [f for f in result.findings if f.code == "DW405"]
    assert found.level == "problem"
    words = shlex.split(found.command)
    assert words[:2] == ["deepwell", "fit"]
    assert words[words.index("--learning-rate") + 1] == "0.03"
    assert words[words.index("--hidden-units") + 1] == "32,24"
    assert run([*words[1:], "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert plan["networks"] == 1
    assert all("(" not in words for words in plan["space"].values())  # nothing is left to chance


def test_the_command_reads_and_splits_the_same_rows(tmp_path, monkeypatch, capsys):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(300, 2))
    part = generator.choice(["train", "dev", "test"], p=[0.6, 0.2, 0.2], size=300)
    y = np.where(x[:, 0] > 0, "yes", "no")
    table = {"a": x[:, 0], "b": x[:, 1], "an id": np.arange(300), "part": part, "y": y}
    file = tmp_path / "a table.csv"
    pl.DataFrame(table).write_csv(file)
    options = {"split_column": "part", "ignore": ["b", "an id"], "class_weight": "yes=2,no=1"}
    data = dw.load(file, target="y", **options)
    given = {**HEALTHY, "epochs": 20, "optimizer": "adam", "batch_size": 32}
    values = complete({**given, "activation": "relu", "l2": 0.0, "patience": 15})
    command = change_command(data, "auc", values)
    assert change_command(data, "error", values, folds=3).count("--folds 3") == 1
    assert "--metric" not in change_command(data, "error", values)
    for folder in (tmp_path, tmp_path.parent):  # in the file's folder it is named shortly
        monkeypatch.chdir(folder)
        words = shlex.split(change_command(data, "auc", values))
        assert words[2] == str(file.relative_to(folder))
        assert words[3:] == shlex.split(command)[3:]
        assert run([*words[1:], "--dry-run", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["data"]["sizes"] == list(data.facts.sizes)
        assert told["data"]["features"] == data.facts.features
        assert all("(" not in words for words in told["plan"]["space"].values())
    fine = {**values, "beta2": 0.99996, "learning_rate": 0.00123456}
    words = shlex.split(change_command(data, "auc", fine))
    told = [words[words.index(flag) + 1] for flag in ("--beta2", "--learning-rate")]
    assert told == ["0.99996", "0.001235"], "1 is no beta2"
    seeded = dw.load(file, target="y", ignore=["part"], seed=1)
    words = shlex.split(change_command(seeded, "error", values))
    assert words[words.index("--split-seed") + 1] == "1"
    assert run([*words[1:], "--dry-run", "--json"]) == 0


@pytest.mark.parametrize(
    ("label", "told"), [("yes", "yes=2,no=1.5"), ("a=b", "a=b=2,no=1.5"), ("yes, sir", None)]
)
def test_class_weights_are_told_as_the_command_line_takes_them(tmp_path, label, told):
    x = np.random.default_rng(0).normal(size=(200, 2))
    y = np.where(x[:, 0] > 0, label, "no")
    pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y}).write_csv(tmp_path / "t.csv")
    weights = {label: 2, "no": 1.5}
    data = dw.load(tmp_path / "t.csv", target="y", class_weight=weights, vault=None)
    values = complete({**HEALTHY, "epochs": 20, "optimizer": "adam", "batch_size": 32})
    words = shlex.split(change_command(data, "error", values))
    assert (words[words.index("--class-weight") + 1] if words else None) == told
    if told is not None:
        again = dw.load(tmp_path / "t.csv", target="y", class_weight=told, vault=None)
        assert again.weighting == data.weighting


def test_the_command_of_an_image_network_fixes_its_convolutions(tmp_path, capsys):
    file = tmp_path / "images.npz"
    x = np.random.default_rng(0).normal(size=(60, 6, 6)).astype(np.float32)
    np.savez(file, x=x, y=np.arange(60) % 2)
    data = dw.load(file, target="y")
    for layers in ({"conv_layers": 0}, {"conv_channels": [8, 16]}):
        values = complete({**HEALTHY, **layers, "hidden_units": [16], "augment": 0.5})
        words = shlex.split(change_command(data, "error", values))
        assert run([*words[1:], "--dry-run", "--json"]) == 0
        space = json.loads(capsys.readouterr().out)["plan"]["space"]
        assert all("(" not in words for words in space.values())
        assert space["conv_layers"] == str(values["conv_layers"])


def test_rows_that_are_in_no_file_have_no_command(tmp_path):
    table = datasets.load_digits()
    data = dw.load({"x": table.data, "y": table.target}, "y", task="classification", vault=None)
    fault = {"learning_rate": 0.3, "hidden_layers": 2, "hidden_units": 32}
    study = dw.Study(data, store=tmp_path, fixed=fault, scheduler="none")
    found = [f for f in study.run(trials=1, epochs=20).findings if f.code == "DW405"]
    assert [(f.level, f.command) for f in found] == [("problem", "")]


@pytest.mark.parametrize("options", [{"folds": 3}, {"metric": "auc"}, {"program": "jax"}])
def test_other_kinds_of_study_are_examined_as_well(options, tmp_path):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(240, 4))
    y = (x[:, 0] + 0.3 * generator.normal(size=240) > 0).astype(int)
    data = dw.load({"x": x, "y": y}, target="y", vault=None)
    study = dw.Study(data, store=tmp_path, fixed=HEALTHY, **options)
    result = study.run(trials=2, epochs=12)
    assert {f.code for f in result.findings} >= CHECKS


def test_the_study_hands_over_what_it_trained(tmp_path, monkeypatch):
    """The curves and weights are those of the best network, in the unit of the metric."""
    seen: list[Ended] = []

    def look(ended: Ended):
        seen.append(ended)
        return training_findings(ended)

    monkeypatch.setattr("deepwell.study._verdicts.training_findings", look)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(200, 3))
    y = 50 * x[:, 0] + generator.normal(size=200)
    study = dw.Study(
        dw.load({"x": x, "y": y}, target="y", vault=None), store=tmp_path, fixed=HEALTHY
    )
    result = study.run(trials=4, epochs=15)
    [ended] = seen
    assert ended.best.number == result.best_trial
    best = next(t for t in study.history() if t.number == result.best_trial)
    np.testing.assert_allclose(
        ended.curves["dev_score"] * ended.scale, best.curves["dev_score"], rtol=1e-6
    )
    assert ended.best.score * ended.scale == pytest.approx(result.dev.value, rel=1e-4)
    width = result.dev.high - result.dev.low
    assert ended.standard_error == pytest.approx(width / 3.92)


def test_the_folds_of_a_study_have_fewer_rows_than_its_interval(tmp_path, monkeypatch):
    """And of a rare class fewer still: what is luck there is told by the interval of the score."""
    seen: list[Ended] = []

    def look(ended: Ended):
        seen.append(ended)
        return []

    monkeypatch.setattr("deepwell.study._verdicts.training_findings", look)
    generator = np.random.default_rng(0)
    y = (np.arange(400) < 20).astype(int)
    x = generator.normal(size=400) + 1.5 * y
    data = dw.load({"x": x, "y": y}, target="y", vault=None)
    study = dw.Study(data, store=tmp_path, fixed=HEALTHY, folds=4, metric="balanced_error")
    dev = study.run(trials=1, epochs=10).dev
    [ended] = seen
    told = ended.standard_error
    assert told == pytest.approx(2 * (dev.high - dev.low) / 3.92, rel=0.05)  # a quarter of the rows
    alike = np.sqrt(dev.value * (1 - dev.value) / len(ended.data.dev))
    assert told > 1.5 * alike


def test_the_command_for_images_says_which_convolutions(tmp_path):
    x, y = datasets.load_digits(return_X_y=True)
    np.savez(tmp_path / "images.npz", X=x[:300].reshape(-1, 8, 8), y=y[:300])
    data = dw.load(tmp_path / "images.npz", vault=None)
    fixed = {"conv_layers": 0, "hidden_units": [8], "initializer": "zeros"}
    result = dw.Study(data, store=tmp_path, fixed=fixed).run(trials=1, epochs=4)
    commands = [f.command for f in result.findings if f.code[:3] == "DW4" and f.command]
    assert commands
    assert all("--conv-layers 0" in command for command in commands)
    convolving = TrialSpec({"conv_channels": [4, 6], "hidden_units": [8]}, seed=0)
    flags = shlex.split(change_command(data, "error", convolving.hyperparameters))
    assert flags[-4:] == ["--conv-layers", "2", "--conv-channels", "4,6"]


def test_a_command_for_fewer_epochs_leaves_out_changes_that_never_come(digits, tmp_path):
    change = "2: l2=0.001; 9: l2=0"
    fixed = {"hidden_layers": 1, "hidden_units": 8, "change": change}
    study = dw.Study(dw.load(digits, target="label"), store=tmp_path, fixed=fixed)
    study.run(trials=1, epochs=10)
    values = {**study.history()[0].spec.hyperparameters, "epochs": 5}
    words = shlex.split(change_command(study.data, "error", values))
    assert words[words.index("--change") + 1] == "2: l2=0.001"
    words[2] = str(digits)
    assert run([*words[1:], "--dry-run", "--json"]) == 0
