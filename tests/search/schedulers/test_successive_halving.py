import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._errors import UsageError
from deepwell.records import Rung, Status, Trial, TrialSpec
from deepwell.search import SCHEDULERS
from deepwell.search.schedulers._successive_halving import best_of as decide
from deepwell.search.schedulers._successive_halving import rungs

SPEC = TrialSpec({}, seed=0)


def at_rung(number: int, score: float, status: Status = Status.PAUSED, cost: float = 1.0) -> Trial:
    return Trial(number, SPEC, status, epochs=5, score=score, cost=cost)


def test_the_registered_scheduler_is_this_one() -> None:
    assert SCHEDULERS["halving"].rungs(128, 50) == (Rung(6, 128), Rung(17, 43), Rung(50, 15))


@pytest.mark.parametrize(
    ("networks", "epochs", "expected"),
    [
        (1, 100, [(100, 1)]),
        (2, 100, [(100, 2)]),
        (3, 100, [(33, 3), (100, 1)]),
        (256, 30, [(5, 256), (12, 86), (30, 29)]),
        (256, 100, [(11, 256), (33, 86), (100, 29)]),
        (256, 20, [(5, 256), (10, 86), (20, 29)]),
        (256, 19, [(6, 256), (19, 86)]),
        (256, 10, [(5, 256), (10, 86)]),
        (256, 9, [(9, 256)]),
        (1000, 1, [(1, 1000)]),
        (81, 405, [(45, 81), (135, 27), (405, 9)]),
    ],
)
def test_worked_rungs(networks: int, epochs: int, expected: list[tuple[int, int]]) -> None:
    assert [(r.epochs, r.networks) for r in rungs(networks, epochs)] == expected


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(2, 5), st.integers(1, 20))
def test_epochs_rise_to_the_last_and_networks_fall_by_the_factor(
    networks: int, epochs: int, factor: int, first: int
) -> None:
    ladder = rungs(networks, epochs, factor, first)
    steps = [r.epochs for r in ladder]
    assert steps == sorted(set(steps))
    assert steps[-1] == epochs
    assert len(ladder) == 1 or steps[0] >= first
    assert ladder[0].networks == networks
    for before, after in itertools.pairwise(ladder):
        assert abs(after.networks - before.networks / factor) <= 1
        assert after.networks < before.networks
        assert 2 - 1 / before.epochs <= after.epochs / before.epochs
        assert after.epochs - 0.5 <= factor * (before.epochs + 0.5)
    assert len(ladder) <= 3


@pytest.mark.parametrize(
    "wrong", [{"networks": 0}, {"epochs": 0}, {"factor": 1}, {"first": 0}], ids=str
)
def test_wrong_sizes_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=f"`{next(iter(wrong))}` must be at least"):
        rungs(**{"networks": 4, "epochs": 9, **wrong})


def test_the_best_go_on_best_first() -> None:
    trials = [at_rung(0, 0.3), at_rung(1, 0.1), at_rung(2, 0.2), at_rung(3, 0.4)]
    decision = decide(trials, 2)
    assert decision.promote == (1, 2)
    assert decision.prune == (0, 3)


def test_ties_go_to_the_lower_cost_and_then_to_the_older_trial() -> None:
    trials = [at_rung(2, 0.1, cost=0.5), at_rung(1, 0.1, cost=0.5), at_rung(0, 0.1, cost=0.6)]
    assert decide(trials, 2).promote == (1, 2)


def test_places_by_score_and_by_cost_count_alike() -> None:
    """Of six places by score and six by cost: 1 + 6, 2 + 4, 3 + 1, 4.5 + 2, 4.5 + 3, 6 + 5."""
    told = [(0.1, 0.9), (0.2, 0.7), (0.3, 0.1), (0.4, 0.3), (0.4, 0.5), (0.6, 0.8)]
    trials = [at_rung(n, score, cost=cost) for n, (score, cost) in enumerate(told)]
    assert [set(decide(trials, keep).promote) for keep in (1, 2, 3, 4, 5)] == [
        {2},
        {1, 2},
        {1, 2, 3},
        {0, 1, 2, 3},
        {0, 1, 2, 3, 4},
    ]


def test_without_costs_the_score_alone_decides() -> None:
    trials = [at_rung(n, score, cost=math.inf) for n, score in enumerate((0.3, 0.1, 0.1, 0.2))]
    assert decide(trials, 3).promote == (1, 2, 3)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20), st.integers(0, 20))
def test_only_the_order_of_scores_and_of_costs_counts(
    told: list[tuple[int, int]], keep: int
) -> None:
    plain = [at_rung(n, s, cost=c) for n, (s, c) in enumerate(told)]
    bent = [at_rung(n, math.exp(s), cost=c**3) for n, (s, c) in enumerate(told)]
    assert decide(bent, keep) == decide(plain, keep)
    better = [t for t in plain if t.number in decide(plain, keep).promote]
    for loser in (t for t in plain if t not in better):
        assert not any(loser.score < t.score and loser.cost < t.cost for t in better)


def test_a_diverged_trial_never_goes_on_even_if_it_once_was_best() -> None:
    trials = [at_rung(0, 0.0, Status.DIVERGED), at_rung(1, 0.2), at_rung(2, math.inf)]
    decision = decide(trials, 3)
    assert decision.promote == (1,)
    assert decision.prune == (2,)


def test_a_score_or_cost_that_is_no_number_ranks_last() -> None:
    trials = [
        at_rung(0, math.nan),
        at_rung(1, 0.2, cost=math.nan),
        at_rung(2, 0.2),
        at_rung(3, 0.1),
    ]
    assert decide(trials, 2).promote == (3, 2)
    assert decide(trials, 4).promote == (3, 2, 1)
    assert decide(trials, 4).prune == (0,)


def test_a_trial_that_stopped_early_keeps_its_place_but_trains_no_more() -> None:
    trials = [at_rung(0, 0.1, Status.EARLY_STOPPED), at_rung(1, 0.2), at_rung(2, 0.3)]
    decision = decide(trials, 2)
    assert decision.promote == (1,)
    assert decision.prune == (2,)


def test_trials_pruned_or_interrupted_before_take_no_place() -> None:
    trials = [
        at_rung(0, 0.1, Status.PRUNED),
        at_rung(1, 0.1, Status.INTERRUPTED),
        at_rung(2, 0.3),
    ]
    assert decide(trials, 1).promote == (2,)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.1, 0.2, 0.3, math.inf, math.nan]),
            st.sampled_from([0.5, 0.7, math.inf, math.nan]),
            st.sampled_from(list(Status)),
        ),
        max_size=12,
    ),
    st.integers(0, 12),
    st.randoms(),
)
def test_the_order_of_arrival_does_not_matter_and_every_open_trial_is_decided(
    outcomes: list[tuple[float, float, Status]], keep: int, shuffler
) -> None:
    trials = [at_rung(n, s, status, cost) for n, (s, cost, status) in enumerate(outcomes)]
    decision = decide(trials, keep)
    shuffler.shuffle(trials)
    assert decide(trials, keep) == decision
    open_trials = {t.number for t in trials if not t.status.over}
    assert sorted((*decision.promote, *decision.prune)) == sorted(open_trials)
    assert len(decision.promote) <= keep
