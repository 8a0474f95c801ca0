import math

import numpy as np
import pytest

from deepwell.records import Observation
from deepwell.search import SAMPLERS, Domain, integer, log, uniform
from deepwell.search.samplers._believer import Believer
from deepwell.search.samplers._cube import Cube, cube_of
from deepwell.search.samplers._maximize import Climb, climbed, neighbors
from deepwell.search.samplers._surrogate import surrogate

MIXED = {
    "rate": log(1e-4, 1), "keep": uniform(0, 1), "units": integer(0, 20),
    "layers": integer(1, 4), "kind": ["a", "b", "c"],
}  # fmt: skip


def value(believer: Believer, cube: Cube, at: np.ndarray) -> float:
    found = believer.best_above(cube.features.of(at[None]), -math.inf)
    assert found is not None
    return found[1]


def cost(v: dict[str, object]) -> float:
    rate, keep, units, layers = (float(v[k]) for k in ("rate", "keep", "units", "layers"))  # type: ignore[arg-type]
    at = (math.log10(rate) + 2) ** 2 + (keep - 0.3) ** 2 + abs(units - 12) / 9 + abs(layers - 2)
    return at + (v["kind"] != "b")


def model(n: int = 60) -> tuple[Believer, Cube]:
    domain = Domain(MIXED)
    points = SAMPLERS["random"](domain, [], n, np.random.SeedSequence(0))
    cube = cube_of(domain, [Observation(v, cost(v)) for v in points])
    fitted = surrogate(cube)
    return Believer(fitted.process, fitted.best, 1), cube


def test_neighbors_differ_in_one_discrete_axis() -> None:
    _, cube = model()
    at = cube.snapped(np.array([[0.3, 0.7, 0.5, 0.1, 0.9]]))[0]
    near = neighbors(cube, at, np.random.default_rng(0))
    assert len(near) == 20 + 3 + 2
    changed = near != at
    assert (changed.sum(axis=1) == 1).all()
    assert changed.sum(axis=0).tolist() == [0, 0, 20, 3, 2]


def test_a_climb_ends_where_neither_a_slope_nor_a_neighbor_leads_on() -> None:
    believer, cube = model()
    rng = np.random.default_rng(1)
    for start in cube.snapped(rng.random((12, 5))):
        begin = value(believer, cube, start)
        end, height = climbed(believer, cube, (start, begin), Climb(40), rng)
        assert height >= begin
        assert height == pytest.approx(value(believer, cube, end), rel=1e-9)
        assert all(value(believer, cube, u) <= height + 1e-9 for u in neighbors(cube, end, rng))
        x = cube.features.of(end[None])[0]
        _, gradient = believer.slope(x)
        for u, g in zip(end[:2], gradient[:2], strict=True):
            assert abs(g) < 0.02 or (u == 0 and g < 0) or (u == 1 and g > 0)
