"""What B7 plants: how much of it, that it changes what it says, and that runs repeat."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.diagnosis import seal
from benchmarks.diagnosis.case import Case
from benchmarks.diagnosis.command import measure
from benchmarks.diagnosis.fault import PROGRAM, SEVERITIES, STUDY, Fault, checked, plants
from benchmarks.diagnosis.faults import FAULTS
from benchmarks.diagnosis.faults.labels import flipped
from benchmarks.diagnosis.halves import Half, development
from benchmarks.diagnosis.labels import FAMILIES
from benchmarks.diagnosis.program_case import PROGRAM_TASKS
from benchmarks.diagnosis.program_remedies import MENU as PROGRAM_MENU
from benchmarks.diagnosis.remedies import MENU
from benchmarks.diagnosis.tasks import DIGITS, GAUSS, PLANTED_ON, SPIRAL, TASKS
from benchmarks.diagnosis.training import outcomes

STUDIES = [f for f in FAULTS if f.of == STUDY]
PROGRAMS = [f for f in FAULTS if f.of == PROGRAM]


def test_as_many_faults_families_tasks_and_clean_runs_as_promised() -> None:
    assert len(FAULTS) >= 45
    assert {f.family for f in FAULTS} == set(FAMILIES)
    assert len(FAMILIES) == 11
    assert all(len(f.amounts) == len(SEVERITIES) == 3 for f in FAULTS)
    assert len(PLANTED_ON) >= 4
    assert sum(task.best is not None for task in PLANTED_ON.values()) >= 2
    clean, known = development().clean, development().regimes
    assert sum(len(setup.seeds) for setup in clean) >= 150
    assert len({setup.key for setup in clean}) == len(clean)
    programs = [setup for setup in clean if setup.of == PROGRAM]
    assert {setup.task for setup in programs} == set(PROGRAM_TASKS)
    assert sum(len(setup.seeds) for setup in programs) >= 20
    assert len({regime.key for regime in known}) == len(known)


def test_every_fault_is_planted_at_every_severity_and_all_tasks_are_used() -> None:
    found = plants(FAULTS)
    assert len({p.key for p in found}) == len(found)
    by_fault = Counter((p.fault.name, p.severity) for p in found)
    assert len(by_fault) == 3 * len(FAULTS)
    for fault in FAULTS:
        assert by_fault[fault.name, "mild"] == (2 if fault.of == STUDY else 1)
    used = Counter(p.task for p in found)
    assert set(used) == {*PLANTED_ON, *PROGRAM_TASKS}
    assert min(used.values()) >= 9


def test_the_remedy_that_should_win_is_in_the_menu_or_what_is_restored() -> None:
    assert all(f.remedy in MENU for f in STUDIES), [f.name for f in STUDIES if f.remedy not in MENU]
    assert all(f.remedy in PROGRAM_MENU for f in PROGRAMS)


def _arrays(case: Any) -> list[np.ndarray]:
    if isinstance(case, Case):
        parts = (case.train, case.dev, case.deployed)
        return [a for part in parts for a in (part.x, part.y)]
    return list(case.rows.values())


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_fault_is_pure_draws_by_its_seed_alone_and_changes_something(fault: Fault) -> None:
    name = fault.tasks[0]
    task = {**TASKS, **PROGRAM_TASKS}[name]
    healthy, untouched = task.case(3), task.case(3)
    once, again = (fault.planted(healthy, "severe", 3) for _ in range(2))
    for a, b in zip(_arrays(healthy), _arrays(untouched), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(_arrays(once), _arrays(again), strict=True):
        np.testing.assert_array_equal(a, b)
    rows = any(
        a.shape != b.shape or not np.array_equal(a, b, equal_nan=True)
        for a, b in zip(_arrays(healthy), _arrays(once), strict=True)
    )
    if isinstance(once, Case):
        assert rows or once.settings != healthy.settings
    else:
        assert rows or once.program != healthy.program


def test_severities_are_severities() -> None:
    """Of flipped labels: as many as is said, and always others."""
    case = SPIRAL.case(0)
    for share in (0.1, 0.4):
        changed = (flipped(case, share, 0).train.y != case.train.y).mean()
        assert changed == pytest.approx(share, abs=0.06)


def test_known_best_scores_are_right() -> None:
    """The best rule of `gauss` is linear; its error is counted on many rows."""
    rows = GAUSS.draw(np.random.default_rng(0), 200_000)
    error = ((rows.x[:, :4].sum(axis=1) > 0) != rows.y).mean()
    assert GAUSS.best is not None
    assert error == pytest.approx(GAUSS.best, abs=4 * math.sqrt(0.07 * 0.93 / 200_000))


def test_the_same_case_and_seed_give_the_same_outcome() -> None:
    case = GAUSS.case(0).with_settings(epochs=4)
    first, second = (outcomes([case], 0)[0] for _ in range(2))
    assert first == second


def test_cases_trained_together_are_as_alone() -> None:
    case = DIGITS.case(0).with_settings(epochs=3)
    other = case.with_settings(hidden_units=(8,), learning_rate=0.01)
    together = outcomes([case, other], 0)
    assert together == [outcomes([one], 0)[0] for one in (case, other)]


def test_more_networks_than_train_at_once_are_trained_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = replace(GAUSS.case(0).with_settings(epochs=2, hidden_units=[4, 8]), trials=5)
    whole = outcomes([case], 0)
    monkeypatch.setattr("benchmarks.diagnosis.training._SIDE_BY_SIDE", 2)
    assert outcomes([case], 0) == whole


def test_declarations_are_checked() -> None:
    good = FAULTS[0]
    with pytest.raises(ValueError, match="a name of its own"):
        checked([good, good], PLANTED_ON)
    with pytest.raises(ValueError, match="tasks of its half"):
        checked([good], {})


@pytest.fixture
def nothing_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty sealed half in place of the real one, which no test may open."""
    monkeypatch.setattr(seal, "sealed", lambda: Half("sealed", (), {}))


@pytest.mark.usefixtures("nothing_sealed")
def test_an_empty_sealed_half_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(seal.NothingSealedError, match="holds none yet"):
        seal.opened(tmp_path / "record.json")
    assert not (tmp_path / "record.json").exists()


def test_an_opening_is_on_record_and_the_second_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "record.json"
    half = Half("sealed", FAULTS[:1], PLANTED_ON)
    monkeypatch.setattr(seal, "sealed", lambda: half)
    monkeypatch.setattr(seal, "commit", lambda: "abc")
    rules = iter(["one", "one", "two"])
    monkeypatch.setattr(seal, "rules", lambda: next(rules))
    monkeypatch.setattr(seal, "hidden", lambda: "sealed")
    assert seal.opened(record)[1]["number"] == 1
    assert seal.opened(record)[1]["number"] == 1, "a run that goes on is no new opening"
    assert seal.opened(record)[1]["number"] == 2, "other thresholds: opened again"
    told = json.loads(record.read_text())
    assert [(o["rules"], o["sealed"], o["commit"]) for o in told] == [
        ("one", "sealed", "abc"),
        ("two", "sealed", "abc"),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        "src/deepwell/diagnosis/_gaps.py",
        "src/deepwell/training/_adam.py",
        "src/native/member.cpp",
        "benchmarks/diagnosis/judge.py",
        "benchmarks/diagnosis/faults/data.py",
    ],
)
def test_whatever_figures_depend_on_breaks_the_seal(tmp_path: Path, changed: str) -> None:
    """By its content, committed or not; the sealed files have a hash of their own."""
    sealed = "benchmarks/diagnosis/sealed/_tasks.py"
    for name in (changed, sealed):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("LIMIT = 1\n")
    rules, hidden = seal.rules(tmp_path), seal.hidden(tmp_path)
    assert (seal.rules(tmp_path), seal.hidden(tmp_path)) == (rules, hidden)
    (tmp_path / changed).write_text("LIMIT = 2\n")
    assert seal.rules(tmp_path) != rules
    assert seal.hidden(tmp_path) == hidden
    rules = seal.rules(tmp_path)
    (tmp_path / sealed).write_text("LIMIT = 2\n")
    assert seal.rules(tmp_path) == rules
    assert seal.hidden(tmp_path) != hidden


def test_both_halves_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.diagnosis import halves
    from benchmarks.diagnosis import sealed as hidden

    monkeypatch.setattr(hidden, "TASKS", {"gauss": GAUSS})
    with pytest.raises(ValueError, match="tasks of its own"):
        halves.sealed()


def test_the_development_half_needs_no_opening() -> None:
    assert development().faults == FAULTS


@pytest.mark.usefixtures("nothing_sealed")
def test_an_empty_sealed_half_is_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measure("quick", True, 0.0, True, tmp_path) == 2
    assert "holds none yet" in capsys.readouterr().err
