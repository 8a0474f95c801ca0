"""Points that fill the cube: far apart while they are few, even and cheap when they are many."""

import numpy as np
import pytest
from scipy.stats import qmc

from deepwell.records import Observation
from deepwell.search import Domain, Search, log, uniform
from deepwell.search.samplers import _filling
from deepwell.search.samplers._cube import cube_of
from deepwell.search.samplers._filling import filling

DOMAIN = Domain({"rate": log(1e-4, 1), "dropout": uniform(0, 0.5), "kind": ["a", "b", "c"]})


def random():
    return np.random.default_rng(3)


def test_few_points_keep_apart_from_each_other_and_from_those_tried() -> None:
    plane = Domain({"x": uniform(0, 1), "y": uniform(0, 1)})
    tried = [Observation({"x": 0.5, "y": 0.5}, 0.1)]
    points = filling(cube_of(plane, tried), 15, random())
    every = np.concatenate([points, [[0.5, 0.5]]])
    off = np.abs(every[:, None] - every[None])
    apart = np.sqrt(np.sum(np.minimum(off, 1 - off) ** 2, axis=2)) + np.eye(16)
    assert apart.min() > 0.15  # a perfect grid of 16 has 0.25


@pytest.mark.parametrize("n", [256, 257, 1000, 5000])
def test_many_points_are_even_and_their_distances_are_looked_at_a_few_times(
    n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, apart = [], _filling._apart
    monkeypatch.setattr(
        _filling, "_apart", lambda cube, pool, u: looked.append(len(pool)) or apart(cube, pool, u)
    )
    points = filling(cube_of(DOMAIN, []), n, random())
    assert points.shape == (n, 3)
    assert len(np.unique(points[:, :2], axis=0)) == n
    assert len(looked) <= 256
    assert max(looked) <= 1024
    assert np.bincount((points[:, 2] * 3).astype(int)).min() >= 0.3 * n
    drawn = random().random((n, 2))
    assert qmc.discrepancy(points[:, :2]) < 0.6 * qmc.discrepancy(drawn)


@pytest.mark.parametrize("search", ["bayesian", "tpe"])
def test_a_first_call_for_many_points_looks_at_each_a_few_times(
    search: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work in proportion to the points: ten thousand took minutes."""
    looked, apart = [], _filling._apart
    monkeypatch.setattr(
        _filling, "_apart", lambda cube, pool, u: looked.append(len(pool)) or apart(cube, pool, u)
    )
    values = Search(DOMAIN, search=search).ask(3000)
    assert len({tuple(v.values()) for v in values}) == 3000
    assert sum(looked) <= 256 * 1024
