"""What every sampler rejects: forbidden points and known ones."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from deepwell import UsageError
from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search import Domain, integer, uniform
from deepwell.search.samplers._fresh import fresh, tried


class Below(Domain):
    """A domain in which `a + b` must stay below a limit."""

    limit = 5

    def allowed(self, values: Mapping[str, Value]) -> bool:
        return values["a"] + values["b"] < self.limit  # type: ignore[operator]


def uniform_draws(axes: int, seed: int = 0) -> Callable[[int], np.ndarray]:
    generator = np.random.default_rng(seed)
    return lambda count: generator.random((count, axes))


def test_nothing_forbidden_comes_and_all_that_is_allowed_does() -> None:
    domain = Below({"a": integer(1, 30), "b": integer(1, 30)})
    points = fresh(domain, [], 6, uniform_draws(2))
    assert {(v["a"], v["b"]) for v in points} == {(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 1)}


def test_after_all_have_come_each_comes_as_often() -> None:
    domain = Below({"a": integer(1, 4), "b": integer(1, 4)})
    points = [(v["a"], v["b"]) for v in fresh(domain, [], 15, uniform_draws(2))]
    assert sorted(points.count(point) for point in set(points)) == [2, 2, 2, 3, 3, 3]


def test_a_draw_that_is_taken_gives_its_nearest_free_neighbor() -> None:
    domain = Domain({"a": integer(0, 9), "b": ["x", "y", "z"]})
    history = [Observation({"a": 4, "b": "y"})]
    (values,) = fresh(domain, history, 1, lambda count: np.full((count, 2), (0.46, 0.5)))
    assert values == {"a": 5, "b": "y"}  # 0.55 is nearer to 0.46 than 0.35, and y to y


def test_of_names_none_is_nearer_than_another() -> None:
    domain = Domain({"a": integer(0, 1), "b": ["v", "w", "x", "y", "z"]})
    history = [Observation({"a": 0, "b": b}) for b in "wxyz"]
    (values,) = fresh(domain, history, 1, lambda count: np.full((count, 2), (0.2, 0.9)))
    assert values == {"a": 1, "b": "z"}  # one step of `a` (0.55) is nearer than another name (1)


def test_a_continuum_is_drawn_within_its_constraint() -> None:
    domain = Below({"a": uniform(0, 10), "b": uniform(0, 10)})
    points = fresh(domain, [], 50, uniform_draws(2))
    assert all(domain.allowed(v) for v in points)
    assert len({v["a"] for v in points}) == 50


def test_a_sampler_that_says_the_same_for_ever_in_a_continuum_is_taken_at_its_word() -> None:
    domain = Domain({"a": uniform(0, 1)})
    points = fresh(domain, [], 2, lambda count: np.full((count, 1), 0.25))
    assert [v["a"] for v in points] == [0.25, 0.25]


@pytest.mark.parametrize("entry", [integer(5, 9), uniform(5, 9)])
def test_a_domain_that_allows_nothing_is_refused(entry: object) -> None:
    domain = Below({"a": entry, "b": entry})
    with pytest.raises(UsageError, match="loosen a constraint"):
        fresh(domain, [], 1, uniform_draws(2))


def test_what_was_tried_before_the_domain_got_a_name_is_no_point_of_it() -> None:
    domain = Domain({"a": integer(1, 2), "b": integer(1, 2)})
    history = [Observation({"a": 1}), Observation({"a": 2, "b": 1})]
    assert tried(domain, history) == {(2, 1)}
    assert len(fresh(domain, history, 3, uniform_draws(2))) == 3


def test_a_constraint_that_leaves_a_small_part_of_a_large_domain_lets_nothing_come_twice() -> None:
    domain = Domain({"a": integer(1, 10_001)}, ["a <= 60"])
    points = fresh(domain, [], 60, lambda count: np.full((count, 1), 0.001))
    assert {v["a"] for v in points} == set(range(1, 61))
