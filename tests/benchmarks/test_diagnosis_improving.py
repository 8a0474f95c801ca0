"""What `study.improve()` makes of a faulty case, beside random search given as long."""

from __future__ import annotations

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
    case = GAUSS.case(0).with_settings(epochs=5)
    assert len({repr(values) for values in configurations(searched(case, 8), 0)}) > 4
    assert networks_in(0.0, case, 0) == 4
    assert 4 < networks_in(5.0, case, 0) <= 128
