"""A study like the one in the documentation, with every kind of line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from deepwell.records import (
    Baseline,
    DataFacts,
    Estimate,
    Finding,
    Opening,
    PlanFacts,
    Rung,
    Status,
    StudyResult,
    Trial,
    TrialSpec,
)

DATA = DataFacts(
    name="churn",
    source="churn.csv",
    rows=7043,
    columns=21,
    target="churned",
    task="classification",
    classes=("no", "yes"),
    class_shares=(0.735, 0.265),
    notes=(
        "customer_id is unique per row: ignored (--keep customer_id)",
        "total_charges: 11 blanks in a number column: imputed, with a flag column",
    ),
    features=45,
    split="stratified",
    split_seed=12,
    sizes=(4225, 1409, 1409),
    sealed="3f9c1a2b" + 56 * "0",
)
PLAN = PlanFacts(
    networks=256,
    rungs=(Rung(6, 256), Rung(17, 64), Rung(50, 16)),
    program="jax",
    programs=6,
    cores=2,
    seconds=9.2,
    space={
        "optimizer": "adam",
        "dropout": "uniform(0, 0.5)",
        "learning_rate": "log(0.0001, 0.1)",
    },
)
RESULT = StudyResult(
    name="churn",
    data=DATA,
    plan=PLAN,
    metric="error",
    metric_label="error",
    percent=True,
    train=Estimate(0.149, 0.139, 0.160),
    dev=Estimate(0.1864, 0.167, 0.2072),
    baselines=(
        Baseline('always "no"', Estimate(0.265, 0.243, 0.289)),
        Baseline("logistic regression", Estimate(0.198, 0.178, 0.219)),
    ),
    versus_name="logistic regression",
    versus=Estimate(-0.012, -0.024, 0.001),
    best={
        "learning_rate": 0.0031,
        "optimizer": "adam",
        "batch_size": 64,
        "hidden_layers": 2,
        "hidden_units": (64, 64),
        "activation": "relu",
        "dropout": 0.31,
        "l2": 0.0,
    },
    best_trial=17,
    findings=(
        Finding(
            code="DW101",
            level="problem",
            claim="high variance",
            detail="train 14.9 %, dev 18.6 % (gap 3.7 [1.5, 5.9])",
            evidence={"gap": np.float64(0.037), "train": 0.149},
            command="deepwell fit churn.csv --target churned --dropout 0.5",
        ),
        Finding("DW203", "ok", "train and dev look alike", ""),
        Finding("DW102", "unsure", "bias", "23 dev rows are too few to tell"),
    ),
    statuses={"finished": 14, "early stopped": 48, "pruned": 192, "diverged": 2},
    networks=256,
    program="jax",
    programs=6,
    compile_seconds=4.12,
    seconds=9.81,
    networks_per_second=61.3,
    gemm_share=0.384,
    model="deepwell/churn/model",
    report="deepwell/churn/report.txt",
)
OPENING = Opening(
    time=1_700_000_000.0,
    study="churn",
    trial=17,
    metric="error",
    test=Estimate(0.19, 0.170, 0.2115),
    number=1,
)


@pytest.fixture
def result() -> StudyResult:
    return RESULT


@pytest.fixture
def opening() -> Opening:
    return OPENING


@pytest.fixture
def regression() -> StudyResult:
    return dataclasses.replace(
        RESULT,
        data=dataclasses.replace(
            DATA, target="price", task="regression", classes=(), class_shares=(), split="random"
        ),
        metric="rmse",
        metric_label="rmse",
        percent=False,
        train=Estimate(49.8125, 47.0, 52.5),
        dev=Estimate(53.7261, 48.55, 58.731),
        baselines=(Baseline("ridge regression", Estimate(53.9, 48.9, 58.2)),),
        versus_name="ridge regression",
        versus=Estimate(0.4, -1.2, 2.0),
        gemm_share=None,
    )


@pytest.fixture
def make_trial() -> Callable[..., Trial]:
    def make(number: int, score: float, status: Status = Status.FINISHED, **values: object):
        spec = TrialSpec(hyperparameters=values, seed=number)  # type: ignore[arg-type]
        message = "diverged at step 12" if status is Status.DIVERGED else ""
        return Trial(
            number=number,
            spec=spec,
            status=status,
            epochs=20,
            best_epoch=7,
            score=score,
            cost=score,
            message=message,
        )

    return make
