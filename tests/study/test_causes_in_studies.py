"""Causes before consequences in whole studies: the start, the gaps, `diagnose` after the fit."""

import numpy as np
import polars as pl
import pytest

import deepwell as dw

NETWORK = {"hidden_layers": 2, "hidden_units": 16, "learning_rate": 0.003, "epochs": 12}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Return a table that a line cannot part, so that units that are all alike learn little."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1_200, 4))
    label = np.where(x[:, 0] * x[:, 1] > 0, "yes", "no")
    path = tmp_path_factory.mktemp("data") / "product.csv"
    pl.DataFrame({f"x{i}": x[:, i].round(4) for i in range(4)} | {"y": label}).write_csv(path)
    return path


def fitted(file, place, network, trials, *first):
    data = dw.load(file, target="y", vault=place / "vault")
    searched = {name: value for name, value in network.items() if isinstance(value, list)}
    fixed = {name: value for name, value in network.items() if name not in searched}
    given = {"store": place, "name": "product", "scheduler": "none", "best_possible": 0.0}
    study = dw.Study(data, searched, fixed=fixed, **given)
    for values in first:
        study.enqueue(values)
    study.run(trials=trials)
    return study


def test_what_the_start_explains_is_no_problem_of_its_own_and_comes_before_the_gaps(file, tmp_path):
    study = fitted(file, tmp_path, {**NETWORK, "initializer": "zeros"}, 1)
    found = {f.code: f for f in study.result.findings}
    start = found["DW305"]
    assert (start.level, start.evidence["of_best"]) == ("problem", True)
    assert "--initializer auto" in start.command
    layers = [found[code] for code in ("DW401", "DW402", "DW403", "DW404") if code in found]
    assert all(f.level != "problem" for f in layers)
    assert "DW305" in found["DW102"].evidence["after"]
    assert "mend DW305" in found["DW102"].detail
    again = {f.code: f for f in study.diagnose()}["DW102"]
    assert again.evidence["after"] == found["DW102"].evidence["after"]
    assert "mend DW305" in again.detail


def test_the_start_of_another_network_says_nothing_of_the_best_one(file, tmp_path):
    network = {**NETWORK, "epochs": 30, "initializer": ["zeros", "auto"]}
    study = fitted(file, tmp_path, network, 6, {"initializer": "zeros"})
    first = dict(zip(*study.trials().select("number", "initializer"), strict=True))[0]
    assert (first, study.result.best["initializer"]) == ("zeros", "he")
    [start] = [f for f in study.result.findings if f.code == "DW305"]
    assert (start.level, start.evidence["of_best"]) == ("problem", False)
    assert start.command == ""
    gaps = [f for f in study.result.findings if f.code in ("DW101", "DW102")]
    assert all("DW305" not in f.evidence.get("after", ()) for f in gaps)
