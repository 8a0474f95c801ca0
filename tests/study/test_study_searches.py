"""Samplers in studies of networks: what they propose, what is told of it, and what is recorded."""

from __future__ import annotations

import math

import numpy as np
import pytest

import deepwell as dw
from deepwell.records import Status, Trial
from deepwell.search import SAMPLERS, Space, log, uniform
from deepwell.study._proposals import Known, propose, region
from deepwell.study._settings import Settings

SPACE = Space({"learning_rate": log(1e-4, 1), "dropout": uniform(0, 0.5), "l2": [0.0, 1e-3]})


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 3)).round(3)
    y = np.where(x[:, 0] > 0, "yes", "no")
    columns = {f"c{i}": x[:, i] for i in range(3)} | {"y": y}
    return dw.load(columns, target="y", vault=tmp_path_factory.mktemp("vault"))


def settings(search: str, folds: int = 0) -> Settings:
    return Settings(SPACE, search, "none", 0, "error", folds=folds)


def scored(specs: dict, first: int = 0) -> list[Trial]:
    def score(values) -> float:
        return abs(math.log10(values["learning_rate"]) + 2) + (values["l2"] > 0)

    return [
        Trial(n, spec, Status.FINISHED, 1, 1, score(spec.hyperparameters))
        for n, spec in specs.items()
    ]


@pytest.mark.parametrize("name", [*SAMPLERS, "optuna:TPESampler"])
def test_every_sampler_proposes_networks_that_follow_from_the_history(name: str) -> None:
    past = scored(propose(settings(name), [], 12, 0, Known(total=18)))
    specs = propose(settings(name), past, 6, 1, Known(total=18))
    assert list(specs) == list(range(12, 18))
    assert propose(settings(name), past, 6, 1, Known(total=18)) == specs
    points = {SPACE.identity(t.hyperparameters) for t in [*specs.values(), *(p.spec for p in past)]}
    assert len(points) == 18


def test_a_grid_over_two_rounds_is_the_grid_of_the_whole_study() -> None:
    past = scored(propose(settings("grid"), [], 12, 0, Known(total=18)))
    specs = propose(settings("grid"), past, 6, 1, Known(total=18))
    values = [t.hyperparameters for t in [*(p.spec for p in past), *specs.values()]]
    assert len({v["learning_rate"] for v in values}) == 3  # 3 x 3 x 2
    assert len({v["dropout"] for v in values}) == 3


def test_all_of_a_grid_is_trained_where_combinations_fall_together(data, tmp_path) -> None:
    """Counted they are fewer than the grid has, and a grid of so many would have other steps."""
    space = {
        "learning_rate": dw.log(1e-4, 1),
        "optimizer": ["momentum", "adam"],
        "momentum": dw.when(dw.uniform(0.1, 0.9), optimizer="momentum"),
        "l2": dw.uniform(0, 0.1),
        "hidden_units": 4,
        "epochs": 1,
    }
    space = dw.Space(space, ["l2 <= 0.06"])
    study = dw.Study(data, space, search="grid", store=tmp_path, name="all")
    networks = study.run().networks
    rates = {f"{t.spec.hyperparameters['learning_rate']:.6g}" for t in study.history()}
    assert networks == 5 * 3 * (5 + 1)
    assert rates == {"0.0001", "0.001", "0.01", "0.1", "1"}
    assert "\n# trials = " in (tmp_path / "all" / "study.toml").read_text()  # all of them


def test_a_grid_that_goes_on_gets_finer(data, tmp_path) -> None:
    """Its first points stay points of it: between two steps of an axis comes another one."""
    space = {"learning_rate": dw.log(1e-4, 1), "hidden_units": 4, "epochs": 1}
    dw.Study(data, space, search="grid", store=tmp_path, name="on").run()
    dw.resume("on", data, store=tmp_path, trials=4)
    trials = dw.open_study("on", tmp_path).trials()
    found = sorted(math.log10(t.spec.hyperparameters["learning_rate"]) for t in trials)
    assert found == pytest.approx([k / 2 for k in range(-8, 1)])


@pytest.mark.parametrize("folds", [0, 2])
def test_the_region_is_that_of_the_configurations(folds: int) -> None:
    chosen = settings("coarse-to-fine", folds)
    past = scored(propose(chosen, [], 30, 0))
    told = region(chosen, past)
    assert set(told) == {"learning_rate", "dropout", "l2"}
    low, high = (float(end) for end in told["learning_rate"].split(" to "))
    assert 1e-4 < low < 1e-2 < high < 1
    assert region(settings("random", folds), past) == {}


def test_a_grid_says_how_many_it_has_before_it_starts(data, tmp_path) -> None:
    space = {"learning_rate": log(1e-3, 1e-1), "l2": [0.0, 1e-3], "hidden_layers": 0, "epochs": 2}
    study = dw.Study(data, space, search="grid", store=tmp_path)
    plan = study.plan()
    assert plan.networks == 10
    assert plan.proposed == "a grid of learning_rate 5 x l2 2 = 10 combinations"
    assert study.plan(trials=6).proposed == "a grid of learning_rate 3 x l2 2 = 6 combinations"


def test_the_boxes_of_a_study_are_recorded_and_told(data, tmp_path, capsys, monkeypatch) -> None:
    from deepwell.cli import main

    space = {"learning_rate": log(1e-3, 1e-1), "l2": [0.0, 1e-3], "hidden_layers": 0, "epochs": 2}
    study = dw.Study(data, space, search="coarse-to-fine", store=tmp_path, name="fine")
    study.run(trials=6)
    noted = dw.open_study("fine", tmp_path).notes("propose")
    assert noted[0]["box"] == {"learning_rate": "0.001 to 0.1", "l2": "0 to 0.001"}
    assert "boxes     round 1, " in study.report(tmp_path / "r.txt").read_text("utf-8")
    monkeypatch.setattr("sys.argv", ["deepwell", "show", "fine", "--store", str(tmp_path)])
    assert main() == 0
    assert "boxes     round 1, " in capsys.readouterr().out
    told = study.to_optuna(None)
    assert len(told.trials) == 6
    assert told.best_value == min(t.score for t in study.history())


@pytest.mark.parametrize(
    ("options", "amounts", "by"),
    [
        ({}, {"budget": 60}, "tpe"),
        ({"scheduler": "none", "folds": 2}, {"budget": 60}, "tpe"),
        ({}, {"budget": 60, "trials": 8}, ""),
        ({}, {}, ""),
        ({"search": "random"}, {"budget": 60}, ""),
        ({"search": "bayesian"}, {"trials": 64}, "bayesian"),
        ({"program": "jax"}, {"budget": 60}, ""),
        ({"scheduler": "asha"}, {"budget": 60}, ""),
        ({"scheduler": "pbt"}, {"budget": 60}, ""),
    ],
)
def test_a_budget_alone_is_searched_by_a_sampler_that_learns(
    data, tmp_path, options, amounts, by
) -> None:
    study = dw.Study(data, {"learning_rate": log(1e-4, 1), "epochs": 9}, store=tmp_path, **options)
    told = f"proposed by {by}, which learns from round to round" if by else ""
    assert study.plan(**amounts).proposed == told


def test_who_proposed_under_a_budget_is_kept(data, tmp_path) -> None:
    study = dw.Study(
        data, {"learning_rate": log(1e-4, 1), "epochs": 2, "hidden_units": 4}, store=tmp_path
    )
    study.run(budget=3)
    kept = dw.open_study(study.name, tmp_path)
    assert kept.settings.search == "tpe"
    assert 'search = "tpe"' in (tmp_path / study.name / "study.toml").read_text()
    with pytest.raises(dw.UsageError, match='unknown search ""'):
        dw.Study(data, search="", store=tmp_path)
