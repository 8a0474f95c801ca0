"""The menu of remedies mends what users can mend: rows that still are those rows, not the world."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.diagnosis import run
from benchmarks.diagnosis.case import Case, Rows
from benchmarks.diagnosis.diagnosed import Diagnosed
from benchmarks.diagnosis.fault import ESTIMATE, SCORE
from benchmarks.diagnosis.faults import FAULTS
from benchmarks.diagnosis.faults.data import missing
from benchmarks.diagnosis.faults.labels import flipped
from benchmarks.diagnosis.faults.split import future_in_train, groups_across
from benchmarks.diagnosis.intervals import recovered
from benchmarks.diagnosis.remedies import MENU
from benchmarks.diagnosis.tasks import DIGITS, GAUSS, SPIRAL, TEACHER
from benchmarks.diagnosis.training import Outcome


def _alike(one: Rows, other: Rows) -> bool:
    return np.array_equal(one.x, other.x, equal_nan=True) and np.array_equal(one.y, other.y)


@pytest.mark.parametrize("size", [3, 6, 12])
@pytest.mark.parametrize("task", [GAUSS, SPIRAL, TEACHER, DIGITS], ids=lambda task: task.name)
def test_rows_in_other_places_are_not_joined_to_what_belongs_to_others(task, size: int) -> None:
    """Of groups dealt out anew as many rows are left, or a few fewer, and none in its place."""
    healthy = task.case(0)
    faulty = groups_across(healthy, size, 0)
    for name in ("inputs", "labels", "more rows"):
        mended = MENU[name](faulty, healthy)
        assert _alike(mended.train, faulty.train)
        assert _alike(mended.dev, faulty.dev)


def test_what_is_wrong_of_rows_in_their_places_is_mended() -> None:
    healthy = GAUSS.case(0)
    holes = MENU["inputs"](missing(healthy, 0.4, 0), healthy)
    labels = MENU["labels"](flipped(healthy, 0.2, 0), healthy)
    for name in ("train", "dev"):
        assert _alike(getattr(holes, name), getattr(healthy, name))
        assert _alike(getattr(labels, name), getattr(healthy, name))


def test_the_healthy_remedy_of_each_fault_of_rows_still_mends_something() -> None:
    for fault in FAULTS:
        if fault.remedy in ("inputs", "labels", "more rows"):
            healthy = GAUSS.case(0) if "gauss" in fault.tasks else SPIRAL.case(0)
            for amount in fault.amounts:
                faulty = fault.plant(healthy, amount, 0)
                mended = MENU[fault.remedy](faulty, healthy)
                assert not _alike(mended.train, faulty.train), fault.name


@pytest.mark.parametrize("harms", [SCORE, ESTIMATE])
def test_no_remedy_changes_the_world_that_an_estimate_is_off_from(
    harms: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The world has moved on: inputs as they were do not bring it back."""
    healthy = GAUSS.case(0)
    faulty = future_in_train(healthy, 2.0, 0)
    seen: dict[str, Case] = {}

    def outcomes(cases: list[Case], seed: int) -> list[Outcome]:
        seen.update(zip(MENU, cases, strict=False))
        return [Outcome(0.1, 0.1)] * len(cases)

    monkeypatch.setattr(run.training, "outcomes", outcomes)
    silent = Diagnosed((), None, 1.0)  # type: ignore[arg-type]
    run._Studies().menu([healthy], [faulty], silent, harms)
    assert _alike(seen["inputs"].train, healthy.train)
    assert _alike(seen["inputs"].deployed, faulty.deployed) == (harms == ESTIMATE)
    assert _alike(seen["patience 0"].deployed, faulty.deployed)


def test_more_rows_are_gathered_where_many_lack() -> None:
    healthy = GAUSS.case(0)
    few = replace(healthy, train=healthy.train.take(np.arange(540)))
    nearly = replace(healthy, train=healthy.train.take(np.arange(541)))
    assert len(MENU["more rows"](few, healthy).train) == 600
    assert len(MENU["more rows"](nearly, healthy).train) == 541


def test_a_network_that_is_ruined_mends_no_estimate() -> None:
    """Its dev score is as bad as that of the world, so not off; a better dev set is a remedy."""
    healthy, harmed = [Outcome(0.05, 0.05)] * 4, [Outcome(0.30, 0.05)] * 4
    ruined, mended = [Outcome(0.90, 0.90)] * 4, [Outcome(0.06, 0.05)] * 4

    def told(outcomes: list[Outcome], harms: str) -> bool:
        before, after = ([o.harm(harms) for o in of] for of in (healthy, harmed))
        return recovered(before, after, run._left(outcomes, harmed, harms))["suffices"]

    assert not told(ruined, ESTIMATE)
    assert told(mended, ESTIMATE)
    assert run._left(ruined, harmed, SCORE) == [0.9] * 4
    assert run._left(mended, harmed, ESTIMATE) == pytest.approx([0.01] * 4)


def test_luck_of_one_seed_in_the_world_is_no_loss() -> None:
    harmed = [Outcome(0.30, 0.05), Outcome(0.30, 0.05)]
    lucky = [Outcome(0.05, 0.06), Outcome(0.05, 0.04)]
    assert run._left(lucky, harmed, ESTIMATE) == pytest.approx([0.01, 0.01])
