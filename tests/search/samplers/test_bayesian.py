import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search import SAMPLERS, Domain, choice, integer, log, uniform, when
from deepwell.search.samplers._believer import Believer
from deepwell.search.samplers._coarse_to_fine import boxes
from deepwell.search.samplers._cube import cube_of
from deepwell.search.samplers._gaussian_process import Process, conditioned

LEARNING = ("bayesian", "tpe")
MIXED = {
    "rate": log(1e-4, 1),
    "units": integer(8, 128),
    "layers": integer(1, 4),
    "kind": ["relu", "tanh", "elu"],
    "batch_size": 64,
}


def key(seed: int = 0) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed)


def number(values: dict[str, Value], name: str) -> float:
    value = values[name]
    assert isinstance(value, int | float)
    return float(value)


def cost(values: dict[str, Value]) -> float:
    kind = {"relu": 0.0, "tanh": 0.4, "elu": 0.2}[str(values["kind"])]
    rate = (math.log10(number(values, "rate")) + 2) ** 2
    return rate + kind + (number(values, "units") / 100 - 0.6) ** 2 + number(values, "layers") / 9


def run(
    sampler: str, domain: Domain, f: Callable[[dict[str, Value]], float], trials: int, batch: int
) -> list[Observation]:
    history: list[Observation] = []
    while len(history) < trials:
        proposed = SAMPLERS[sampler](domain, history, batch, key(len(history)))
        history += [Observation(values, f(values), finished=True) for values in proposed]
    return history


def randomly(domain: Domain, f: Callable[[dict[str, Value]], float], n: int) -> list[Observation]:
    return [Observation(v, f(v), finished=True) for v in SAMPLERS["random"](domain, [], n, key(9))]


def best(history: list[Observation]) -> float:
    return min(tried.score for tried in history)


@pytest.mark.parametrize("sampler", LEARNING)
def test_the_same_arguments_give_the_same_proposals(sampler: str) -> None:
    history = randomly(Domain(MIXED), cost, 30)
    source = key(3)
    one = SAMPLERS[sampler](Domain(MIXED), history, 5, source)
    assert source.n_children_spawned == 0
    assert SAMPLERS[sampler](Domain(MIXED), list(history), 5, key(3)) == one
    assert SAMPLERS[sampler](Domain(MIXED), history, 5, key(4)) != one


@pytest.mark.parametrize("sampler", LEARNING)
@pytest.mark.parametrize(("known", "n"), [(0, 256), (3, 20), (40, 1), (40, 33)])
def test_batches_are_of_the_domain_and_without_repetition(sampler: str, known: int, n: int) -> None:
    domain = Domain(MIXED)
    history = randomly(domain, cost, known)
    batch = SAMPLERS[sampler](domain, history, n, key())
    assert len(batch) == n
    assert len({domain.identity(v) for v in [*batch, *(h.values for h in history)]}) == n + known
    for values in batch:
        assert set(values) == set(domain)
        assert values["batch_size"] == 64
        assert domain.encode(values) is not None


@pytest.mark.parametrize("sampler", LEARNING)
def test_a_finite_domain_is_used_up_before_anything_comes_twice(sampler: str) -> None:
    domain = Domain({"units": integer(1, 5), "kind": ["a", "b"], "rate": choice(0.1, 0.2)})
    history: list[Observation] = []
    for seed in range(4):
        proposed = SAMPLERS[sampler](domain, history, 5, key(seed))
        history += [Observation(values, number(values, "units")) for values in proposed]
    assert len({domain.identity(h.values) for h in history}) == 20
    assert len(SAMPLERS[sampler](domain, history, 3, key())) == 3


def test_the_last_free_point_of_a_mixed_neighborhood_is_taken_by_value() -> None:
    domain = Domain({"units": integer(1, 60), "kind": ["a", "b"]})
    history = [
        Observation({"units": k, "kind": kind}, abs(k - 30.0) + (kind == "b"))
        for k in range(1, 61, 3)
        for kind in ("a", "b")
    ]
    (values,) = SAMPLERS["bayesian"](domain, history, 1, key())
    assert values == {"units": 30, "kind": "a"}


@pytest.mark.parametrize("sampler", LEARNING)
def test_it_finds_more_than_random_draws_do(sampler: str) -> None:
    domain = Domain(MIXED)
    found = best(run(sampler, domain, cost, 48, 8))
    assert found < best(randomly(domain, cost, 200))


@pytest.mark.parametrize("sampler", LEARNING)
def test_points_whose_scores_are_out_are_not_proposed_again(sampler: str) -> None:
    domain = Domain({"x": uniform(0, 1)})
    history = [Observation({"x": u}, (u - 0.42) ** 2) for u in np.linspace(0, 1, 12)]
    first = SAMPLERS[sampler](domain, history, 4, key())
    waiting = [Observation(values) for values in first]
    second = SAMPLERS[sampler](domain, [*history, *waiting], 4, key(1))
    at = [number(v, "x") for v in first + second]
    assert len(set(at)) == 8
    if sampler == "bayesian":
        apart = np.diff(np.sort(at))
        assert apart.min() > 1e-7


@pytest.mark.parametrize("sampler", LEARNING)
@pytest.mark.parametrize(
    "scores",
    [
        [math.inf] * 20,
        [1.0] * 20,
        [5.0],
        [math.nan] * 5,
        [math.inf] * 19 + [2.0],
        [1e300, -1e300] * 9,
    ],
    ids=["infinite", "constant", "one", "out", "one finite", "huge"],
)
def test_hard_scores(sampler: str, scores: list[float]) -> None:
    domain = Domain(MIXED)
    points = SAMPLERS["random"](domain, [], len(scores), key(2))
    history = [Observation(v, s) for v, s in zip(points, scores, strict=True)]
    batch = SAMPLERS[sampler](domain, history, 12, key())
    assert len({domain.identity(v) for v in batch}) == 12


@pytest.mark.parametrize("sampler", LEARNING)
@pytest.mark.parametrize("d", [1, 20])
def test_one_axis_and_twenty(sampler: str, d: int) -> None:
    domain = Domain({f"x{j}": uniform(-5, 5) for j in range(d)})
    history = randomly(domain, lambda v: sum(number(v, n) ** 2 for n in v), 40)
    batch = SAMPLERS[sampler](domain, history, 3, key())
    assert len({tuple(v.values()) for v in batch}) == 3


@pytest.mark.parametrize("sampler", LEARNING)
@pytest.mark.parametrize("n", [0, 1, 5])
def test_fixed_values_alone_are_proposed_again_and_again(sampler: str, n: int) -> None:
    domain = Domain({"units": 8, "kind": "relu"})
    history = [Observation({"units": 8, "kind": "relu"}, 1.0)] * 3
    assert SAMPLERS[sampler](domain, history, n, key()) == [{"units": 8, "kind": "relu"}] * n


@pytest.mark.parametrize("sampler", LEARNING)
def test_points_from_before_the_domain_was_narrowed_are_passed_over(sampler: str) -> None:
    wide = Domain({"x": uniform(0, 10), "kind": ["a", "b"]})
    history = randomly(wide, lambda v: number(v, "x"), 40)
    narrow = Domain({"x": uniform(6, 7), "kind": ["b"]})
    for values in SAMPLERS[sampler](narrow, history, 5, key()):
        assert 6 <= number(values, "x") <= 7
        assert values["kind"] == "b"


class Halved(Domain):
    """A domain of which half is forbidden."""

    def allowed(self, values: object) -> bool:
        assert isinstance(values, dict)
        return values["x"] + values["y"] > 1


@pytest.mark.parametrize("sampler", LEARNING)
def test_what_is_forbidden_is_not_proposed(sampler: str) -> None:
    domain = Halved({"x": uniform(0, 1), "y": uniform(0, 1)})
    history = run(sampler, domain, lambda v: number(v, "x") + number(v, "y"), 24, 6)
    assert all(number(dict(h.values), "x") + number(dict(h.values), "y") > 1 for h in history)
    if sampler == "bayesian":
        assert best(history) < 1.03


@pytest.mark.parametrize("sampler", LEARNING)
def test_points_from_before_a_constraint_draw_no_proposals(sampler: str) -> None:
    """The best of them all lie where nothing may be tried any more."""
    square = {"x": uniform(0, 1), "y": uniform(0, 1)}

    def f(v: dict[str, Value]) -> float:
        return (number(v, "x") - 0.1) ** 2 + (number(v, "y") - 0.1) ** 2

    before = randomly(Domain(square), f, 80)
    domain = Domain(square, ["x >= 0.6"])
    allowed = [one for one in before if number(dict(one.values), "x") >= 0.6]
    with_all = SAMPLERS[sampler](domain, before, 8, key())
    assert with_all == SAMPLERS[sampler](domain, allowed, 8, key())
    assert all(number(values, "x") >= 0.6 for values in with_all)
    assert boxes(domain, before) == boxes(domain, allowed)


def test_networks_that_diverge_do_not_hide_where_the_best_ones_are() -> None:
    domain = Domain({"x": uniform(0, 1), "y": uniform(0, 1)})

    def f(v: dict[str, Value]) -> float:
        x, y = number(v, "x"), number(v, "y")
        return math.inf if x > 0.75 else 1e6 if x > 0.7 else (x - 0.55) ** 2 + (y - 0.3) ** 2

    history = run("bayesian", domain, f, 40, 4)
    assert best(history) < 1e-4


def test_scores_after_few_epochs_say_where_to_look_and_not_how_good_it_is() -> None:
    domain = Domain({"x": uniform(0, 1)})

    def f(x: float, epochs: int) -> float:
        return (x - 0.3) ** 2 + 2.0 / epochs

    few = [Observation({"x": x}, f(x, 3), epochs=3) for x in np.linspace(0, 1, 15)]
    many = [Observation({"x": x}, f(x, 27), epochs=27, finished=True) for x in (0.05, 0.5, 0.9)]
    proposals = SAMPLERS["bayesian"](domain, few + many, 1, key())
    assert abs(number(proposals[0], "x") - 0.3) < 0.1


CONDITIONAL = {
    "kind": ["a", "b"],
    "x": uniform(0, 1),
    "m": when(uniform(0, 1), kind="a"),
    "n": when(integer(1, 9), kind="b"),
}


def conditional_cost(values: dict[str, Value]) -> float:
    x = (number(values, "x") - 0.3) ** 2
    if values["kind"] == "a":
        return x + (number(values, "m") - 0.7) ** 2
    return x + 0.05 + abs(number(values, "n") - 4) / 9


@pytest.mark.parametrize("sampler", LEARNING)
def test_names_exist_only_beside_others_and_are_learned_there(sampler: str) -> None:
    domain = Domain(CONDITIONAL)
    history = run(sampler, domain, conditional_cost, 40, 4)
    for tried in history:
        assert set(tried.values) == {"kind", "x", "m" if tried.values["kind"] == "a" else "n"}
    assert len({domain.identity(tried.values) for tried in history}) == 40
    assert best(history) < {"bayesian": 1e-4, "tpe": 0.03}[sampler]


def test_what_does_not_matter_adds_nothing_to_a_distance() -> None:
    cube = cube_of(Domain(CONDITIONAL), [])
    at = cube.snapped(np.array([[0.1, 0.4, 0.6, 0.05], [0.1, 0.4, 0.6, 0.95]]))  # kind a: no n
    np.testing.assert_array_equal(*cube.features.of(at))
    names = Domain({"kind": ["a", "b", "c"], "x": uniform(0, 1)})
    features = cube_of(names, []).features
    every = features.of(features.snapped(np.array([[0.1, 0.5], [0.5, 0.5], [0.9, 0.5]])))
    apart = ((every[:, None] - every[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(apart, 1 - np.eye(3))


@pytest.mark.slow
@pytest.mark.parametrize("sampler", LEARNING)
def test_2000_observations_are_no_trouble(sampler: str) -> None:
    domain = Domain({f"x{j}": uniform(0, 1) for j in range(10)})
    history = randomly(domain, lambda v: sum((number(v, n) - 0.3) ** 2 for n in v), 2000)
    batch = SAMPLERS[sampler](domain, history, 64, key())
    assert len({tuple(v.values()) for v in batch}) == 64
    cost = [sum((number(v, n) - 0.3) ** 2 for n in v) for v in batch]
    assert np.median(cost) < np.quantile([h.score for h in history], 0.1)


@pytest.mark.parametrize("constraints", [[], ["x + y <= 0.05"]])
def test_the_corner_of_a_continuum_is_proposed_once(constraints: list[str]) -> None:
    domain = Domain({"x": uniform(0, 1), "y": uniform(0, 1)}, constraints)
    points = SAMPLERS["random"](domain, [], 20, key(1))
    history = [Observation(v, number(v, "x")) for v in points]
    batch = SAMPLERS["bayesian"](domain, history, 20, key(3))
    assert len({tuple(v.values()) for v in batch}) == 20
    assert min(number(v, "x") for v in batch) == 0.0


class Counted(np.ndarray):
    """A matrix that counts what it is multiplied with."""

    multiplications = 0.0

    def __array_ufunc__(  # type: ignore[override]
        self, ufunc: np.ufunc, method: str, *inputs: np.ndarray, **kwargs: object
    ) -> np.ndarray:
        plain = [np.asarray(value) for value in inputs]
        if ufunc is np.matmul:
            Counted.multiplications += plain[0].size * plain[1].size / plain[0].shape[-1]
        return getattr(ufunc, method)(*plain, **kwargs)


def test_the_work_of_a_batch_is_bounded_with_choices_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin = Believer.__init__

    def counted(self: Believer, process: Process, best: float, room: int) -> None:
        begin(self, process, best, room)
        self._inverse = self._inverse.view(Counted)

    monkeypatch.setattr(Believer, "__init__", counted)
    reals = {f"x{j}": uniform(0, 1) for j in range(4)}
    choices = {"m": integer(0, 120), "n": integer(1, 4), "p": ["a", "b", "c"], "q": [*"abcd"]}
    n, batch = 1000, 64
    work: list[float] = []
    for entries in (reals, reals | choices):
        domain = Domain(entries)
        history = randomly(domain, lambda v: sum(number(v, x) for x in reals), n)
        Counted.multiplications = 0.0
        SAMPLERS["bayesian"](domain, history, batch, key())
        work.append(Counted.multiplications / (batch * n**2))
    assert 10 < work[0] < 35
    assert work[0] < work[1] < 90


def test_the_work_does_not_grow_beyond_2048_observations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many observations the posterior is that of the best, and of some of all others."""
    held: list[int] = []

    def counted(x: np.ndarray, y: np.ndarray, *rest: Any) -> Process:
        held.append(len(x))
        assert y.min() in y[:1]  # the best one is among them, and first
        return conditioned(x, y, *rest)

    monkeypatch.setattr("deepwell.search.samplers._surrogate.conditioned", counted)
    domain = Domain({"x": uniform(0, 1), "y": uniform(0, 1)})

    def f(v: dict[str, Value]) -> float:
        return (number(v, "x") - 0.4) ** 2 + (number(v, "y") - 0.7) ** 2

    history = randomly(domain, f, 5000)
    found = SAMPLERS["bayesian"](domain, history, 2, key())
    assert held[0] <= 2048
    assert min(f(values) for values in found) < best(history)
