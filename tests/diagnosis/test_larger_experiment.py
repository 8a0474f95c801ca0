"""How large an experiment must be: rows for what rows shrink, replicates for what seeds do."""

import pytest

from deepwell.diagnosis._larger_experiment import Larger, larger_experiment


def half_of(half: float, by_rows: float, rows: float, replicates: float) -> float:
    """The half width with so many times the rows, and the replicates."""
    return half * (by_rows / rows + (1 - by_rows) / replicates) ** 0.5


@pytest.mark.parametrize("by_rows", [1.0, 0.8, 0.5, 0.2, 0.0])
@pytest.mark.parametrize("half", [0.011, 0.015, 0.03])
def test_what_is_told_is_enough_and_hardly_more(by_rows, half):
    found = larger_experiment(half, by_rows, 0.01, 3_000, 8)
    rows, replicates = (found.rows or 3_000) / 3_000, (found.replicates or 8) / 8
    if not found.alone:
        assert half_of(half, by_rows, rows, replicates) <= 0.01 + 1e-9
        assert half_of(half, by_rows, rows / 1.5, replicates) > 0.01
        assert half_of(half, by_rows, rows, replicates / 1.5) > 0.01
        return
    assert (found.rows, found.replicates) != (None, None)
    if found.rows is not None:
        assert half_of(half, by_rows, rows, 1) <= 0.01 + 1e-9
        assert half_of(half, by_rows, rows / 1.2, 1) > 0.01
    if found.replicates is not None:
        assert found.replicates % 2 == 0
        assert half_of(half, by_rows, 1, replicates) <= 0.01 + 1e-9
        assert half_of(half, by_rows, 1, (found.replicates - 3) / 8) > 0.01


def test_no_number_of_rows_makes_seeds_alike():
    found = larger_experiment(0.02, 0.0975, 0.01, 3_000, 8)  # 1.9 points by seeds alone
    assert found.rows is None
    assert found.replicates == 48
    assert found.words(3_000) == "--replicates 48 would tell"
    found = larger_experiment(0.02, 1.0, 0.01, 3_000, 8)
    assert found.words(3_000) == "about 12,000 dev rows (there are 3,000) would tell"
    both = larger_experiment(0.03, 0.5, 0.01, 3_000, 8)
    assert both == Larger(27_000, 72, alone=False)
    assert both.words(3_000) == (
        "--replicates 72 and about 27,000 dev rows (there are 3,000) would tell"
    )


@pytest.mark.parametrize("asked", [(0.005, 0.5), (float("inf"), 0.5), (0.5, 0.5)])
def test_nothing_is_told_where_nothing_is_needed_or_known_or_enough(asked):
    found = larger_experiment(*asked, 0.01, 3_000, 8)
    assert found == Larger()
    assert found.words(3_000) == ""
