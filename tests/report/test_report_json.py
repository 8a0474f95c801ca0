from __future__ import annotations

import dataclasses
import json
import math

import numpy as np

from deepwell.records import Estimate, FirstSteps, Opening, StudyResult
from deepwell.report import dry_run_json, fit_json, opening_json, strict

CONTRACT = {
    *("name", "task", "metric", "train", "dev", "baselines", "best", "findings", "networks"),
    *("program", "programs", "compile_seconds", "seconds", "networks_per_second", "gemm_share"),
    *("model", "report"),
}


def strictly(value: object) -> str:
    return json.dumps(value, allow_nan=False)


def test_the_names_that_scripts_rely_on(result: StudyResult) -> None:
    content = json.loads(strictly(fit_json(result)))
    assert set(content) >= CONTRACT
    assert content["name"] == "churn"
    assert content["task"] == "classification"
    assert content["dev"] == {"value": 0.1864, "low": 0.167, "high": 0.2072}
    assert content["baselines"][1] == {
        "name": "logistic regression",
        "value": 0.198,
        "low": 0.178,
        "high": 0.219,
    }
    assert content["best"]["hidden_units"] == [64, 64]
    finding = content["findings"][0]
    assert {"code", "level", "claim", "evidence", "command"} <= set(finding)
    assert finding["evidence"] == {"gap": 0.037, "train": 0.149}
    assert content["networks"] == 256
    assert content["openings"] == []


def test_what_is_not_known_is_null(result: StudyResult) -> None:
    checks = FirstSteps(trial=3, network="8 relu", parameters=9, program="jax", alike=(math.nan,))
    odd = dataclasses.replace(
        result, dev=Estimate(0.5, math.nan, math.inf), gemm_share=None, versus=None, checks=checks
    )
    content = fit_json(odd)
    assert content["checks"]["moved"] is None
    assert content["checks"]["alike"] == [None]
    assert content["checks"]["trial"] == 3
    assert content["dev"] == {"value": 0.5, "low": None, "high": None}
    assert content["versus"] is None
    strictly(content)


def test_the_test_score_and_how_often_it_was_looked_at(
    result: StudyResult, opening: Opening
) -> None:
    content = json.loads(strictly(opening_json(result, (opening,))))
    assert content["test"] == {"value": 0.19, "low": 0.17, "high": 0.2115}
    assert content["openings"] == 1
    assert content["unbiased"] is True
    again = dataclasses.replace(opening, number=2)
    second = opening_json(result, (opening, again))
    assert second["openings"] == 2
    assert second["unbiased"] is False
    assert [line["number"] for line in second["ledger"]] == [1, 2]


def test_a_dry_run_tells_data_and_plan(result: StudyResult) -> None:
    content = json.loads(strictly(dry_run_json(result.data, result.plan)))
    assert content["data"]["classes"] == ["no", "yes"]
    assert content["plan"]["rungs"][0] == {"epochs": 6, "networks": 256}


def test_strict_values() -> None:
    value = {"a": np.float32(0.5), 3: (np.int64(2), math.nan), "b": None, "e": Estimate(1, 0, 2)}
    assert strict(value) == {
        "a": 0.5,
        "3": [2, None],
        "b": None,
        "e": {"value": 1, "low": 0, "high": 2},
    }
    assert strict({"path": object}) == {"path": "<class 'object'>"}
