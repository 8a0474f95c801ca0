"""Asynchronous halving: who is promoted as networks come to rungs a few at a time."""

import math
from collections.abc import Iterable, Mapping

import pytest

from deepwell.search import SCHEDULERS, Moment
from deepwell.search.schedulers._across_folds import across_folds
from deepwell.search.schedulers._asha import WAVE, decide, rungs

LADDER = rungs(90, 45)  # rungs at 5, 15 and 45 epochs


def at(*arrivals: Mapping[int, float], over: Iterable[int] = (), networks: int = 90) -> Moment:
    """Return a moment: of each rung who has come to it with which score, and who is over."""
    came = (*arrivals, *({} for _ in range(3 - len(arrivals))))
    gone = set(over)
    return Moment([], LADDER, arrivals=came, open=tuple(set(range(networks)) - gone))


def test_rungs_are_those_of_halving():
    assert [r.epochs for r in LADDER] == [5, 15, 45]
    assert SCHEDULERS["asha"].wave == WAVE
    assert not SCHEDULERS["asha"].curves


def test_new_ones_begin_while_nobody_can_be_promoted():
    assert decide(at()).promote == tuple(range(WAVE))
    assert decide(at({0: 0.5, 1: 0.4})).promote == tuple(range(2, 2 + WAVE))


def test_a_third_of_those_that_came_goes_on_best_first():
    decision = decide(at({n: 0.9 - 0.1 * n for n in range(6)}))
    assert decision.promote == (5, 4)
    assert decision.prune == ()


def test_the_highest_rung_comes_first_and_nobody_is_promoted_twice():
    low, high = {n: 0.5 + 0.01 * n for n in range(9)}, {n: 0.1 + 0.1 * n for n in range(3)}
    assert decide(at(low, high, networks=9)).promote == (0,)
    decision = decide(at(low, high, {0: 0.1}, over=[0], networks=9))
    assert decision.promote == ()  # the best third of nine, and the best one of three, went on
    assert decision.prune == tuple(range(1, 9))


def test_what_counts_is_the_score_at_the_rung():
    """Number 0 came far below later, and was no good at the first rung."""
    low = {0: 0.9, **{n: 0.5 + 0.01 * n for n in range(1, 6)}}
    assert decide(at(low, {0: 0.1})).promote == (1, 2)


def test_who_is_over_counts_and_does_not_go_on():
    came = {0: 0.1, 1: math.inf, **{n: 0.2 + 0.1 * n for n in range(2, 6)}}
    assert decide(at(came, over=[0, 1])).promote == (2,)


def test_equal_scores_go_by_number_and_who_has_none_never_goes_on():
    assert decide(at(dict.fromkeys((7, 5, 3, 1, 8, 2), 0.5))).promote == (1, 2)
    assert decide(at(dict.fromkeys(range(6), math.inf), networks=6)).promote == ()
    assert decide(at(dict.fromkeys(range(6), math.inf), networks=6)).prune == tuple(range(6))


@pytest.mark.parametrize(("folds", "first"), [(2, 32), (3, 30), (50, 50)])
def test_with_folds_waves_are_of_whole_configurations(folds: int, first: int):
    scheduler = across_folds(SCHEDULERS["asha"], folds)
    assert scheduler.wave == first
    assert scheduler.decide(at(networks=3 * folds)).promote == tuple(range(min(first, 3 * folds)))


def test_with_folds_a_configuration_goes_on_by_its_mean():
    """The best single fold, 0.1, belongs to the worst configuration."""
    decide_folds = across_folds(SCHEDULERS["asha"], 2).decide
    came = dict(enumerate([0.5, 0.5, 0.4, 0.5, 0.1, 1.3]))
    assert decide_folds(at(came, networks=6)).promote == (2, 3)
    beyond = decide_folds(at(came, {2: 0.3, 3: 0.3}, networks=6))
    assert (beyond.promote, beyond.prune) == ((), (0, 1, 2, 3, 4, 5))


def test_with_folds_one_that_stopped_early_keeps_its_score():
    decide_folds = across_folds(SCHEDULERS["asha"], 2).decide
    came = dict(enumerate([0.1, 0.3, 0.4, 0.4, 0.5, 0.5]))
    assert decide_folds(at(came, over=[0], networks=6)).promote == (1,)
    low = {n: 0.1 + 0.05 * n for n in range(18)}  # of rung 1 the best mean is 1's and 0's
    high = {1: 0.12, 2: 0.2, 3: 0.2, 4: 0.2, 5: 0.2}
    assert decide_folds(at(low, high, over=[0], networks=18)).promote == (1,)


def test_with_folds_a_configuration_that_diverged_in_a_fold_stops_at_once():
    decide_folds = across_folds(SCHEDULERS["asha"], 2).decide
    came = dict(enumerate([0.1, math.inf, 0.4, 0.4, 0.5, 0.5]))
    decision = decide_folds(at(came, over=[1], networks=8))
    assert decision.promote == (2, 3)
    assert decision.prune == (0,)
