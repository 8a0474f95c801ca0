import numpy as np
import pytest
from benchmarks.search_quality.areas import TARGETS, area, compared
from benchmarks.search_quality.plan import PLANS, key
from benchmarks.search_quality.section import section


def test_the_area_is_that_under_the_share_of_targets_reached() -> None:
    assert len(TARGETS) == 51
    assert TARGETS[0] == 100
    assert TARGETS[-1] == pytest.approx(1e-8)
    assert area([0.0, 5.0]) == 1.0
    assert area([1e9, 1e9]) == 0.0
    # 10 reaches 6 of the 51 targets (100, 63.1, ..., 10), from the second of four evaluations on
    assert area([1e3, 10.0, 50.0, 1e4]) == pytest.approx(0.75 * 6 / 51)


def test_strategies_are_compared_run_by_run() -> None:
    rng = np.random.default_rng(0)
    theirs = rng.random(30)
    better = compared(theirs + 0.1 + 0.05 * rng.random(30), theirs)
    assert (better.wins, better.losses, better.verdict) == (30, 0, "better")
    assert compared(theirs - 0.1, theirs).verdict == "worse"
    same = compared(theirs, theirs)
    assert (same.wins, same.losses, same.p_value, same.verdict) == (0, 0, 1.0, "not told apart")


def test_every_run_of_a_plan_has_a_name_of_its_own_and_a_budget() -> None:
    for parts in PLANS.values():
        jobs = [job for part in parts for job in part.jobs()]
        assert len({key(job) for job in jobs}) == len(jobs)
        assert all(job["budget"] >= 2 * job["batch"] for job in jobs)


def test_the_section_tells_sizes_wins_and_losses() -> None:
    cells = {}
    for k in range(1, 9):
        for strategy, value in (("deepwell-bayesian", 0.2 + k / 50), ("optuna-gp", k / 100)):
            cells[f"bbob/{k}/2/1/8/{strategy}"] = {
                "area": value, "best": 1.0, "evaluations": 96, "seconds": 9.6,
            }  # fmt: skip
    part = {
        "suite": "bbob", "dimensions": [2], "functions": list(range(1, 9)), "instances": [1],
        "batches": [8], "budget": {"2": 96},
    }  # fmt: skip
    header = {
        "scale": "reduced", "series": [part],
        "machine": {"date": "2026-01-01", "cpu": "some", "cores": 2, "python": "3.11"},
        "versions": {"deepwell": {"deepwell": "0", "commit": "abc"}, "peers": {"optuna": "5.0.0"}},
    }  # fmt: skip
    told = section({"header": header, "cells": cells})
    assert "A **reduced** run" in told
    assert "8 functions, 2 dimensions, 1 instance(s), batches of 8, 96 evaluations" in told
    assert "| Deepwell `bayesian` | Optuna GP | 8 | 8 | 0 | 0.012 | **better** |" in told
    assert "| Optuna GP | 8 | 0.0450 | 0.0450 | 0.1000 |" in told
