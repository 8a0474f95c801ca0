"""Importance, ends of ranges and the Pareto front of whole studies."""

import json
import shlex
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell.cli import run
from deepwell.networks import Architecture
from deepwell.records import Status
from deepwell.search import parse_entry
from deepwell.study._finished import open_study
from deepwell.study._searched import search_section, searched

TRIALS = 48
SPACE = {
    "learning_rate": dw.log(1e-5, 2e-3),  # its best lie beyond the upper end
    "hidden_layers": 1,
    "hidden_units": dw.integer(8, 16),
    "dropout": dw.uniform(0, 0.3),
    "epochs": 20,
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def study(store):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(600, 4))
    y = x[:, 0] + x[:, 1]
    file = store / "table.csv"
    pl.DataFrame({**{f"x{i}": x[:, i] for i in range(4)}, "y": y}).write_csv(file)
    trained = dw.Study(dw.load(file, target="y"), SPACE, store=store, name="made", scheduler="none")
    trained.run(trials=TRIALS)
    return trained


def test_the_frame_has_a_row_for_each_name_and_each_pair(study):
    frame = study.importance()
    assert frame.columns == [
        "name",
        "importance",
        "low",
        "high",
        "total",
        "total_low",
        "total_high",
    ]
    assert frame["name"][0] == "learning_rate"
    assert set(frame["name"]) >= {"learning_rate", "hidden_units", "dropout"}
    assert frame.height == 6  # three, and their three pairs
    assert float(frame["importance"].sum()) == pytest.approx(1.0, abs=1e-6)
    assert (frame["low"] <= frame["importance"]).all()
    assert (frame["importance"] <= frame["high"]).all()
    assert frame["importance"][0] > 0.4


def test_the_edge_of_the_rates_is_found_and_its_command_widens_them(store, capsys):
    assert run(["show", "made", "--store", str(store), "--json"]) == 0
    section = json.loads(capsys.readouterr().out)["search"]
    assert (section["name"], section["title"]) == ("search", "The search")
    importance = section["facts"]["importance"]
    assert importance["effects"][0]["names"] == ["learning_rate"]
    assert (importance["trials"], importance["epochs"]) == (TRIALS, 0)
    told = {f["code"]: f for f in section["findings"]}
    assert set(told) == {"DW701", "DW702", "DW703"}
    for finding in told.values():
        assert {"measured", "threshold", "threshold_source"} <= set(finding["evidence"])
    edge = told["DW701"]
    assert edge["level"] == "problem"
    assert edge["evidence"]["upward"] is True
    assert edge["evidence"]["p_value"] < edge["evidence"]["threshold"]
    words = shlex.split(edge["command"])
    assert words[:3] == ["deepwell", "resume", "made"]
    name, range_ = parse_entry(words[words.index("--space") + 1])
    assert (name, range_) == ("learning_rate", dw.log(1e-5, 0.028))


def test_show_tells_it_too(study, store, capsys):
    assert study.name == "made"
    assert run(["show", "made", "--store", str(store)]) == 0
    text = capsys.readouterr().out
    assert "The search" in text
    assert "share [95 %]" in text
    assert max(map(len, (line for line in text.splitlines() if "deepwell " not in line))) <= 80
    assert run(["show", "made", "--store", str(store), "--json", "--pareto"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["name"] == "made"
    assert shown["search"]["facts"]["importance"]["trials"] == TRIALS
    assert [row["number"] for row in shown["pareto"]] == study.pareto()["number"].to_list()


def test_the_pareto_front_is_that_of_all_networks(study, store, capsys):
    front = study.pareto()
    counted = {}
    for trial in study.history():
        layers = Architecture(inputs=4, hidden=trial.spec.hidden_units, outputs=1, loss="squared")
        counted[trial.number] = (trial.score, layers.parameters, layers.forward_multiply_adds())
    expected = {
        n
        for n, one in counted.items()
        if not any(
            all(a <= b for a, b in zip(other, one, strict=True)) and other != one
            for other in counted.values()
        )
    }
    assert set(front["number"]) == expected
    for row in front.iter_rows(named=True):
        assert (row["score"], row["parameters"], row["multiply_adds"]) == counted[row["number"]]
        assert row["microseconds"] > 0
    assert run(["show", "made", "--store", str(store), "--pareto"]) == 0
    assert "the Pareto front" in capsys.readouterr().out


def test_a_network_whose_weights_are_lost_is_on_no_front(study, store, monkeypatch):
    kept = open_study("made", store)
    lost = kept.pareto()["number"][0]
    trials = [replace(t, status=Status.FAILED) if t.number == lost else t for t in kept.trials()]
    monkeypatch.setattr(kept, "trials", lambda: trials)
    assert lost not in kept.pareto()["number"]


def test_stopped_networks_are_compared_after_equal_epochs(study, store):
    halved = dw.Study(study.data, {**SPACE, "epochs": 15}, store=store, name="halved")
    halved.run(trials=36)
    found = searched(open_study("halved", store)).importance
    pruned = [t for t in halved.history() if t.status.value == "pruned"]
    assert found.epochs == min(t.epochs for t in pruned) == 5
    assert found.trials == 36


def test_of_few_networks_it_is_said_how_many_are_needed(tmp_path):
    x = np.random.default_rng(1).normal(size=(120, 2))
    table = {"a": x[:, 0], "b": x[:, 1], "y": np.where(x[:, 0] > 0, "u", "v")}
    few = dw.Study(dw.load(pl.DataFrame(table), target="y"), SPACE, store=tmp_path)
    few.run(trials=6, epochs=2)
    with pytest.raises(dw.UsageError, match="6 trials have a score to compare; 32 are needed"):
        few.importance()
    assert few.pareto().height >= 1
    told = open_study(few.name, tmp_path).diagnose()  # its rows came from memory and are gone
    levels = {f.code: f.level for f in told if f.code.startswith("DW7")}
    assert levels == dict.fromkeys(("DW701", "DW702", "DW703"), "unsure")


def test_nothing_is_said_where_nothing_was_searched(tmp_path):
    x = np.random.default_rng(2).normal(size=(120, 2))
    table = {"a": x[:, 0], "b": x[:, 1], "y": x[:, 0] + x[:, 1]}
    fixed = {"learning_rate": 0.01, "hidden_layers": 1, "hidden_units": 4, "dropout": 0, "l2": 0}
    alone = dw.Study(dw.load(pl.DataFrame(table), target="y"), store=tmp_path, fixed=fixed)
    alone.run(trials=1, epochs=2)
    assert search_section(open_study(alone.name, tmp_path)) is None


def test_the_report_tells_it(study, store, capsys):
    assert "The search\n----------\n" in study.report(store / "report.txt").read_text()
    assert run(["report", "made", "--store", str(store)]) == 0
    assert "share [95 %]" in capsys.readouterr().out
