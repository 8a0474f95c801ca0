"""Scores in the metric's own unit, and metrics that the dev rows do not define."""

import numpy as np
import pytest

import deepwell as dw
from deepwell._native._core_module import available
from deepwell.report._figures import figure

PROGRAMS = ("native", "jax") if available() else ("jax",)

SMALL = {"hidden_layers": 1, "hidden_units": 8}


def table(n, seed=0):
    x = np.random.default_rng(seed).normal(size=(n, 3)).round(4)
    return x, {f"c{i}": x[:, i] for i in range(3)}


@pytest.mark.parametrize(("metric", "scale"), [("rmse", 1000.0), ("mae", 1000.0), ("r2", 1.0)])
def test_trials_have_their_scores_in_the_unit_of_the_result(tmp_path, metric, scale):
    x, columns = table(150)
    y = scale * (50 + x[:, 0] + 0.1 * x[:, 1] ** 2)
    data = dw.load({**columns, "y": y}, target="y", vault=tmp_path / "vault")
    study = dw.Study(data, store=tmp_path, fixed=SMALL, metric=metric)
    result = study.run(trials=3, epochs=3)
    best = study.trials().row(0, named=True)
    assert best["number"] == result.best_trial
    assert best["score"] == pytest.approx(result.dev.value, rel=1e-5)
    trial = study.history()[result.best_trial]
    assert trial.curves["dev_score"].min() == pytest.approx(result.dev.value, rel=1e-5)
    assert trial.curves["dev_score"].dtype == np.float32
    report = (tmp_path / study.name / "report.txt").read_text()
    rows = [line.split()[:2] for line in report.splitlines()]
    assert [str(result.best_trial), figure(result.dev.value, percent=False)] in rows


def test_auc_of_one_class_is_refused_before_the_work(tmp_path):
    x, columns = table(60)
    labels = np.where(x[:, 0] > 0, "p", "q")
    data = dw.load({**columns, "y": labels}, target="y", dev=1, vault=tmp_path / "vault")
    with pytest.raises(dw.UsageError, match="1 - AUC is not defined on dev rows of one class"):
        dw.Study(data, store=tmp_path / "never", metric="auc")


@pytest.mark.parametrize("program", PROGRAMS)
def test_auc_leaves_out_a_class_without_a_dev_row(tmp_path, program):
    _, columns = table(150)
    labels = np.array(["a"] * 100 + ["b"] * 48 + ["c"] * 2)
    data = dw.load({**columns, "y": labels}, target="y", vault=tmp_path / "vault")
    assert set(data.dev.y) == {0, 1}
    study = dw.Study(data, store=tmp_path, fixed=SMALL, metric="auc", program=program)
    result = study.run(trials=2, epochs=2)
    assert study.history()[result.best_trial].score == pytest.approx(result.dev.value, abs=1e-6)


@pytest.mark.parametrize("program", PROGRAMS)
def test_r2_of_a_constant_dev_target_is_one_for_every_network(tmp_path, program):
    x, columns = table(60)
    days = [f"{2020 + (i >= 20)}-01-{1 + i % 28:02d}" for i in range(60)]
    y = np.r_[x[:20, 0], np.full(40, 3.7)]
    data = dw.load(
        {**columns, "day": days, "y": y}, target="y", split="time", time="day",
        vault=tmp_path / "vault",
    )  # fmt: skip
    assert len(set(data.dev.y)) == 1
    study = dw.Study(data, store=tmp_path, fixed=SMALL, metric="r2", program=program)
    result = study.run(trials=2, epochs=2)
    assert result.dev.value == 1.0
    assert [t.score for t in study.history()] == [1.0, 1.0]
