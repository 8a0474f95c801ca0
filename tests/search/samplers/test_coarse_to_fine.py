"""Coarse to fine: the boxes and what is drawn from them."""

import itertools
import math

import numpy as np
import pytest

from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search import SAMPLERS, Domain, integer, log, uniform, when
from deepwell.search.samplers._coarse_to_fine import boxes

PLANE = Domain({"a": uniform(0, 1), "b": uniform(0, 1)})


def search(domain: Domain, f, n: int, batch: int = 8, seed: int = 0, name="coarse-to-fine"):
    history: list[Observation] = []
    call = 0
    while len(history) < n:
        key = np.random.SeedSequence([seed, call])
        points = SAMPLERS[name](domain, history, min(batch, n - len(history)), key)
        history += [Observation(values, f(values)) for values in points]
        call += 1
    return history


def best(history: list[Observation]) -> float:
    return min(o.score for o in history)


@pytest.mark.proves("H5", "formula")
def test_each_round_zooms_into_the_best_region() -> None:
    history = search(PLANE, lambda v: (v["a"] - 0.3) ** 2 + (v["b"] - 0.6) ** 2, 80)
    found = boxes(PLANE, history)
    assert found[0].after == 0
    assert found[0].sides == ((0.0, 1.0), (0.0, 1.0))
    areas = [math.prod(high - low for low, high in box.sides) for box in found]
    assert areas[-1] < 0.02 < areas[1] < areas[0]
    (low, high), (left, right) = found[-1].sides
    assert low <= 0.3 <= high
    assert left <= 0.6 <= right


def test_a_box_is_sampled_more_densely_and_the_rest_now_and_then() -> None:
    history = search(PLANE, lambda v: (v["a"] - 0.3) ** 2 + (v["b"] - 0.6) ** 2, 200)
    box = boxes(PLANE, history[:100])[-1]
    later = [PLANE.encode(o.values) for o in history[100:]]
    (low, high), (left, right) = box.sides
    inside = [low <= a <= high and left <= b <= right for a, b in later]
    assert 0.8 <= np.mean(inside) <= 0.97


def test_no_side_shrinks_by_more_than_half_in_a_round() -> None:
    history = search(PLANE, lambda v: abs(v["a"] - 0.3) + abs(v["b"] - 0.6), 120)
    found = boxes(PLANE, history)
    for last, this in itertools.pairwise(found):
        for (low, high), (new_low, new_high) in zip(last.sides, this.sides, strict=True):
            assert new_high - new_low >= 0.5 * (high - low) - 1e-12


@pytest.mark.parametrize("at", [0.0, 1.0])
def test_a_best_region_at_the_edge_is_searched_inside_of_the_domain(at: float) -> None:
    history = search(PLANE, lambda v: abs(v["a"] - at) + 0.2 * v["b"], 80)
    for box in boxes(PLANE, history):
        assert all(0.0 <= low < high <= 1.0 for low, high in box.sides)
    low, high = boxes(PLANE, history)[-1].sides[0]
    assert high - low < 0.3
    assert low <= at <= high


def test_what_does_not_matter_stays_wide() -> None:
    history = search(PLANE, lambda v: (v["a"] - 0.3) ** 2, 60)
    (low, high), (left, right) = boxes(PLANE, history)[-1].sides
    assert right - left > 3 * (high - low)


def test_two_good_regions_stay_in_the_box_until_one_is_better() -> None:
    domain = Domain({"a": uniform(0, 1)})
    tied = [Observation({"a": a}, min(abs(a - 0.1), abs(a - 0.9))) for a in np.linspace(0, 1, 41)]
    low, high = boxes(domain, tied)[-1].sides[0]
    assert low <= 0.1
    assert high >= 0.9


def test_a_better_region_outside_of_the_box_is_found_again() -> None:
    def trap(v: dict[str, Value]) -> float:
        a, b = v["a"], v["b"]
        wide = (a - 0.2) ** 2 + (b - 0.2) ** 2  # type: ignore[operator]
        narrow = (a - 0.85) ** 2 + (b - 0.85) ** 2  # type: ignore[operator]
        return float(min(wide, 6 * narrow - 0.3))

    found = [best(search(PLANE, trap, 200, seed=seed)) for seed in range(5)]
    assert sum(score < -0.2 for score in found) >= 4  # where the others ended is the wide one


def test_names_are_kept_that_the_best_points_have_and_whole_numbers_in_whole_shares() -> None:
    domain = Domain({"kind": ["a", "b", "c", "d"], "k": integer(1, 20), "r": log(1e-4, 1)})

    def f(v: dict[str, Value]) -> float:
        assert isinstance(v["k"], int)
        return {"a": 0.0, "b": 9.0, "c": 9.5, "d": 9.9}[str(v["kind"])] + abs(v["k"] - 7)

    box = boxes(domain, search(domain, f, 150))[-1]
    assert box.sides[0] == (0.0,)
    low, high = box.sides[1]
    assert low <= 6.5 / 20 <= high
    assert low * 20 == pytest.approx(round(low * 20))
    assert high * 20 == pytest.approx(round(high * 20))


def test_it_beats_random_at_equal_trials_on_noisy_functions() -> None:
    domain = Domain({name: uniform(0, 1) for name in "abcde"})
    noise = np.random.default_rng(0)

    def true(v: dict[str, Value]) -> float:
        return (v["a"] - 0.2) ** 2 + 0.3 * (v["b"] - 0.8) ** 2 + 0.05 * abs(v["c"] - 0.5)  # type: ignore[operator]

    def chosen(name: str, seed: int) -> float:
        history = search(domain, lambda v: true(v) + 0.01 * noise.normal(), 96, 16, seed, name)
        return true(min(history, key=lambda o: o.score).values)  # type: ignore[arg-type]

    wins = sum(chosen("coarse-to-fine", s) < chosen("random", s) for s in range(10))
    assert wins >= 8  # by chance with a probability of 0.055 if it were no better


def test_failures_pending_points_and_points_from_outside_leave_no_mark() -> None:
    history = search(PLANE, lambda v: (v["a"] - 0.3) ** 2 + (v["b"] - 0.6) ** 2, 12, batch=12)
    besides = [
        Observation({"a": 0.5, "b": 0.5}),
        Observation({"a": 2.0, "b": 0.5}, -9.0),
        Observation({"a": 0.5}, -9.0),
    ]
    assert boxes(PLANE, [*besides, *history]) == boxes(PLANE, history)
    failed = [Observation(o.values, math.inf) for o in history]
    assert [box.after for box in boxes(PLANE, failed)] == [0]
    assert len(SAMPLERS["coarse-to-fine"](PLANE, failed, 3, np.random.SeedSequence(0))) == 3


def test_a_finite_domain_is_exhausted_before_anything_comes_twice() -> None:
    domain = Domain({"k": integer(1, 6), "kind": ["a", "b", "c"]})
    history = search(domain, lambda v: v["k"], 36, batch=5)
    points = [tuple(o.values.values()) for o in history]
    assert len(set(points[:18])) == 18
    assert len(set(points[18:])) == 18


def test_what_does_not_exist_beside_the_best_points_is_not_narrowed() -> None:
    domain = Domain({"kind": ["a", "b"], "m": when(uniform(0, 1), kind="b"), "r": uniform(0, 1)})
    history = search(domain, lambda v: abs(v["r"] - 0.3) + 9 * (v["kind"] == "b"), 60)
    box = boxes(domain, history)[-1]
    assert box.sides[0] == (0.0,)
    assert box.sides[1] == (0.0, 1.0)
    assert box.sides[2][1] - box.sides[2][0] < 0.2
