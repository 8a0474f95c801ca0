"""A study tells of networks that diverged, with the operation that broke one of them."""

from __future__ import annotations

import numpy as np
import pytest

import deepwell as dw
from deepwell._base._errors import StudyError
from deepwell._native._core_module import available, why_not
from deepwell.study import _divergence, _training_findings


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4))
    y = x[:, 0] - 2 * x[:, 1] + 0.1 * rng.normal(size=300)
    columns = {f"x{i}": x[:, i] for i in range(4)} | {"y": y}
    return dw.load(columns, target="y", task="regression", vault=tmp_path / "vault")


def make_study(data, tmp_path, rates: list[float], program: str = "native", **options) -> dw.Study:
    if program == "native" and not available():
        pytest.skip(why_not())
    space = {"learning_rate": rates, "hidden_layers": 1, "optimizer": "sgd", "dropout": 0.0,
             "activation": "relu", "batch_size": 64, "l2": 0.0}  # fmt: skip
    return dw.Study(data, space, store=tmp_path / "store", program=program,
                    scheduler="none", **options)  # fmt: skip


@pytest.mark.parametrize("program", ["native", "jax"])
def test_a_diverged_network_is_told_with_what_broke_it(data, tmp_path, program: str) -> None:
    study = make_study(data, tmp_path, [0.001, 0.002, 0.003, 0.004, 0.005, 300.0], program)
    result = study.run(trials=6, epochs=6)
    assert result.statuses["diverged"] == 1
    (finding,) = [f for f in result.findings if f.code == "DW408"]
    assert finding.claim == "1 of 6 networks diverged"
    assert "at learning rate 300, all above 0.005" in finding.detail
    first = finding.evidence["first"]
    (diverged,) = [t for t in study.history() if t.status.value == "diverged"]
    assert first["trial"] == diverged.number
    assert f"step {first['step']:,}" in finding.detail
    assert first["direction"] in ("forward", "backward", "update")
    assert "DW408" in study.report().read_text("utf-8")


def test_none_diverged_none_told(data, tmp_path) -> None:
    result = make_study(data, tmp_path, [0.001, 0.002]).run(trials=2, epochs=2)
    assert "DW408" not in {f.code for f in result.findings}


def test_folds(data, tmp_path) -> None:
    study = make_study(data, tmp_path, [0.001, 0.002, 300.0], folds=3)
    result = study.run(trials=3, epochs=4)
    (finding,) = [f for f in result.findings if f.code == "DW408"]
    assert finding.claim == "3 of 9 networks diverged"
    assert finding.evidence["first"]["operation"]


def test_where_all_diverged_the_error_names_what_broke(data, tmp_path) -> None:
    study = make_study(data, tmp_path, [1e12, 2e12])
    with pytest.raises(StudyError, match=r"trial \d broke in .*, epoch 1, step 2\)"):
        study.run(trials=2, epochs=2)


def test_too_little_memory_to_look_leaves_the_result(data, tmp_path, monkeypatch) -> None:
    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr(_divergence, "origin_of_divergence", full)
    monkeypatch.setattr(_training_findings, "examine", full)
    study = make_study(data, tmp_path, [0.001, 300.0])
    result = study.run(trials=2, epochs=2)
    (finding,) = [f for f in result.findings if f.code == "DW408"]
    assert "too little memory to train it again" in finding.detail
    assert "DW410" in {f.code for f in result.findings}
