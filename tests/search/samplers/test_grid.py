"""Grid search: all combinations, in an order whose parts are even."""

import itertools
from collections.abc import Mapping

import numpy as np
import pytest

from deepwell import UsageError
from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search import SAMPLERS, Domain, integer, log, uniform, when
from deepwell.search.samplers._grid import grid, size

SQUARE = Domain({"a": uniform(0, 1), "b": uniform(0, 1)})


def search(
    domain: Domain, batches: list[int], points: int | None = None, seed: int = 0
) -> list[dict[str, Value]]:
    history: list[Observation] = []
    propose = SAMPLERS["grid"].planned(points)
    for call, n in enumerate(batches):
        taken = propose(domain, history, n, np.random.SeedSequence([seed, call]))
        assert len(taken) == n
        history += [Observation(values, 0.0) for values in taken]
    return [dict(observation.values) for observation in history]


@pytest.mark.proves("H3", "formula")
def test_a_grid_is_all_combinations() -> None:
    domain = Domain({"rate": log(1e-4, 1), "layers": integer(1, 3), "kind": ["a", "b"], "l2": 0.0})
    points = search(domain, [30])
    rates = [1e-4, 1e-3, 1e-2, 1e-1, 1.0]
    expected = set(itertools.product(rates, (1, 2, 3), ("a", "b")))
    got = {(float(f"{p['rate']:.12g}"), p["layers"], p["kind"]) for p in points}
    assert got == expected
    assert grid(domain).describe() == "rate 5 x layers 3 x kind 2 = 30 combinations"


@pytest.mark.parametrize(
    ("points", "steps"),
    [(25, (5, 5)), (16, (4, 4)), (30, (6, 5)), (31, (6, 6)), (1, (2, 2)), (100, (10, 10))],
)
def test_the_steps_are_those_that_so_many_points_ask_for(
    points: int, steps: tuple[int, int]
) -> None:
    assert grid(SQUARE, points).steps == steps


def test_long_ranges_of_whole_numbers_get_steps_until_they_are_all_tried() -> None:
    domain = Domain({"units": integer(16, 116), "kind": ["a", "b"]})
    assert grid(domain).steps == (5, 2)
    units = {p["units"] for p in search(domain, [10])}
    assert units == {16, 41, 66, 91, 116}
    assert grid(domain, 1000).steps == (101, 2)
    assert len({tuple(p.values()) for p in search(domain, [202], points=202)}) == 202


@pytest.mark.parametrize("batches", [[25], [5, 5, 5, 5, 5], [1, 23, 1]])
def test_calls_go_on_where_the_history_stops(batches: list[int]) -> None:
    assert search(SQUARE, batches, points=25) == search(SQUARE, [25], points=25)


def test_a_part_of_a_grid_is_even() -> None:
    points = search(SQUARE, [10], points=100)  # one point of each row and column, or nearly
    for name in "ab":
        assert len({p[name] for p in points}) >= 6
    quarters = {(p["a"] < 0.5, p["b"] < 0.5) for p in points[:4]}  # type: ignore[operator]
    assert len(quarters) >= 3


def test_a_used_up_grid_gets_finer_between_its_steps() -> None:
    points = search(SQUARE, [25, 20, 36])
    assert {p["a"] for p in points[:25]} == {0.0, 0.25, 0.5, 0.75, 1.0}
    assert len({tuple(p.values()) for p in points}) == 81
    assert {p["a"] for p in points} == {k / 8 for k in range(9)}


def test_a_finite_domain_is_exhausted_before_anything_comes_twice() -> None:
    domain = Domain({"k": integer(1, 6), "kind": ["a", "b", "c"]})
    points = [tuple(p.values()) for p in search(domain, [5, 1, 12, 18])]
    assert len(set(points[:18])) == 18
    assert len(set(points[18:])) == 18


def test_what_is_forbidden_is_left_out() -> None:
    class Triangle(Domain):
        def allowed(self, values: Mapping[str, Value]) -> bool:
            return values["a"] >= values["b"]  # type: ignore[operator]

    points = search(Triangle(dict(SQUARE)), [15])
    assert len({tuple(p.values()) for p in points}) == 15
    assert all(p["a"] >= p["b"] for p in points)  # type: ignore[operator]


def test_a_domain_that_allows_nothing_on_the_grid_is_refused() -> None:
    class Nothing(Domain):
        def allowed(self, values: Mapping[str, Value]) -> bool:
            return False

    with pytest.raises(UsageError, match="loosen a constraint"):
        search(Nothing({"k": integer(1, 6)}), [1])


def test_an_absurd_size_is_refused_with_a_way_out() -> None:
    space = Domain({f"x{i}": uniform(0, 1) for i in range(6)})
    with pytest.raises(UsageError, match=r"combinations are too many; .*--trials 64, or take"):
        grid(space)
    domain = Domain({f"x{i}": list(range(10)) for i in range(6)})
    with pytest.raises(UsageError, match=r"= 1,000,000 combinations are too many") as error:
        grid(domain, 64)
    assert "--trials" not in str(error.value)


def test_fixed_values_alone_are_one_combination() -> None:
    assert grid(Domain({"a": 1})).describe() == "1 combination"
    assert search(Domain({"a": 1}), [2]) == [{"a": 1}] * 2


def test_a_constraint_that_leaves_too_few_of_the_finest_grid_is_filled_up() -> None:
    domain = Domain({"x": uniform(0, 1), "y": uniform(0, 1)}, ["x + y <= 0.05"])
    points = search(domain, [90, 10])
    assert len({tuple(p.values()) for p in points}) == 100
    assert all(domain.allowed(p) for p in points)


def test_only_combinations_that_can_be_are_counted() -> None:
    beside = when([0.5, 0.9, 0.99], o="momentum")
    domain = Domain({"o": ["adam", "momentum"], "m": beside})
    assert size(domain, None) == (4, "a grid of o 2 x m 3 = 6 combinations, 4 of which can be")
    assert size(Domain({"k": integer(1, 6)}, ["k <= 2"]), None)[0] == 2
    assert size(Domain({"k": integer(1, 6)}), None) == (6, "a grid of k 6 = 6 combinations")
