"""Quasi-random search: Sobol's and Halton's sequences."""

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.stats import qmc

from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search import SAMPLERS, Domain, integer, log, uniform

ENGINES = {"quasi-random": qmc.Sobol, "halton": qmc.Halton}
SQUARE = Domain({"a": uniform(0, 1), "b": uniform(0, 1)})
pytestmark = pytest.mark.parametrize("name", ENGINES)


def key(seed: int, call: int = 0) -> np.random.SeedSequence:
    return np.random.SeedSequence([seed, call])


def search(name: str, domain: Domain, batches: list[int], seed: int = 0) -> list[dict[str, Value]]:
    history: list[Observation] = []
    for call, n in enumerate(batches):
        points = SAMPLERS[name](domain, history, n, key(seed, call))
        assert len(points) == n
        history += [Observation(values, float(call)) for values in points]
    return [dict(observation.values) for observation in history]


def unit(points: list[dict[str, Value]]) -> np.ndarray:
    return np.array([list(values.values()) for values in points], float)


def test_points_are_those_of_scipy(name: str) -> None:
    generator = np.random.default_rng(np.random.SeedSequence(7))
    expected = ENGINES[name](2, scramble=True, seed=generator).random(16)
    np.testing.assert_array_equal(unit(search(name, SQUARE, [16], seed=7)), expected)


def test_calls_of_any_size_go_through_one_sequence(name: str) -> None:
    whole = search(name, SQUARE, [40])
    assert search(name, SQUARE, [1, 1, 6, 32]) == whole
    assert search(name, SQUARE, [40], seed=1) != whole


def test_they_are_more_even_than_random_points(name: str) -> None:
    even = qmc.discrepancy(unit(search(name, SQUARE, [128])))
    random = [qmc.discrepancy(unit(search("random", SQUARE, [128], s))) for s in range(5)]
    assert even < min(random) / 3


def test_whole_numbers_and_names_come_equally_often(name: str) -> None:
    domain = Domain({"k": integer(1, 4), "kind": ["a", "b"], "rate": log(1e-4, 1)})
    points = search(name, domain, [5, 59])
    for values, share in (((1, 2, 3, 4), 16), (("a", "b"), 32)):
        column = "k" if share == 16 else "kind"
        counts = [sum(p[column] == value for p in points) for value in values]
        assert all(abs(count - share) <= 2 for count in counts)


def test_a_finite_domain_is_exhausted_before_anything_comes_twice(name: str) -> None:
    domain = Domain({"k": integer(1, 6), "kind": ["a", "b", "c"]})
    points = [tuple(p.values()) for p in search(name, domain, [5, 1, 12, 9])]
    assert len(set(points[:18])) == 18
    assert len(set(points[18:])) == 9


def test_nothing_repeats_where_most_points_are_forbidden(name: str) -> None:
    class Corner(Domain):
        def allowed(self, values: Mapping[str, Value]) -> bool:
            return values["a"] + values["b"] < 0.3  # type: ignore[operator]

    corner = Corner(dict(SQUARE))
    points = search(name, corner, [30, 1, 29])
    assert all(corner.allowed(p) for p in points)
    assert len({tuple(p.values()) for p in points}) == 60


def test_fixed_values_alone_are_proposed_again_and_again(name: str) -> None:
    assert search(name, Domain({"a": 1}), [3]) == [{"a": 1}] * 3
