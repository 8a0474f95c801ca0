"""Regimes on tasks with a known best score: right where rows are enough, else rather withheld."""

import pytest
from known_truth import TASKS, rounds_of, verdicts


def name(task) -> str:
    return f"{task.name} ({task.metric})"


@pytest.mark.proves("G1", "G2", "independent")
@pytest.mark.parametrize("task", [t for t in TASKS if t.metric == "error"], ids=name)
def test_error_regimes_are_right_with_2000_dev_rows(task) -> None:
    found = verdicts(task, 2_000, 40, seed=1)
    assert found["right"] >= 0.9
    assert found["wrong"] <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS, ids=name)
def test_all_regimes_are_right_with_2000_dev_rows(task) -> None:
    found = verdicts(task, 2_000, rounds_of(task), seed=2)
    assert found["right"] >= 0.9
    assert found["wrong"] <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS, ids=name)
def test_with_60_dev_rows_a_verdict_is_withheld_rather_than_wrong(task) -> None:
    assert verdicts(task, 60, rounds_of(task), seed=3)["wrong"] <= 0.05
