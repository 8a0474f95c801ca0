import subprocess

import numpy as np
import pytest
from benchmarks.search_quality.areas import TARGETS, area, compared
from benchmarks.search_quality.plan import PLANS, key
from benchmarks.search_quality.problems import NOISY_BASES, Problem, under_noise
from benchmarks.search_quality.section import section
from benchmarks.tools import PEERS, ROOT


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


def test_noisy_functions_are_scored_on_what_is_under_their_noise() -> None:
    """The ellipsoid of f116 to f118 is no function of bbob, and f19 is ten times that of f125."""
    for parts in PLANS.values():
        noisy = {k for p in parts if p.suite == "bbob-noisy" for k in p.functions}
        assert all(under_noise(function)[0] <= 24 for function in noisy)
    assert [under_noise(k) for k in (101, 106, 109, 115, 121, 130)] == [
        (1, 1.0), (8, 1.0), (1, 1.0), (7, 1.0), (14, 1.0), (21, 1.0),
    ]  # fmt: skip
    assert {under_noise(k) for k in (125, 126, 127)} == {(19, 0.1)}
    for function in (116, 117, 118):
        with pytest.raises(ValueError, match=f"noise of f{function}"):
            under_noise(function)
    ends = np.zeros(1)
    of = Problem("bbob-noisy", 125, 1, 1, ends, ends, 0, None, lambda x: 50.0, -20.0, 0.1)
    assert of.excess(ends) == pytest.approx(7.0)


AGAINST_COCO = """
import numpy as np
from benchmarks.search_quality.problems import NOISY_BASES, _optimum, problem
for function in NOISY_BASES:  # the first of each three has Gaussian noise
    of, x = problem("bbob-noisy", function, 2, 1), np.array([2.0, -3.0])
    told = np.median([of.score(x) for _ in range(2_001)]) - of.score(_optimum(of.true))
    print(function, told / of.excess(x))
"""


@pytest.mark.skipif(not PEERS.exists(), reason="COCO is in the peers' environment alone")
def test_the_excess_is_that_of_the_noisy_function() -> None:
    """The noise is a factor on the excess, of median 1; that of so many draws is 1 +- 0.03."""
    ran = subprocess.run(
        [str(PEERS), "-c", AGAINST_COCO], cwd=ROOT, capture_output=True, text=True, check=True
    )
    ratios = {int(line.split()[0]): float(line.split()[1]) for line in ran.stdout.splitlines()}
    assert set(ratios) == set(NOISY_BASES)
    assert ratios == pytest.approx(dict.fromkeys(ratios, 1.0), abs=0.15)


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
    assert "were left out" not in told
    header["remark"] = "Two were left out."
    assert "Two were left out." in section({"header": header, "cells": cells})
    assert "8 functions, 2 dimensions, 1 instance(s), batches of 8, 96 evaluations" in told
    assert "| Deepwell `bayesian` | Optuna GP | 8 | 8 | 0 | 0.012 | **better** |" in told
    assert "| Optuna GP | 8 | 0.0450 | 0.0450 | 0.1000 |" in told
