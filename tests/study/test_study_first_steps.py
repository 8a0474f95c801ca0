"""The checks before training inside a study: told, stored, resumed, never in the way."""

import json

import numpy as np
import pytest

import deepwell as dw
from deepwell.records import Status
from deepwell.report._json import fit_json
from deepwell.report._terminal import study_lines
from deepwell.study._first_steps import representative

SMALL = {"hidden_layers": 1, "hidden_units": 8}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(240, 4)).round(3)
    y = np.where(x[:, 0] + 0.3 * rng.normal(size=240) > 0, "yes", "no")
    columns = {f"c{i}": x[:, i] for i in range(4)} | {"y": y}
    return dw.load(columns, target="y", vault=tmp_path_factory.mktemp("vault"))


class Listener(dw.Observer):
    def __init__(self):
        self.heard = []

    def on_data(self, facts):
        self.heard.append("data")

    def on_checks(self, checks, findings):
        self.heard.append((checks, findings))

    def on_plan(self, plan):
        self.heard.append("plan")


def ran(data, store, trials=3, epochs=2, fixed=SMALL, **options):
    study = dw.Study(data, store=store, fixed=fixed, **options)
    return study, study.run(trials=trials, epochs=epochs)


def test_a_study_tells_its_checks_between_data_and_plan_and_keeps_them(data, tmp_path):
    listener = Listener()
    study, result = ran(data, tmp_path, name="one", observer=listener)
    first, (checks, findings), last = listener.heard
    assert (first, last, findings) == ("data", "plan", ())
    assert checks == result.checks
    assert checks.program == "native"
    assert checks.gradient.error < 1e-7
    assert [fit.fitted for fit in checks.fits] == [True] * len(checks.fits)
    assert checks.start.constant == pytest.approx(np.log(2), abs=0.02)
    told = fit_json(result)
    assert told["checks"]["start"]["loss"] == checks.start.loss
    assert told["checks"]["fits"][0]["rows"] == 2
    json.dumps(told, allow_nan=False)
    lines = study_lines(result)
    place = next(i for i, line in enumerate(lines) if line.startswith("checks"))
    starts = [line.split(" ")[0] for line in lines if line[:1].strip()]
    assert starts[:4] == ["data", "split", "checks", "baseline"]
    assert "loss at start" in lines[place]
    report = study.report().read_text()
    assert lines[place] in report
    assert "of the network of median size, trial" in report
    heard = Listener()
    again = dw.resume("one", store=tmp_path, observer=heard)  # tells what a run would have told
    assert again.result.checks == checks
    assert heard.heard[1] == (checks, ())


def test_a_resumed_study_does_not_check_again(data, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("deepwell.study._course.conclude", killed)
        with pytest.raises(KeyboardInterrupt):
            ran(data, tmp_path, name="stopped")

    def never(*_, **__):
        raise AssertionError("checked twice")

    with monkeypatch.context() as patch:
        patch.setattr("deepwell.study._first_steps.first_steps", never)
        heard = Listener()
        result = dw.resume("stopped", data, store=tmp_path, observer=heard).result
    assert result.checks == heard.heard[1][0]
    assert result.checks.start is not None


def test_a_fault_is_told_at_once_and_at_the_end_and_does_not_stop_the_run(data, tmp_path):
    listener = Listener()
    fixed = {**SMALL, "initializer": "zeros"}
    _, result = ran(data, tmp_path, fixed=fixed, observer=listener)
    _, findings = listener.heard[1]
    assert [f.code for f in findings] == ["DW305"]
    told = result.findings[0]
    assert (told.code, told.claim, told.detail) == ("DW305", findings[0].claim, findings[0].detail)
    assert dict(told.evidence) == {**findings[0].evidence, "of_best": True}
    assert result.networks == 3
    assert "DW305 all units of hidden layer 1 are alike: try --initializer auto" in " ".join(
        " ".join(study_lines(result)).split()
    )
    assert result.statuses.get(Status.FAILED.value, 0) == 0


def test_checks_change_nothing_that_is_trained(data, tmp_path, monkeypatch):
    study, _ = ran(data, tmp_path / "with")
    scores = [t.score for t in study.history()]
    monkeypatch.setattr("deepwell.study._course._checked", lambda *_: None)
    bare, result = ran(data, tmp_path / "without")
    assert result.checks is None
    assert [t.score for t in bare.history()] == scores


def test_the_other_program_says_whose_figures_they_are(data, tmp_path):
    _, result = ran(data, tmp_path, trials=1, epochs=1, program="jax")
    assert result.program == "jax"
    assert result.checks.program == "native"
    assert result.checks.left_out == ("the JAX program: these are the native program's figures",)
    _, result = ran(data, tmp_path, trials=1, epochs=1, fixed={**SMALL, "optimizer": "optax:lion"})
    assert result.checks.left_out[1] == "steps of optax:lion"
    assert np.isnan(result.checks.moved)
    assert result.checks.fits[0].fitted


def test_folds_and_batch_norm(data, tmp_path):
    fixed = {**SMALL, "batch_norm": "before"}
    _, result = ran(data, tmp_path, trials=2, epochs=1, fixed=fixed, folds=3)
    assert result.checks.mixed is None
    assert result.checks.left_out == ("rows that mix: batch norm is meant to",)
    assert result.checks.gradient.error < 1e-7


def test_the_network_of_median_size_stands_for_all(data):
    from deepwell.execution._members import member_of
    from deepwell.records import TrialSpec

    sizes = {3: 8, 4: 64, 5: 16, 6: 16, 7: 65_536}
    members = {
        n: member_of(TrialSpec({"hidden_units": h, "hidden_layers": 1}, seed=0), 40, 1, "logistic")
        for n, h in sizes.items()
    }
    assert representative(members) == 5
    del members[3], members[5], members[6]
    assert representative(members) == 4  # the other one is too large
    assert representative({7: members[7]}) == 7


def test_a_network_too_large_is_left_out(data, tmp_path, monkeypatch):
    monkeypatch.setattr("deepwell.study._first_steps._LARGEST", 10)
    _, result = ran(data, tmp_path, trials=1, epochs=1)
    assert result.checks.start is None
    assert result.checks.left_out[0].startswith("all checks: no network has")
    assert any("not checked: all checks" in line for line in study_lines(result))
