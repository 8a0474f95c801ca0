import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from deepwell._base._hyperparameters import Value
from deepwell.records import Observation, TrialSpec
from deepwell.search import SAMPLERS, Space, choice, default_space, integer, log, uniform

random = SAMPLERS["random"]


def key(seed: int = 0) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed)


def tried(proposals: list[dict[str, Value]]) -> list[Observation]:
    return [Observation(TrialSpec(values, seed=0).hyperparameters) for values in proposals]


def frozen(proposals: list[dict[str, Value]]) -> list[tuple[tuple[str, Value], ...]]:
    return [tuple(sorted(values.items())) for values in proposals]


def test_the_same_key_gives_the_same_proposals_and_another_one_others() -> None:
    space = default_space(1078, 64, 10, "classification")
    one, again = random(space, [], 16, key(3)), random(space, [], 16, key(3))
    assert one == again
    assert random(space, [], 16, key(4)) != one


def test_arguments_are_left_as_they_are() -> None:
    space = Space({"hidden_layers": integer(1, 3), "activation": ["relu", "tanh"]})
    history = tried(random(space, [], 2, key()))
    before, source = [dict(t.values) for t in history], key(1)
    random(space, history, 3, source)
    assert [dict(t.values) for t in history] == before
    assert source.n_children_spawned == 0


def test_a_larger_batch_begins_with_the_smaller_one() -> None:
    space = Space({"learning_rate": log(1e-4, 1), "dropout": uniform(0, 0.5)})
    assert random(space, [], 20, key())[:7] == random(space, [], 7, key())


def test_the_stored_values_are_the_real_ones_of_every_entry() -> None:
    space = Space({"learning_rate": log(1e-4, 1), "hidden_layers": integer(1, 3), "epochs": 7})
    for values in random(space, [], 50, key()):
        assert set(values) == set(space)
        assert 1e-4 <= float(values["learning_rate"]) <= 1  # type: ignore[arg-type]
        assert values["hidden_layers"] in (1, 2, 3)
        assert values["epochs"] == 7


def test_25_trials_try_25_values_where_a_grid_tries_5() -> None:
    space = Space({"learning_rate": log(1e-4, 1), "dropout": uniform(0, 0.5)})
    assert len({v["learning_rate"] for v in random(space, [], 25, key())}) == 25


def test_log_draws_are_uniform_in_the_logarithm_and_axes_independent() -> None:
    space = Space({"learning_rate": log(1e-4, 1), "dropout": uniform(0, 0.5)})
    draws = random(space, [], 4000, key())
    exponents = np.log10([float(v["learning_rate"]) for v in draws])  # type: ignore[arg-type]
    dropouts = np.array([float(v["dropout"]) for v in draws])  # type: ignore[arg-type]
    # each of the three tests is wrong once in a million keys
    assert stats.kstest((exponents + 4) / 4, "uniform").pvalue > 1e-6
    assert stats.kstest(dropouts / 0.5, "uniform").pvalue > 1e-6
    assert stats.spearmanr(exponents, dropouts).pvalue > 1e-6


FINITE = st.builds(
    lambda layers, names, sizes: Space(
        {"hidden_layers": integer(1, layers), "activation": names, "batch_size": sizes}
    ),
    st.integers(1, 4),
    st.lists(st.sampled_from(["relu", "tanh", "elu"]), min_size=1, unique=True),
    st.lists(st.sampled_from([16, 32, 64]), min_size=1, unique=True),
)


@settings(max_examples=50)
@given(FINITE, st.integers(0, 2**32 - 1), st.lists(st.integers(0, 30), max_size=4))
def test_a_finite_space_is_exhausted_before_anything_comes_twice(
    space: Space, seed: int, batches: list[int]
) -> None:
    proposals: list[dict[str, Value]] = []
    for number, n in enumerate(batches):
        batch = random(space, tried(proposals), n, key(seed + number))
        assert len(batch) == n
        proposals += batch
    size = space.cardinality()
    assert size is not None
    uses = [frozen(proposals).count(point) for point in set(frozen(proposals))]
    assert len(uses) == min(size, len(proposals))
    assert all(math.floor(len(proposals) / size) <= u <= -(-len(proposals) // size) for u in uses)


def test_points_of_a_finite_space_are_equally_likely() -> None:
    space = Space({"hidden_layers": integer(1, 4), "activation": ["relu", "tanh", "elu"]})
    first = [frozen(random(space, [], 1, key(seed)))[0] for seed in range(1200)]
    counts = [first.count(point) for point in set(first)]
    assert len(counts) == 12
    assert stats.chisquare(counts).pvalue > 1e-6  # wrong once in a million sets of keys


def test_a_large_finite_space_gives_no_duplicates() -> None:
    space = Space({"hidden_units": integer(1, 300), "batch_size": integer(1, 300)})
    proposals = random(space, [], 500, key())
    proposals += random(space, tried(proposals), 500, key())  # the same key draws the same points
    assert len(set(frozen(proposals))) == 1000


def test_a_space_that_is_nearly_used_up_gives_its_last_points() -> None:
    space = Space({"hidden_units": integer(1, 20), "hidden_layers": 1})
    history = tried([{"hidden_units": k, "hidden_layers": 1} for k in range(1, 19)])
    assert {v["hidden_units"] for v in random(space, history, 2, key())} == {19, 20}


def test_settings_that_mean_the_same_network_count_once() -> None:
    space = Space({"hidden_layers": [0, 1], "hidden_units": [8, 16, 32]})
    networks = {TrialSpec(v, seed=0).hidden_units for v in random(space, [], 4, key())}
    assert networks == {(), (8,), (16,), (32,)}


def test_a_space_of_one_network_in_many_words_ends() -> None:
    space = Space({"hidden_layers": 0, "hidden_units": integer(1, 65_536)})
    assert len(random(space, [], 3, key())) == 3


@pytest.mark.parametrize("n", [0, 1, 5])
def test_fixed_values_alone_are_proposed_again_and_again(n: int) -> None:
    assert random(Space({"l2": 0, "activation": choice("tanh")}), [], n, key()) == (
        [{"l2": 0.0, "activation": "tanh"}] * n
    )
