"""Minimizing functions that are not networks."""

import math
import threading
from collections.abc import Callable

import numpy as np
import pytest

import deepwell as dw

PLANE = {"x": dw.uniform(-5, 10), "y": dw.uniform(0, 15)}
BRANIN = 0.39788735772973816


def branin(v: dict) -> float:
    x, y = v["x"], v["y"]
    bowl = (y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6) ** 2
    return bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


@pytest.mark.parametrize(
    ("search", "within"),
    [("grid", 3.0), ("quasi-random", 2.0), ("halton", 2.0), ("coarse-to-fine", 0.3)],
)
def test_branin(search: str, within: float) -> None:
    found = [
        dw.minimize_blackbox(branin, PLANE, n=100, search=search, batch=4, seed=seed).score
        for seed in range(5)
    ]
    assert min(found) >= BRANIN
    assert np.median(found) < BRANIN + within


def test_a_noisy_function() -> None:
    noise = np.random.default_rng(0)
    space = {"x": dw.uniform(0, 1), "y": dw.uniform(0, 1)}

    def f(v: dict) -> float:
        return (v["x"] - 0.3) ** 2 + (v["y"] - 0.8) ** 2 + 0.02 * noise.normal()

    found = dw.minimize_blackbox(f, space, n=120, search="coarse-to-fine", batch=8)
    assert math.dist((found.values["x"], found.values["y"]), (0.3, 0.8)) < 0.25  # type: ignore[arg-type]


def test_a_mixed_function() -> None:
    space = {
        "rate": dw.log(1e-5, 1),
        "beta": dw.one_minus_log(0.9, 0.9999),
        "kind": ["a", "b", "c"],
        "k": dw.integer(1, 40),
    }

    def f(v: dict) -> float:
        from_one = math.log10(1 - v["beta"])
        far = abs(math.log10(v["rate"]) + 3) + 0.3 * abs(from_one + 2.5) + abs(v["k"] - 11) / 40
        return far + {"a": 2.0, "b": 0.0, "c": 1.0}[v["kind"]]

    found = dw.minimize_blackbox(f, space, n=120, search="coarse-to-fine", batch=8)
    assert found.values["kind"] == "b"
    assert found.score < 0.5


def test_failures_are_observations_and_the_search_goes_on() -> None:
    def f(v: dict) -> float:
        if v["x"] < 0:
            raise ValueError("below\nzero")
        return math.nan if v["x"] < 0.5 else v["x"]

    found = dw.minimize_blackbox(f, {"x": dw.uniform(-1, 1)}, n=60, search="coarse-to-fine")
    assert found.score >= 0.5
    assert not found.stopped
    failed = [o for o in found.history if math.isinf(o.score)]
    assert len(failed) == len(found.failures) >= 6
    assert {f.message for f in found.failures} == {
        "ValueError: below?zero",
        "its score was not finite",
    }
    assert all(o.values["x"] < 0.5 for o in failed)  # type: ignore[operator]


def test_an_exception_ends_it_if_that_is_wanted() -> None:
    def f(v: dict) -> float:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        dw.minimize_blackbox(f, {"x": dw.uniform(0, 1)}, n=3, raise_errors=True)


def test_nothing_finite_is_an_error_that_says_what_came() -> None:
    def f(v: dict) -> float:
        raise KeyError("speed")

    with pytest.raises(dw.StudyError, match=r"none of 3 has; the first one: KeyError: 'speed'"):
        dw.minimize_blackbox(f, {"x": dw.uniform(0, 1)}, n=3)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_function_that_returns_no_number_is_a_mistake(workers: int) -> None:
    with pytest.raises(dw.UsageError, match="a score must be one number"):
        dw.minimize_blackbox(lambda v: None, PLANE, n=9, workers=workers)  # type: ignore[arg-type,return-value]


def stopping(after: int) -> Callable[[dict], float]:
    calls = iter(range(after))

    def f(v: dict) -> float:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return branin(v)

    return f


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stop_keeps_the_best(workers: int) -> None:
    found = dw.minimize_blackbox(stopping(7), PLANE, n=50, workers=workers, batch=4)
    assert found.stopped
    assert len(found.history) <= 7
    assert found.score == min(o.score for o in found.history) == branin(dict(found.values))


def test_a_stop_before_any_score_is_passed_on() -> None:
    with pytest.raises(KeyboardInterrupt):
        dw.minimize_blackbox(stopping(0), PLANE, n=5)


@pytest.mark.parametrize("search", ["random", "coarse-to-fine"])
def test_the_number_of_workers_changes_nothing(search: str) -> None:
    one, four = (
        dw.minimize_blackbox(branin, PLANE, n=30, search=search, batch=5, workers=w) for w in (1, 4)
    )
    assert one == four


def test_workers_work_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=30)

    def f(v: dict) -> float:
        together.wait()
        return v["x"]

    found = dw.minimize_blackbox(f, {"x": dw.uniform(0, 1)}, n=6, workers=3)
    assert len(found.history) == 6
    assert not found.failures


def test_what_f_does_to_the_values_does_not_matter() -> None:
    def f(v: dict) -> float:
        return v.pop("x")

    found = dw.minimize_blackbox(f, {"x": dw.uniform(0, 1)}, n=4)
    assert all(o.values["x"] == o.score for o in found.history)


def test_a_grid_has_the_steps_that_n_asks_for() -> None:
    found = dw.minimize_blackbox(branin, PLANE, n=49, search="grid")
    assert len({o.values["x"] for o in found.history}) == 7


def test_what_is_known_counts_and_is_not_evaluated_again() -> None:
    space = {"k": dw.integer(0, 9)}
    known = [dw.Observation({"k": k}, float(k)) for k in range(8)]
    found = dw.minimize_blackbox(lambda v: float(v["k"]), space, n=2, history=known)
    assert sorted(o.values["k"] for o in found.history) == [8, 9]  # type: ignore[type-var]
    assert found.score == 0.0


@pytest.mark.parametrize("name", ["n", "batch", "workers", "seed"])
def test_wrong_numbers_are_refused(name: str) -> None:
    with pytest.raises(dw.UsageError, match=f"`{name}` must be"):
        dw.minimize_blackbox(branin, PLANE, **({"n": 5} | {name: -1}))


@pytest.mark.parametrize("workers", [1, 4])
def test_failures_come_in_the_order_of_the_points(workers: int) -> None:
    points = [v["x"] for v in dw.Search({"x": dw.uniform(0, 1)}, search="random").ask(8)]
    later = threading.Event()

    def f(v: dict) -> float:
        if workers > 1 and v["x"] == points[0]:
            later.wait(30)  # so that the first point fails last
        later.set()
        raise ValueError(str(points.index(v["x"])))

    with pytest.raises(dw.StudyError, match="the first one: ValueError: 0"):
        dw.minimize_blackbox(f, {"x": dw.uniform(0, 1)}, n=8, search="random", workers=workers)
    later.clear()
    with pytest.raises(ValueError, match=r"^0$"):
        dw.minimize_blackbox(
            f, {"x": dw.uniform(0, 1)}, n=8, search="random", workers=workers, raise_errors=True
        )


def test_a_stop_keeps_what_came_after_a_slow_point() -> None:
    points = [v["x"] for v in dw.Search({"x": dw.uniform(0, 1)}, search="random").ask(4)]
    others = threading.Barrier(3, timeout=30)

    def f(v: dict) -> float:
        if v["x"] in points[1:3]:
            others.wait()
            return v["x"]
        if v["x"] == points[0]:
            others.wait()
            threading.Event().wait(0.2)
            raise KeyboardInterrupt
        return math.inf

    found = dw.minimize_blackbox(f, {"x": dw.uniform(0, 1)}, n=4, search="random", workers=3)
    assert found.stopped
    assert found.score == min(points[1:3])
