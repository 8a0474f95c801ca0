"""B7 from end to end, on a handful of runs: measured, kept, resumed, and told on the page."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.diagnosis import clean, command, run
from benchmarks.diagnosis.case import Case, Rows
from benchmarks.diagnosis.clean import Setup, improvable
from benchmarks.diagnosis.diagnosed import Said
from benchmarks.diagnosis.fault import PROGRAM, Plant
from benchmarks.diagnosis.faults import FAULTS
from benchmarks.diagnosis.halves import Half, development
from benchmarks.diagnosis.judge import refusals
from benchmarks.diagnosis.program_case import PROGRAM_TASKS, ProgramCase
from benchmarks.diagnosis.regimes import truth, verdict
from benchmarks.diagnosis.run import Effort
from benchmarks.diagnosis.studies import diagnosed
from benchmarks.diagnosis.training import Outcome

TIMES = ("seconds", "trained", "deeper", "whole_seconds")
HIGH = next(f for f in FAULTS if f.name == "rate too high")


def _timeless(cell: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in cell.items() if name not in TIMES}


def test_a_plant_in_a_study_is_validated_diagnosed_and_repaired_the_same_twice() -> None:
    zero = next(f for f in FAULTS if f.name == "weights of zero")
    planted = Plant(zero, "severe", "gauss")
    first, second = (
        run._planted(development(), planted, Effort(seeds=4, deep=0)) for _ in range(2)
    )
    assert _timeless(first) == _timeless(second)
    assert first["validation"]["hurts"]
    assert first["menu"]["initializer auto"]["share"] == pytest.approx(1.0, abs=0.1)
    assert first["menu"]["initializer auto"]["suffices"]
    assert not first["menu"]["labels"]["suffices"], "the labels were right"
    assert first["menu"]["labels"]["share"] == pytest.approx(0.0)
    assert {s["code"] for s in first["said"] if s["level"] == "problem"} & {"DW302", "DW305"}
    assert first["baselines"]["always alarm"] == [True, []]
    assert len(first["dev"]) == 3
    assert first["dev"][1] <= first["dev"][0] <= first["dev"][2]
    json.dumps(first)


def test_data_that_are_refused_are_a_claim_and_no_crash() -> None:
    """All labels alike: `load` says so, and nothing is trained."""
    case = development().clean[0].draw(0)
    dumb = case.with_rows(**{n: getattr(case, n) for n in ("train", "dev")})
    for part in (dumb.train, dumb.dev):
        part.y[:] = 0
    told = diagnosed(dumb, 0)
    assert [s.code for s in told.said] == ["refused"]
    assert told.said[0].alarms
    assert len(told.measured.train_cost) == 0
    said = run._told(told)["baselines"]
    assert (said["always alarm"], said["never alarm"]) == ([True, []], [False, []])
    assert said["constant {activation, learning rate}"][1], "a guess needs no measurement"
    assert said["loss curves only"] == [False, []], "there is no curve to read"


def test_rules_read_the_curves_of_a_study_none_of_whose_networks_got_a_score() -> None:
    case = development().tasks["teacher"].case(0)
    told = diagnosed(case.with_settings(optimizer="sgd", learning_rate=1e5, epochs=3), 0)
    assert [s.cause for s in told.said] == ["rate too high"]
    said = run._told(told)["baselines"]
    assert said["loss curves only"] == [True, ["rate too high"]]
    assert said["never alarm"] == [False, []]
    assert told.measured.settings["optimizer"] == "sgd"
    assert told.measured.constant == pytest.approx(case.dev.y.std(), rel=0.1)


def test_a_plant_whose_data_are_refused_hurts_nothing_that_was_measured() -> None:
    def infinite(case: Case, share: float, seed: int) -> Case:
        x = case.train.x.copy()
        x[0, 0] = np.inf
        return case.with_rows(train=Rows(x, case.train.y))

    fault = replace(HIGH, name="infinite", cause="inputs corrupt", plant=infinite)
    told = run._planted(development(), Plant(fault, "mild", "gauss"), Effort(seeds=2, deep=0))
    assert told["validation"]["hurts"] is False
    assert "infinite" in told["validation"]["refused"]
    assert "menu" not in told
    cells = {"plant/infinite/mild/gauss": {"cause": fault.cause, **told}}
    assert refusals(cells) == {"plant/infinite/mild/gauss": True}


def test_a_clean_setup_that_a_usual_change_makes_better_is_none() -> None:
    """The healthy one is left as it is; one at a hundredth of its rate is found out."""
    sound = next(s for s in development().clean if s.key == "as it should be/gauss")
    assert improvable(sound) == {}
    slow = Setup("slow", "gauss", lambda n: sound.draw(n).with_settings(learning_rate=1e-5), (1,))
    assert {"rate x 30", "longer"} & set(improvable(slow))


def test_a_clean_program_that_a_usual_change_makes_better_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a program that is best at the rate of its task."""
    task = PROGRAM_TASKS["gauss program"]

    def outcomes(cases: list[ProgramCase], seeds: list[int]) -> list[Outcome]:
        off = abs(np.log10(cases[0].rate / task.rate))
        return [Outcome(0.0, 0.1 + 0.1 * off + 0.002 * np.sin(seed * (1 + off))) for seed in seeds]

    monkeypatch.setattr(clean.program_case, "outcomes", outcomes)
    sound = next(s for s in development().clean if s.task == task.name)
    assert improvable(sound) == {}
    slow = replace(sound, draw=lambda seed: replace(task.case(seed), rate=task.rate / 10))
    told = improvable(slow)
    assert set(told) == {"rate x 10", "Adam"}
    assert told["rate x 10"]["gain"] == pytest.approx(0.1, abs=0.005)


def test_clean_programs_are_diagnosed_as_programs_and_never_beyond(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = development()
    programs = tuple(s for s in whole.clean if s.of == PROGRAM)
    half = Half("development", (), {}, (*programs, whole.clean[0]))
    monkeypatch.setattr(run.program_diagnosis, "diagnosed", lambda case, seed: (case.task, seed))
    monkeypatch.setattr(run.studies, "diagnosed", lambda case, seed, deep: (case.task, seed))
    monkeypatch.setattr(run, "_told", lambda told: {"told": told})
    kept: dict[str, Any] = {}

    def keep(key: str, known: run.Known, make: Any) -> None:
        kept[key] = {**known, **(make() if key.startswith("clean/") else {})}

    run.run(half, keep, Effort(part=2, deep=1))
    told = {key: cell for key, cell in kept.items() if key.startswith("clean/")}
    studies = [cell for cell in told.values() if cell["of"] == "study"]
    assert [cell["dives"] for cell in studies] == [True, True]
    others = [cell for cell in told.values() if cell["of"] == PROGRAM]
    assert {cell["task"] for cell in others} == {s.task for s in programs[::2]}
    assert all(cell["told"][0] == cell["task"] for cell in others)
    assert [cell["told"][1] for cell in others] == [1, 2, 3, 4, 5] * 2
    assert not any(cell["dives"] for cell in others)
    assert sum(key.startswith("sound/") for key in kept) == 3


def test_a_known_regime_is_measured_on_rows_of_the_world() -> None:
    known = next(r for r in development().regimes if r.key == "regime/too few units/teacher/1")
    told = diagnosed(known.case(), known.seed)
    measured = truth(known.case(), told.measured.train_score, told.world)
    assert measured["adequate"]
    assert (measured["regime"], measured["clear"]) == ("bias", True)
    assert verdict(told.said)["verdict"] in ("bias", "abstains")


def test_rows_learnt_by_heart_are_no_variance_where_nothing_gets_better() -> None:
    case = next(r for r in development().regimes if r.key == "regime/few rows/gauss/1").case()
    best = case.best_possible
    assert best is not None
    assert truth(case, train=0.0, world=best + 0.01)["regime"] == "noise floor"
    assert truth(case, train=0.0, world=best + 0.10)["regime"] == "variance"
    assert truth(case, train=best + 0.10, world=best + 0.20)["regime"] == "both"


def test_rows_from_elsewhere_are_a_mismatch_and_few_rows_are_not_enough() -> None:
    cases = {r.name: r.case() for r in development().regimes if r.task.name == "gauss"}
    far, few = cases["dev from elsewhere"], cases["few dev rows"]
    best = far.best_possible
    assert best is not None
    assert far.like_train is not None
    assert (len(far.train), len(far.dev), len(far.like_train)) == (4000, 2000, 100_000)
    moved = far.dev.x.mean(axis=0) - far.train.x.mean(axis=0)
    assert moved == pytest.approx(0.8 * far.train.x.std(axis=0), abs=0.1)
    told = truth(far, train=best, world=best + 0.2, like_train=best + 0.01)
    assert (told["regime"], told["clear"], told["adequate"]) == ("mismatch", True, True)
    told = truth(far, train=best + 0.2, world=best + 0.4, like_train=best + 0.2)
    assert told["regime"] == "bias and mismatch"
    told = truth(few, train=best, world=best + 0.1)
    assert (told["regime"], told["clear"], told["adequate"]) == ("variance", True, False)
    # One wrong of 40 is 2.5 points, with a standard error of 4.3 by two rows of each kind added.
    told = truth(few, train=best, world=0.025)
    assert (told["regime"], told["adequate"]) == ("noise floor", False)


def test_what_is_high_is_told_and_so_is_the_floor() -> None:
    def told(*codes: str) -> tuple[object, object]:
        problems = ("DW101", "DW102", "DW106")
        said = [Said(c, "problem" if c in problems else "ok", "") for c in codes]
        return tuple(verdict(said).values())

    assert told("DW101", "DW102") == ("both", ["bias", "variance"])
    assert told("DW106", "DW102") == ("bias and mismatch", ["bias", "mismatch"])
    assert told("DW100", "DW108") == ("noise floor", [])
    assert told("DW100") == ("neither", [])
    assert told("DW102", "DW110") == ("abstains", ["bias"])


def test_what_the_fit_told_is_kept_apart_from_what_diagnose_tells() -> None:
    case = development().tasks["gauss"].case(0).with_settings(epochs=5)
    told = diagnosed(case, 0, deep=True)
    fit = [s for s in told.said if not s.deep]
    assert fit == list(diagnosed(case, 0).said)
    of_fit, beyond = {s.code for s in fit}, {s.code for s in told.said if s.deep}
    assert {code for code in of_fit if code.startswith("DW4")} <= beyond, "told again"
    assert beyond - of_fit, "and more"


def test_a_run_is_kept_goes_on_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = development()
    half = replace(whole, faults=(HIGH,), clean=whole.clean[:1], regimes=whole.regimes[:1])
    monkeypatch.setattr(command, "development", lambda: half)
    monkeypatch.setattr(command, "_WORK", tmp_path)
    monkeypatch.setitem(command.EFFORTS, "quick", Effort(seeds=3, menu=False, deep=0))
    over, later = time.monotonic() - 1, time.monotonic() + 1000
    assert command.measure("quick", True, over, False, tmp_path) == 3
    assert "goes on" in capsys.readouterr().out
    assert command.measure("quick", False, later, False, tmp_path) == 0
    printed = capsys.readouterr().out
    kept = json.loads((tmp_path / "quick" / "b7-finished.json").read_text())
    assert len(kept["cells"]) == 2 + 1 + 3 * 2  # two clean, a regime, three severities on two tasks
    assert kept["checks"]["figures"]["who"]["Deepwell"]["clean"]["runs"] == 2
    assert "### Clean runs" in printed
    assert printed.index("### Clean runs") < printed.index("### Faulty runs")
    assert "| rate too high | rate too high | study | 6 |" in printed


def test_what_breaks_is_told_and_takes_nothing_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*given: object) -> dict[str, Any]:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(command, "_WORK", tmp_path)
    half = Half("development", (), {}, development().clean[:1])
    monkeypatch.setattr(command, "development", lambda: half)
    calls = iter([broken, run._clean])
    monkeypatch.setattr(run, "_clean", lambda *given: next(calls)(*given))
    assert command.measure("quick", True, time.monotonic() + 1000, False, tmp_path) == 1
    printed = capsys.readouterr().out
    assert "RuntimeError: out of luck" in printed
    assert "| Deepwell | 2 | 1: 50.0% " in printed, "what breaks is an alarm"
    assert "| never alarm | 1 |" in printed, "the others have no measurements of it"
    assert "| a crash | 1 |" in printed
    assert "Crashed, and counted for Deepwell alone" in printed


@pytest.mark.slow
def test_a_plant_in_a_program_is_validated_diagnosed_and_repaired() -> None:
    fault = next(f for f in FAULTS if f.name == "sign of a block")
    planted = Plant(fault, "severe", "digits program")
    told = run._planted(development(), planted, Effort())
    assert told["validation"]["hurts"]
    assert any(s["code"] == "checked gradient" for s in told["said"])
    assert told["menu"]["gradient"]["share"] == pytest.approx(1.0)


@pytest.mark.slow
def test_a_healthy_program_is_diagnosed_as_a_faulty_one_is() -> None:
    sound = next(s for s in development().clean if s.of == PROGRAM)
    told = run._clean(sound, 1, False)
    assert not [s["claim"] for s in told["said"] if Said(**s).alarms]
    assert told["baselines"]["always alarm"] == [True, []]
    assert 0 < told["trained"] < told["seconds"]
    assert told["deeper"] is None
