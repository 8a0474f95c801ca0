"""The replay that halving's rungs were chosen by."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import make_curves, rungs
from benchmarks.replay import Table

from deepwell.records import Rung
from deepwell.search import SCHEDULERS
from deepwell.study._proposals import propose
from deepwell.study._settings import Settings


@pytest.fixture(scope="module")
def table() -> Table:
    """A hundred networks: the higher its number the better one ends.

    Costs tell so from the first epoch on; until epoch 10 the scores of odd ones are worse.
    """
    space = make_curves.searched("digits", 30)
    specs = list(propose(Settings(space, "random", "none", 1, "error"), [], 100, 0).values())
    units = np.stack([space.encode(spec.hyperparameters) for spec in specs])
    t, end = np.arange(1, 31), np.linspace(0.4, 0.1, 100)[:, None]
    early = np.where(np.arange(100) % 2, 0.7, 0.5)[:, None]
    dev = np.where(t < 10, early, end)
    dev[0] = np.nan
    return Table(space, specs, units, dev, dev + 0.01, np.broadcast_to(end, dev.shape))


def test_rungs_are_stretched_and_networks_fall_to_a_third() -> None:
    ways = rungs.ways("10, 30;3, 10, 30")
    assert list(ways) == [
        "10, 30 by score",
        "10, 30 by both",
        "3, 10, 30 by score",
        "3, 10, 30 by both",
        "fit",
    ]
    ladder = ways["3, 10, 30 by both"].rungs(32, 60)
    assert ladder == (Rung(6, 32), Rung(20, 11), Rung(60, 4))
    assert ways["fit"] is SCHEDULERS["halving"]


def test_a_rung_after_the_curves_cross_finds_the_best_and_one_before_does_not(table: Table) -> None:
    late = rungs.search(table, rungs.ways("10, 30")["10, 30 by score"], 1e9, seed=1)
    assert late == pytest.approx((0.1, 0.11))
    early = rungs.search(table, rungs.ways("3, 30")["3, 30 by score"], 1e9, seed=1)
    assert early == pytest.approx((0.1 + 0.3 / 99, 0.11 + 0.3 / 99))
    told = rungs.search(table, rungs.ways("3, 30")["3, 30 by both"], 1e9, seed=1)
    assert told == late


def test_searches_spend_what_they_have_on_average(table: Table) -> None:
    way = rungs.ways("10, 30")["10, 30 by score"]
    cost = 32 * 10 + 11 * 20  # of a round in which nobody diverged
    rounds = []
    for seed in range(60):
        drawn = np.random.default_rng(seed).permutation(100)
        best = [0.1 + 0.3 * (99 - max(drawn[: 32 * n])) / 99 for n in (1, 2)]
        assert rungs.search(table, way, 1, seed)[0] == pytest.approx(best[0])
        assert rungs.search(table, way, 2 * cost, seed)[0] == pytest.approx(best[1])
        if best[0] != best[1]:
            found = rungs.search(table, way, 1.5 * cost, seed)[0]
            rounds.append([round(abs(found - one), 9) for one in best].index(0.0) + 1)
    assert len(rounds) > 20
    assert 1.25 < np.mean(rounds) < 1.75


def test_the_first_way_is_what_others_are_compared_with(table: Table) -> None:
    first, second, fit = rungs.compare(table, rungs.ways("10, 30"), 36, seeds=5)
    assert "10, 30 by score" in first
    assert first.count("+0.00 (0.00)") == 2
    assert "by both" in second
    assert "fit" in fit


def test_how_well_ranks_are_foretold(table: Table) -> None:
    told = rungs.foretold(table)
    assert list(told) == [3, 5, 10]
    assert told[10] == pytest.approx(1.0)
    assert told[3] == told[5] < 0.5
