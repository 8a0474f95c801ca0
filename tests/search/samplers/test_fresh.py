"""What every sampler rejects: forbidden points and known ones."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from deepwell import UsageError
from deepwell._base._hyperparameters import Value
from deepwell.records import Observation, TrialSpec
from deepwell.search import SAMPLERS, Domain, Space, integer, log, uniform, when
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


def by_its_words(
    domain: Domain, history: list[Observation], n: int, seed: int
) -> list[dict[str, Value]]:
    """Return what random search proposes: draws, but for what is forbidden or known."""
    rng, known = np.random.default_rng(np.random.SeedSequence(seed)), tried(domain, history)
    taken: list[dict[str, Value]] = []
    while len(taken) < n:
        for unit in rng.random((n - len(taken), len(domain.searched))):
            values = domain.decode(unit)
            if domain.allowed(values) and domain.identity(values) not in known:
                known.add(domain.identity(values))
                taken.append(values)
    return taken


NETWORKS = Space(
    {"learning_rate": log(1e-4, 1), "hidden_layers": integer(0, 2), "dropout": uniform(0, 0.5)}
)
CONTINUA = {
    "a continuum beside whole numbers": Domain({"k": integer(1, 3), "x": uniform(0, 1)}),
    "a constraint": Domain({"x": uniform(0, 1), "y": uniform(0, 1)}, ["x + y <= 0.5"]),
    "a condition": Domain({"k": [1, 2], "x": when(uniform(0, 1), k=2)}),
    "networks": NETWORKS,
}


@pytest.mark.parametrize("domain", CONTINUA.values(), ids=CONTINUA)
@pytest.mark.parametrize("complete", [False, True])
def test_points_are_those_that_they_were_however_the_history_is_known(
    domain: Domain, complete: bool
) -> None:
    random = SAMPLERS["random"]
    history = [Observation({})] if complete else []
    for seed in (1, 2, 1, 2, 1):  # the same seed draws the same points once more
        expected = by_its_words(domain, history, 9, seed)
        points = random(domain, history, 9, np.random.SeedSequence(seed))
        assert points == expected
        for values in points:
            whole = complete and isinstance(domain, Space)
            known = TrialSpec(values, seed=0).hyperparameters if whole else values
            history.append(Observation(known))
    seen = {domain.identity(o.values) for o in history if o.values}
    assert len(seen) == 45 or domain.continuum is None


def test_a_continuum_asks_for_no_point_of_a_history_that_it_does_not_meet() -> None:
    class Counting(Domain):
        asked = 0

        def identity(self, values: Mapping[str, Value]):
            self.asked += 1
            return super().identity(values)

    domain = Counting({"k": integer(1, 3), "x": uniform(0, 1)})
    history = [Observation(v) for v in fresh(domain, [], 40, uniform_draws(2))]
    domain.asked = 0
    fresh(domain, history, 5, uniform_draws(2, seed=1))
    assert domain.asked == 5
    again = fresh(domain, history, 5, uniform_draws(2))
    assert domain.asked > 45
    assert not tried(domain, history) & {domain.identity(values) for values in again}


def test_of_conditions_and_lists_none_is_a_continuum_that_all_points_have() -> None:
    names = {name: domain.continuum for name, domain in CONTINUA.items()}
    assert list(names.values()) == ["x", "x", None, "learning_rate"]
    assert Space({"hidden_layers": [0, 1], "dropout": uniform(0, 0.5)}).continuum is None
