"""Statuses and the ranking of trials."""

from __future__ import annotations

import math

import pytest

from deepwell.records import Status, Trial, TrialSpec

SPEC = TrialSpec({}, seed=0)


@pytest.mark.parametrize("status", Status)
def test_over_means_that_a_trial_trains_no_further(status: Status) -> None:
    assert status.over == (status not in (Status.WAITING, Status.RUNNING, Status.PAUSED))
    assert Status(status.value) is status


def test_trials_are_ranked_by_score_then_cost_then_age() -> None:
    trials = [
        Trial(0, SPEC),
        Trial(1, SPEC, score=0.2, cost=0.9),
        Trial(2, SPEC, score=0.1, cost=0.5),
        Trial(3, SPEC, score=0.1, cost=0.4),
        Trial(4, SPEC, score=0.1, cost=0.4),
    ]
    assert [trial.number for trial in sorted(trials, key=Trial.rank_key)] == [3, 4, 2, 1, 0]


def test_a_new_trial_waits_and_ranks_last() -> None:
    trial = Trial(7, SPEC)
    assert trial.status is Status.WAITING
    assert trial.rank_key() == (math.inf, math.inf, 7)
