"""An ensemble of a study's networks: kept when it ends, a model of its own when asked for."""

import json

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell.cli import run
from deepwell.study import open_study
from deepwell.study._model import load_model


def table(rows=400, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4))
    y = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * rng.normal(size=rows)
    return pl.DataFrame({**{f"x{i}": x[:, i] for i in range(4)}, "y": y})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensemble")
    table().write_csv(folder / "rows.csv")
    data = dw.load(folder / "rows.csv", target="y", vault=folder / "in", name="rows")
    dw.Study(data, store=folder, scheduler="none").run(trials=8, epochs=10)
    return folder


@pytest.fixture(scope="module")
def made(place):
    return open_study("rows", place).ensemble()


def test_it_says_the_mean_of_its_members(place, made):
    frame = table(30, seed=9).drop("y")
    model = load_model("rows", str(place), "ensemble")
    own = 1 - sum(one.share for one in model.companions)
    parts = [(own, model.architecture, model.parameters)]
    parts += [(one.share, one.architecture, one.parameters) for one in model.companions]
    assert len(parts) == len(made.facts.trials) >= 2
    alone = [
        share * dw.Model(a, p, model.table_encoder, model.target_encoder, {}).predict(frame)
        for share, a, p in parts
    ]
    np.testing.assert_allclose(model.predict(frame), np.sum(alone, axis=0), rtol=1e-5)
    np.testing.assert_array_equal(made.model.predict(frame), model.predict(frame))


def test_its_members_are_the_networks_of_the_study(place, made):
    """The chosen network is one of the candidates; as a member it is the saved one, to the bit."""
    best = load_model("rows", str(place))
    result = open_study("rows", place).result
    model = made.model
    weights = [model.parameters, *(one.parameters for one in model.companions)]
    order = sorted(zip(made.facts.trials, made.facts.shares, strict=True), key=lambda p: -p[1])
    trials = [trial for trial, _ in order]
    if result.best_trial in trials:
        member = weights[trials.index(result.best_trial)]
        for name, array in best.parameters.items():
            np.testing.assert_array_equal(member[name], array)
    for trial, arrays in zip(trials, weights, strict=True):
        spec = open_study("rows", place).trials()[trial].spec
        assert arrays["biases/0"].shape == (spec.hidden_units[0],)


def test_the_finding_and_the_result_say_how_it_compares(place, made):
    result = open_study("rows", place).result
    assert result.ensemble == made.facts
    [finding] = [f for f in result.findings if f.code == "DW611"]
    assert finding.evidence["measured"] == made.facts.change.to_plain()
    assert made.facts.rows == result.data.sizes[1]


def test_the_command_and_the_test(place, made, capsys):
    assert run(["ensemble", "rows", "--store", str(place)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "both chosen without the dev rows that score them" in said
    assert run(["ensemble", "rows", "--store", str(place), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trials"] == list(made.facts.trials)
    opening = open_study("rows", place).open_test("ensemble")[-1]
    assert "scored: the ensemble" in opening.notes[0]
    assert opening.clean


def test_what_an_ensemble_cannot_do_is_refused(place, made, tmp_path):
    with pytest.raises(UsageError, match="for a single network"):
        made.model.predict_spread(table(5).drop("y"))
    data = dw.load(table(), target="y", vault=None, test=0, name="alone")
    study = dw.Study(data, store=tmp_path)
    assert study.run(trials=1, epochs=2).ensemble is None
    with pytest.raises(UsageError, match="kept no networks to average"):
        study.ensemble()


def test_a_model_of_one_network_is_written_as_before(place):
    described = json.loads((place / "rows" / "model" / "model.json").read_text())
    assert (described["format"], described["companions"]) == (1, [])
    several = json.loads((place / "rows" / "members" / "model.json").read_text())
    assert several["format"] == 3
