"""A study that costs nothing, in the places where the command line looks for the real one."""

from __future__ import annotations

import dataclasses
import json
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepwell._base._errors import UsageError
from deepwell.cli import run
from deepwell.records import (
    Baseline,
    DataFacts,
    Estimate,
    Finding,
    Opening,
    PlanFacts,
    Progress,
    Rung,
    StudyResult,
    Trial,
    TrialSpec,
)
from deepwell.report._text_report import text_report

FACTS = DataFacts(
    name="iris",
    source="iris.csv",
    rows=150,
    columns=5,
    target="label",
    task="classification",
    classes=("setosa", "versicolor", "virginica"),
    class_shares=(0.3, 0.3, 0.4),
    features=4,
    split_seed=7,
    sizes=(90, 30, 30),
    sealed="ab" * 32,
)
PLAN = PlanFacts(8, (Rung(2, 8), Rung(6, 2)), "jax", 2, 2, 3.0, {"learning_rate": "log(1e-4, 1)"})
RESULT = StudyResult(
    name="iris",
    data=FACTS,
    plan=PLAN,
    metric="error",
    metric_label="error",
    percent=True,
    train=Estimate(0.0, 0.0, 0.04),
    dev=Estimate(0.1, 0.03, 0.26),
    baselines=(Baseline("logistic regression", Estimate(0.1, 0.03, 0.26)),),
    versus_name="logistic regression",
    versus=Estimate(0.0, -0.05, 0.05),
    best={"hidden_units": (8,), "activation": "relu", "learning_rate": 0.01},
    best_trial=3,
    findings=(Finding("DW102", "unsure", "bias", "30 dev rows are too few to tell"),),
    statuses={"finished": 2, "pruned": 6},
    networks=8,
    program="jax",
    programs=2,
    compile_seconds=1.0,
    seconds=2.0,
    networks_per_second=8.0,
    gemm_share=None,
    model="deepwell/iris/model",
    report="deepwell/iris/report.txt",
)
NOTHING_WRITTEN = types.SimpleNamespace(notes=(), tags=())
OPENING = Opening(1.7e9, "iris", 3, "error", Estimate(0.05, 0.01, 0.2), 1)


@dataclass
class FakeLibrary:
    """What the command line called, and what it is answered."""

    calls: dict[str, Any] = field(default_factory=dict)
    result: StudyResult = RESULT
    during_run: Callable[[], None] = lambda: None
    predictions: dict[str, Any] = field(
        default_factory=lambda: {
            "prediction": np.array(["setosa", "virginica"], dtype=object),
            "probability_setosa": np.array([0.75, 0.25]),
            "probability_virginica": np.array([0.25, 0.75]),
        }
    )
    notes_of_file: list[str] = field(default_factory=list)

    def load(self, source: str, **options: Any) -> types.SimpleNamespace:
        self.calls["load"] = {"source": source, **options}
        return types.SimpleNamespace(facts=FACTS)

    def study(self, data: Any, observer: Any = None, **options: Any) -> FakeStudy:
        self.calls["study"] = options
        return FakeStudy(self, observer)

    def open_study(self, name: str, store: str | None = None) -> FakeFinished:
        self.calls["open_study"] = {"name": name, "store": store}
        if name != "iris":
            raise UsageError(f'no study "{name}"')
        return FakeFinished(self)

    def resume(
        self,
        name: str,
        data: Any = None,
        *,
        store: str | None = None,
        budget: str | None = None,
        observer: Any = None,
        **more: Any,
    ) -> FakeFinished:
        self.calls["resume"] = {"name": name, "store": store, "budget": budget, **more}
        if name != "iris":
            raise UsageError(f'no study "{name}"')
        FakeStudy(self, observer).run()
        return FakeFinished(self)

    def load_model(
        self, path: str, store: str | None = None, which: str = "best"
    ) -> types.SimpleNamespace:
        self.calls["load_model"] = {"path": path, "store": store}
        self.calls["which"] = which

        def predict_frame(
            source: Any, samples: int, coverage: Any, adaptive: bool, notes: list[str]
        ) -> Any:
            notes += self.notes_of_file
            self.calls["predict_frame"] = (samples, coverage, adaptive)
            return self.predictions

        return types.SimpleNamespace(predict_frame=predict_frame)


@dataclass
class FakeStudy:
    library: FakeLibrary
    observer: Any

    def enqueue(self, values: Any) -> None:
        self.library.calls.setdefault("enqueue", []).append(values)

    def plan(self, **sizes: Any) -> PlanFacts:
        self.library.calls["plan"] = sizes
        return PLAN

    def run(self, **sizes: Any) -> StudyResult:
        self.library.calls["run"] = sizes
        result = self.library.result
        self.observer.on_data(FACTS)
        self.observer.on_baselines(result.baselines, result.metric_label, result.percent)
        self.observer.on_plan(PLAN)
        self.observer.on_progress(Progress("training", 1, 2, 8, 8, 0.5, 0.2, 1.0))
        self.observer.on_progress(Progress("training", 1, 2, 8, 8, 0.5, 0.2, 1.0, rung_ended=True))
        self.library.during_run()
        self.observer.on_result(result)
        return result


@dataclass
class FakeFinished:
    library: FakeLibrary
    openings: tuple[Opening, ...] = ()

    @property
    def result(self) -> StudyResult:
        return dataclasses.replace(self.library.result, openings=self.openings)

    def notes(self, kind: str) -> list[Any]:
        return []

    def report_text(self) -> str:
        trial = Trial(3, TrialSpec({"hidden_units": (8,)}, 3), score=0.1, cost=0.3, epochs=6)
        return text_report(self.result, [trial])

    def open_test(self, which: str = "best") -> tuple[Opening, ...]:
        self.library.calls["which"] = which
        self.openings = (OPENING,)
        return self.openings


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeLibrary:
    fake = FakeLibrary()
    places = {
        "deepwell.data._load": {"load": fake.load},
        "deepwell.study._study": {"Study": fake.study},
        "deepwell.study._finished": {"open_study": fake.open_study},
        "deepwell.study._resume": {"resume": fake.resume},
        "deepwell.study._model": {"load_model": fake.load_model},
        "deepwell.study._searched": {"told_search": lambda study, store=None: None},
        "deepwell.study._annotate": {"annotations_of": lambda name, store=None: NOTHING_WRITTEN},
    }
    for name, content in places.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.chdir(tmp_path)
    return fake


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit code, output and complaints."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


@pytest.fixture
def deepwell(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    def call(*arguments: str) -> Outcome:
        code = run(arguments)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
