"""The best trials at an end of a range: caught where the optimum lies beyond, silent elsewhere."""

import numpy as np
import pytest
from tests.search.importance.known_shares import cube, history

from deepwell.search import Domain, choice, integer, log, uniform, when
from deepwell.search._edge_of_range import edges_of_range
from deepwell.search._next_ranges import next_ranges
from deepwell.search._ranges import Limits
from deepwell.search.importance._compared import compared
from deepwell.search.importance._measure import importance_of
from deepwell.search.importance._surface import fit_surface


def looked_at(domain, units, scores, limits=None):
    tried = compared(domain, history(domain, units, scores))
    surface = fit_surface(domain.axes, tried)
    importance = importance_of(surface, domain, tried, 0)
    return tried, surface, edges_of_range(domain, tried, surface, importance, limits or {})


def piled(domain, units, scores, limits=None):
    return [(e.name, e.upward) for e in looked_at(domain, units, scores, limits)[2] if e.holds]


@pytest.mark.parametrize(("optimum", "end"), [(1.3, True), (-0.2, False)])
def test_an_optimum_beyond_an_end_is_caught(optimum, end):
    generator = np.random.default_rng(0)
    units = generator.random((128, 3))
    scores = (units[:, 1] - optimum) ** 2 + 0.3 * (units[:, 0] - 0.5) ** 2
    scores = scores + 0.1 * scores.std() * generator.standard_normal(128)
    assert piled(cube(3), units, scores) == [("x1", end)]


def test_the_new_range_goes_on_beyond_the_end():
    domain = Domain({"rate": log(1e-4, 1e-2), "idle": uniform(0, 1)})
    units = np.random.default_rng(1).random((96, 2))
    tried, surface, edges = looked_at(domain, units, -units[:, 0])
    assert (edges[0].name, edges[0].end, edges[0].wider) == ("rate", "0.01", "log(0.0001, 0.1)")
    assert edges[0].holds
    importance = importance_of(surface, domain, tried, 0)
    rate, idle = next_ranges(domain, tried, importance, edges, {})
    assert (rate.name, rate.fixed) == ("rate", False)
    assert rate.entry.endswith(", 0.1)")  # narrowed from below, wider above
    assert float(rate.entry.removeprefix("log(").split(",")[0]) > 1e-3
    assert (idle.name, idle.fixed) == ("idle", True)
    assert 0 <= float(idle.entry) <= 1


def test_what_matters_is_narrowed_to_where_the_best_lie():
    domain = Domain({"rate": log(1e-4, 1.0), "layers": integer(1, 4), "kind": choice("a", "b")})
    units = np.random.default_rng(2).random((120, 3))
    tried, surface, edges = looked_at(domain, units, (units[:, 0] - 0.5) ** 2)
    assert not any(edge.holds for edge in edges)
    found = next_ranges(domain, tried, importance_of(surface, domain, tried, 0), edges, {})
    by_name = {one.name: one for one in found}
    low, high = map(float, by_name["rate"].entry[4:-1].split(","))
    assert 1e-4 < low < 1e-2 < high < 1.0
    assert by_name["layers"].fixed
    assert by_name["kind"].entry in ("a", "b")


def test_an_end_that_may_not_be_passed_is_not_looked_at():
    units = np.random.default_rng(3).random((96, 2))
    limits = {"x0": Limits(0, 1)}
    edges = looked_at(cube(2), units, units[:, 0], limits)[2]
    assert {edge.name for edge in edges} == {"x1"}


def test_unevenly_tried_ranges_raise_no_alarm():
    """A sampler that tried mostly an end has its best trials there, whatever the score."""
    alarms = 0
    for seed in range(10):
        generator = np.random.default_rng(seed)
        units = generator.random((96, 3))
        units[:, 0] = 1 - 0.2 * units[:, 0] ** 2
        scores = (units[:, 1] - 0.5) ** 2 + 0.05 * generator.standard_normal(96)
        alarms += bool(piled(cube(3), units, scores))
    assert alarms <= 1


def test_optima_well_inside_raise_no_alarm():
    alarms = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        optimum, units = generator.uniform(0.25, 0.75, 3), generator.random((64, 3))
        scores = ((units - optimum) ** 2).sum(axis=1)
        scores = scores + 0.3 * scores.std() * generator.standard_normal(64)
        alarms += bool(piled(cube(3), units, scores))
    assert alarms <= 1  # at most 1 % of studies: two of 20 come once in 60 times


def test_what_exists_only_beside_others_is_judged_where_it_exists():
    rate = when(uniform(0, 1), kind="a")
    domain = Domain({"kind": choice("a", "b"), "rate": rate, "idle": uniform(0, 1)})
    units = np.random.default_rng(4).random((160, 3))
    there = units[:, 0] < 0.5
    units[~there, 1] = 0.5  # as where an axis does not matter
    scores = np.where(there, 2 * np.abs(units[:, 1] - 0.9), 0.1)
    tried, surface, edges = looked_at(domain, units, scores)
    importance = importance_of(surface, domain, tried, 0)
    found = {one.name: one for one in next_ranges(domain, tried, importance, edges, {})}
    assert not found["rate"].fixed
    assert found["rate"].entry.startswith("when(uniform(0.")
    assert found["rate"].entry.endswith(", kind=a)")
    low = float(found["rate"].entry.removeprefix("when(uniform(").split(",")[0])
    assert low > 0.55


@pytest.mark.parametrize(("share", "told"), [(0.5, True), (0.06, False)])
def test_what_hardly_any_trial_has_is_not_advised_on(share, told):
    domain = Domain({
        "kind": [*"abcdefghijklmnopqrst"] if share < 0.1 else choice("a", "b"),
        "idle": when(uniform(0, 1), kind="a"),
        "x": uniform(0, 1),
    })  # fmt: skip
    units = np.random.default_rng(5).random((160, 3))
    units[units[:, 0] >= 1 / domain["kind"].count(), 1] = 0.5
    tried, surface, edges = looked_at(domain, units, (units[:, 2] - 0.5) ** 2)
    importance = importance_of(surface, domain, tried, 0)
    found = {one.name: one for one in next_ranges(domain, tried, importance, edges, {})}
    assert ("idle" in found) == told
    if told:
        best = tried.active[:, 1].nonzero()[0]
        value = units[best[tried.scores[best].argmin()], 1]
        assert found["idle"].fixed
        assert float(found["idle"].entry[5:].split(",")[0]) == pytest.approx(value)
        assert found["idle"].entry.endswith(", kind=a)")
