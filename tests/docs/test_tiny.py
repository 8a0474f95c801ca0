"""The page that tells both ideas: it runs, learns, and keeps what it promises."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from deepwell._jax._start import start

PAGE = Path(__file__).parents[2] / "docs" / "tiny.py"


@pytest.fixture(scope="module")
def tiny() -> ModuleType:
    start()  # first, since a process starts JAX once and the product's tests need all cores
    spec = importlib.util.spec_from_file_location("tiny", PAGE)
    assert spec is not None
    assert spec.loader is not None
    page = sys.modules["tiny"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    return page


@pytest.fixture(scope="module")
def finished(tiny: ModuleType):
    """Return the history and the states of the study that the page runs."""
    return tiny.main()


def _hypers(tiny: ModuleType, members: list) -> object:
    return tiny.Hyper(*(np.array(numbers) for numbers in zip(*members, strict=True)))


def _train(tiny: ModuleType, members: list, steps: list[int]) -> tuple[list[np.ndarray], dict]:
    """Train a full set of lanes from empty; return the weights (P, ...) and the errors."""
    zeros = tuple(np.zeros((len(members), *shape), np.float32) for shape in tiny.SHAPES)
    states = tiny.jax.device_put(tiny.State(np.zeros(len(members), np.int32), zeros, zeros))
    data, _ = tiny.load()
    states, info = tiny.population(_hypers(tiny, members), states, data, np.array(steps))
    return [np.asarray(w) for w in states.params], tiny.jax.device_get(info)


def test_it_fits_a_page() -> None:
    assert len(PAGE.read_text("utf-8").splitlines()) <= 200


def test_the_study_finds_a_good_network_and_halves_at_each_rung(finished) -> None:
    history, _ = finished
    assert min(history).dev < 0.04
    assert sorted({trial.steps for trial in history}) == [100, 200, 400, 800]
    assert [sum(t.steps >= rung for t in history) for rung in (100, 200, 400, 800)] == [16, 8, 4, 2]
    assert sum(not trial.pruned for trial in history) == 1


def test_a_network_of_a_population_equals_the_same_network_alone(tiny, finished) -> None:
    history, states = finished
    number = history.index(min(history))
    member, steps = history[number].hyper, history[number].steps
    alone, _ = _train(tiny, [member] * 16, [0, 0, steps] + [0] * 13)
    for beside, weights in zip(states.params, alone, strict=True):
        np.testing.assert_array_equal(weights[2], np.asarray(beside)[number])
    assert tiny.population._cache_size() == 1  # all of it in the one compiled program


def test_a_diverging_neighbour_changes_nothing(tiny, finished) -> None:
    history, _ = finished
    members, bad = [trial.hyper for trial in history], history.index(min(history))
    calm, calm_errors = _train(tiny, members, [40] * 16)
    members[bad] = members[bad]._replace(learning_rate=1e6)
    wild, wild_errors = _train(tiny, members, [40] * 16)
    for weights, same in zip(calm, wild, strict=True):
        np.testing.assert_array_equal(np.delete(weights, bad, 0), np.delete(same, bad, 0))
    assert wild_errors["dev"][bad] > 0.5 > calm_errors["dev"][bad]


def test_draws_are_independent_of_padding(tiny) -> None:
    wide = tiny.draw(7, tiny.DROPOUT, 3, (64, 64))
    np.testing.assert_array_equal(tiny.draw(7, tiny.DROPOUT, 3, (8, 53)), wide[:8, :53])


def test_initial_weights_have_he_variance_and_biases_are_zero(tiny) -> None:
    w1, b1, w2, b2 = (np.asarray(w) for w in tiny.initial(1))
    assert w1.std() == pytest.approx((2 / 64) ** 0.5, rel=0.05)  # 4,096 draws: 4.5 sigma
    assert w2.std() == pytest.approx((2 / 64) ** 0.5, rel=0.12)  # 640 draws: 4.3 sigma
    assert not b1.any()
    assert not b2.any()


def test_proposals_do_not_depend_on_how_many_are_asked_for(tiny) -> None:
    together = tiny.propose([], 6, key=1)
    assert tiny.propose(together[:4], 2, key=1) == together[4:]
    assert tiny.propose([], 6, key=2) != together
    assert all(0.01 <= h.learning_rate <= 10 and 0 <= h.momentum <= 0.99 for h in together)


def test_decide_prunes_the_worse_half_of_the_living(tiny) -> None:
    history = [tiny.Trial(dev, 0.0, None) for dev in (0.4, 0.1, 0.3, 0.2)]
    once = tiny.decide(history)
    assert [trial.pruned for trial in once] == [True, False, True, False]
    assert [trial.pruned for trial in tiny.decide(once)] == [True, False, True, True]


@pytest.mark.parametrize(
    ("train", "dev", "verdict"),
    [
        (0.01, 0.11, "low bias, high variance"),
        (0.15, 0.16, "high bias, uncertain variance"),
        (0.15, 0.30, "high bias, high variance"),
        (0.005, 0.01, "low bias, low variance"),
    ],
)
def test_diagnose_reads_the_worked_examples(tiny, train, dev, verdict) -> None:
    trials = [tiny.Trial(dev, train, None), tiny.Trial(0.9, 0.9, None)]
    assert tiny.diagnose(trials, 60_000, 20_000).startswith(verdict)


def test_diagnose_abstains_on_few_rows_and_knows_the_best_possible(tiny) -> None:
    trials = [tiny.Trial(0.11, 0.01, None)]
    assert "uncertain variance" in tiny.diagnose(trials, 60, 20)
    known = tiny.diagnose([tiny.Trial(0.16, 0.15, None)], 600_000, 200_000, best_possible=0.15)
    assert known.startswith("low bias, uncertain variance")
