"""What `study.improve()` makes of a faulty case, beside random search given as long."""

from __future__ import annotations

import pytest
from benchmarks.diagnosis import improving
from benchmarks.diagnosis.case import Case
from benchmarks.diagnosis.improving import improved, networks_in, searched
from benchmarks.diagnosis.tasks import GAUSS
from benchmarks.diagnosis.training import configurations, outcomes


def test_a_network_that_hardly_learns_is_improved_on_rows_of_the_world() -> None:
    slow = GAUSS.case(0).with_settings(learning_rate=1e-5, epochs=10)
    found = improved(slow, 0, seconds=3.0)
    assert found.codes
    assert found.values != slow.settings
    before, after = outcomes([slow, slow.with_settings(**found.values)], 0)
    assert after.deployed < before.deployed - 0.05


def test_random_search_is_given_as_long() -> None:
    case = GAUSS.case(0).with_settings(epochs=2)
    assert len({repr(values) for values in configurations(searched(case, 8), 0)}) > 4
    assert networks_in(0.0, case, 0) == 4
    assert networks_in(60.0, case, 0) > 4


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
