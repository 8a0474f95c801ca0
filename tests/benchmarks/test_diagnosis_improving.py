"""What `study.improve()` makes of a faulty case, beside random search given as long."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.diagnosis import improving, program_diagnosis, run
from benchmarks.diagnosis.case import Case
from benchmarks.diagnosis.diagnosed import Said
from benchmarks.diagnosis.improving import Improved, improved, networks_for, networks_in, searched
from benchmarks.diagnosis.program_case import PROGRAM_TASKS, ProgramCase
from benchmarks.diagnosis.remedies import LEFT
from benchmarks.diagnosis.tasks import DIGITS, GAUSS
from benchmarks.diagnosis.training import Outcome, configurations, outcomes, work

from deepwell.diagnosis._improvement_findings import _BEYOND
from deepwell.study._examination import FLOOR


def test_a_network_that_hardly_learns_is_improved_on_rows_of_the_world() -> None:
    slow = GAUSS.case(0).with_settings(learning_rate=1e-5, epochs=10)
    found = improved(slow, 0, seconds=3.0)
    assert (found.helps, found.left) == (True, ())
    assert found.values != slow.settings
    before, after = outcomes([slow, slow.with_settings(**found.values)], 0)
    assert after.deployed < before.deployed - 0.05


def test_where_only_rows_are_left_they_are_what_is_advised(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"values": {"l2": 0.1}, "seconds": 1.0}
    cases = [GAUSS.case(0), GAUSS.case(1)]
    for helps, left, rows in ((False, ("variance",), True), (False, (), False)):
        ends = Improved(**told, helps=helps, left=left)
        monkeypatch.setattr(run, "improved", lambda case, seed, code, seconds, e=ends: e)
        advised, took = run._advised(Said("DW101", "problem", "high variance"), cases[0])
        assert advised is not None
        assert took == 1.0
        few = cases[0].with_rows(train=cases[0].train.take(np.arange(50)))
        after = advised(few, cases[0])
        assert (after.train is cases[0].train) == rows
        assert after.settings == cases[0].settings
    ends = Improved(**told, helps=True, left=())
    monkeypatch.setattr(run, "improved", lambda case, seed, code, seconds: ends)
    advised, took = run._advised(Said("DW101", "problem", "high variance"), cases[0])
    assert advised is not None
    many = replace(cases[0], trials=30)
    assert (advised(many, cases[1]).settings["l2"], advised(many, cases[1]).trials) == (0.1, 1)
    assert run._advised(Said("DW206", "problem", "a number"), cases[0]) == (None, 0.0)
    assert run._advised(None, cases[0]) == (None, 0.0)


def test_what_improve_names_as_left_is_a_remedy_of_the_menu() -> None:
    assert set(LEFT) == set(_BEYOND)
    starved = DIGITS.case(0)
    starved = starved.with_rows(train=starved.train.take(np.arange(60)))
    values = {"hidden_units": (64, 64), "dropout": 0.0, "patience": 0, "epochs": 60}
    found = improved(starved.with_settings(**values), 0, "DW101", seconds=20.0)
    assert found.helps or found.left == ("variance",)


def test_random_search_is_given_as_long() -> None:
    case = GAUSS.case(0).with_settings(epochs=2)
    assert len({repr(values) for values in configurations(searched(case, 8), 0)}) > 4
    assert networks_in(0.0, case, 0) == 4
    assert networks_in(60.0, case, 0) > 4


def test_random_search_of_studies_is_given_as_much_as_an_examination_may_train() -> None:
    case = DIGITS.case(0)
    networks = networks_for(FLOOR, case, 0)
    each = work(searched(case, 128), 0) / 128
    assert networks * each <= FLOOR < (networks + 1) * each
    longer = case.with_settings(epochs=2 * int(case.number("epochs")))
    assert networks_for(FLOOR, longer, 0) == pytest.approx(networks / 2, abs=1)
    assert networks_for(0.0, case, 0) == 8


def test_work_is_that_of_every_network_in_every_epoch() -> None:
    case = GAUSS.case(0)
    one = work(case, 0)
    assert one > 0
    assert work(replace(case, trials=3), 0) == pytest.approx(3 * one)
    assert work(case.with_settings(epochs=80), 0) == pytest.approx(2 * one)
    assert work(case.with_settings(hidden_units=(64, 64)), 0) > one
    assert work(case.with_settings(batch_size=8), 0) > 2 * one, "a step costs whatever its batch"


def test_random_search_of_programs_is_given_as_many_runs_as_a_diagnosis_makes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case, tried = PROGRAM_TASKS["gauss program"].case(0), []

    def outcomes(self: object, cases: list[ProgramCase]) -> list[Outcome]:
        tried.append(cases[0].rate / case.rate)
        return [Outcome(abs(cases[0].rate - case.rate), 0.1)]

    monkeypatch.setattr(run._Programs, "outcomes", outcomes)
    [best] = run._Programs()._searched([case])
    assert len(tried) == program_diagnosis.MOST_RUNS == 48
    assert 0.1 <= min(tried) < 0.2
    assert 5 < max(tried) <= 10
    assert best.dev == pytest.approx(min(abs(factor - 1) for factor in tried) * case.rate)


def test_no_search_is_cut_short_or_charged_for_what_is_taken_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Loading takes 0.2 s and a network 2 ms: 2,500 of them take 5 s, and loading."""
    clock = [0.0]

    def outcomes(cases: list[Case], seed: int) -> None:
        clock[0] += 0.2 + 0.002 * sum(case.trials for case in cases)

    monkeypatch.setattr(improving, "outcomes", outcomes)
    monkeypatch.setattr(improving.time, "perf_counter", lambda: clock[0])
    assert networks_in(5.0, GAUSS.case(0), 0) == pytest.approx(2500, abs=1)
