"""Decisions of population based training: who is copied, who leaves, what changes."""

from dataclasses import replace

import numpy as np
import pytest

import deepwell as dw
from deepwell.records import Status, Trial, TrialSpec
from deepwell.search import SCHEDULERS, Domain, Moment, Space
from deepwell.search.schedulers._pbt import changeable, decide, rungs, varied

SPACE = Space({
    "learning_rate": dw.log(1e-3, 1e-1),
    "momentum": dw.one_minus_log(0.5, 0.99),
    "l2": [0.0, 0.01, 0.1],
    "hidden_units": dw.integer(4, 64),
    "activation": ["relu", "tanh"],
    "epochs": 50,
})  # fmt: skip


def trial(number, recent, status=Status.PAUSED, best=None):
    values = {"learning_rate": 0.01, "momentum": 0.9, "l2": 0.01, "epochs": 50}
    curve = np.array([0.9, 0.8, recent, recent, recent], np.float32)
    score = float(curve.min()) if best is None else best
    return Trial(number, TrialSpec(values, seed=number), status, 5, 3, score, 0.0, "",
                 {"dev_score": curve})  # fmt: skip


def moment(trials, seed=0):
    return Moment(trials, rungs(len(trials), 50), domain=SPACE, key=np.random.SeedSequence(seed))


def test_only_numbers_that_can_change_take_part():
    assert changeable(SPACE) == ("learning_rate", "momentum", "l2")
    assert SCHEDULERS["pbt"].forks


def test_the_worst_fifth_makes_room_for_copies_of_the_best_fifth():
    scores = np.random.default_rng(1).permutation(20) / 20
    decision = decide(moment([trial(n, s) for n, s in enumerate(scores)]))
    ranked = np.argsort(scores).tolist()
    assert decision.promote == tuple(ranked[:16])
    assert set(decision.prune) == set(ranked[16:])
    assert len(decision.forks) == 4
    assert {fork.source for fork in decision.forks} <= set(ranked[:4])


def test_networks_are_judged_by_how_they_are_now():
    trials = [trial(n, 0.3) for n in range(9)] + [trial(9, 0.7, best=0.0)]
    decision = decide(moment(trials))
    assert 9 in decision.prune
    assert {fork.source for fork in decision.forks} <= set(range(9))


def test_a_network_that_diverged_is_replaced_and_a_small_population_copies_nobody():
    trials = [trial(n, 0.3 + 0.01 * n) for n in range(4)]
    assert decide(moment(trials)).forks == ()
    assert decide(moment(trials)).prune == ()
    broken = [*trials, trial(4, 0.9, Status.DIVERGED)]
    decision = decide(moment(broken))
    assert [fork.source for fork in decision.forks] == [0]
    assert decision.promote == (0, 1, 2, 3)
    assert decision.prune == ()
    assert decide(moment([broken[-1]])).forks == ()


def test_numbers_move_by_a_fifth_or_are_drawn_anew_and_stay_inside():
    values = {**trial(0, 0.1).spec.hyperparameters}
    random = np.random.default_rng(2)
    drawn = [varied(SPACE, values, random) for _ in range(4000)]
    rates = np.array([change.get("learning_rate", 0.01) for change in drawn])
    moved = np.isclose(rates, 0.008) | np.isclose(rates, 0.012)
    assert np.mean(moved) == pytest.approx(0.75, abs=0.03)
    assert rates.min() >= 1e-3
    assert rates.max() <= 1e-1
    momentum = np.array([change.get("momentum", 0.9) for change in drawn])
    near = np.isclose(momentum, 0.92) | np.isclose(momentum, 0.88)  # 1 - m times 0.8 or 1.2
    assert np.mean(near) == pytest.approx(0.75, abs=0.03)
    steps = [change.get("l2", 0.01) for change in drawn]
    assert set(steps) == {0.0, 0.01, 0.1}
    assert np.mean([s == 0.01 for s in steps]) == pytest.approx(0.25 / 3, abs=0.02)
    edge = {**values, "learning_rate": 1e-1}
    assert all(varied(SPACE, edge, random).get("learning_rate", 0.1) <= 0.1 for _ in range(50))


def test_rates_of_each_layer_move_together():
    space = Domain({"dropout": dw.uniform(0.0, 0.5)})
    found = [varied(space, {"dropout": (0.1, 0.2)}, np.random.default_rng(n)) for n in range(40)]
    moved = [c["dropout"] for c in found if isinstance(c["dropout"], tuple)]
    assert {tuple(round(r, 6) for r in rates) for rates in moved} == {(0.08, 0.16), (0.12, 0.24)}


def test_what_changes_starts_from_the_numbers_of_the_epoch():
    changed = TrialSpec({"learning_rate": 0.01, "change": "3: learning_rate=0.05"}, seed=0)
    trials = [replace(trial(n, 0.1 + 0.01 * n), spec=changed) for n in range(5)]
    for seed in range(8):
        (fork,) = decide(moment(trials, seed)).forks
        assert fork.source == 0
        rate = fork.changes.get("learning_rate", 0.05)
        if round(rate, 9) in (0.04, 0.06):
            return
    raise AssertionError("not once was the rate of the epoch moved by a fifth")


def test_the_key_alone_decides():
    trials = [trial(n, 0.01 * n) for n in range(20)]
    assert decide(moment(trials, 3)) == decide(moment(trials, 3))
    assert decide(moment(trials, 3)) != decide(moment(trials, 4))


def test_copies_obey_the_constraints():
    space = Space(
        {"learning_rate": dw.log(1e-3, 1e-1), "l2": dw.log(1e-4, 1e-1)},
        ["learning_rate * l2 <= 0.0001"],
    )
    values = TrialSpec({"learning_rate": 0.01, "l2": 0.01}, seed=0).hyperparameters
    found = [varied(space, values, np.random.default_rng(n)) for n in range(100)]
    assert all(space.allowed({**values, **changes}) for changes in found)
    assert sum(map(bool, found)) > 95
    strict = Space({"learning_rate": dw.log(1e-3, 1e-1)}, ["learning_rate <= 0.0011"])
    stuck = TrialSpec({"learning_rate": 0.05}, seed=0).hyperparameters
    found = [varied(strict, stuck, np.random.default_rng(n)) for n in range(20)]
    assert all(not c or strict.allowed({**stuck, **c}) for c in found)
    assert {} in found


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_only_what_exists_beside_the_others_changes(optimizer):
    space = Space({
        "optimizer": ["momentum", "adam"],
        "momentum": dw.when(dw.one_minus_log(0.5, 0.99), optimizer="momentum"),
        "l2": dw.when([0.1, 0.2], optimizer="adam"),
    })  # fmt: skip
    own = {"momentum": 0.9} if optimizer == "momentum" else {"l2": 0.1}
    values = TrialSpec({"optimizer": optimizer, **own}, seed=0).hyperparameters
    found = [varied(space, values, np.random.default_rng(n)) for n in range(40)]
    assert {name for changes in found for name in changes} == set(own)
    assert all(space.encode({**values, **changes}) is not None for changes in found)
    assert {changes["l2"] for changes in found if "l2" in changes} <= {0.2}


@pytest.mark.parametrize("rates", [dw.uniform(0, 0.5), [0.0, 0.1, 0.2, 0.4]])
def test_rates_of_which_each_layer_has_its_own_change(rates):
    space = Space({"hidden_layers": [0, 2, 3], "dropout": dw.per_layer(rates)})
    assert changeable(space) == ("dropout",)
    values = TrialSpec({"hidden_layers": 2, "dropout": (0.1, 0.2)}, seed=0).hyperparameters
    found = [varied(space, values, np.random.default_rng(n)) for n in range(200)]
    drawn = [c["dropout"] for c in found if c]
    assert all(isinstance(d, tuple) and len(d) == 2 for d in drawn)
    assert all(space.encode({**values, "dropout": d}) is not None for d in drawn)
    assert len({d[0] for d in drawn}) > 2
    assert np.std([d[0] - d[1] for d in drawn]) > 0
    bare = TrialSpec({"hidden_layers": 0}, seed=0).hyperparameters
    assert varied(space, bare, np.random.default_rng(0)) == {}


def test_a_choice_of_lists_moves_to_the_next_of_them():
    space = Space({"hidden_layers": 2, "dropout": [(0.1, 0.0), (0.2, 0.1), 0.4]})
    values = TrialSpec({"hidden_layers": 2, "dropout": (0.2, 0.1)}, seed=0).hyperparameters
    found = [varied(space, values, np.random.default_rng(n)) for n in range(40)]
    assert {c["dropout"] for c in found if c} == {(0.1, 0.0), 0.4}
