import math
from dataclasses import replace

import numpy as np
import pytest

from deepwell._base._errors import UsageError
from deepwell.records import Rung, Status, Trial, TrialSpec
from deepwell.search import SCHEDULERS, Moment
from deepwell.search.schedulers._across_folds import across_folds, configurations

SPEC = TrialSpec({}, seed=0)


def trial(number: int, score: float, status: Status = Status.PAUSED, epoch: int = 3) -> Trial:
    return Trial(number, SPEC, status, epochs=5, best_epoch=epoch, score=score, cost=2 * score)


def at(trials: list[Trial], keep: int) -> Moment:
    return Moment(trials, (Rung(5, len(trials)), Rung(15, keep)))


def rows(*scores: float) -> list[Trial]:
    return [trial(n, score) for n, score in enumerate(scores)]


def test_rungs_count_the_networks_of_all_folds() -> None:
    scheduler = across_folds(SCHEDULERS["halving"], 5)
    assert scheduler.rungs(640, 50) == (Rung(6, 640), Rung(17, 215), Rung(50, 75))


def test_a_configuration_goes_on_by_its_mean() -> None:
    scheduler = across_folds(SCHEDULERS["halving"], 2)
    # means 0.5, 0.45, 0.7: the best single fold, 0.1, belongs to the worst configuration
    decision = scheduler.decide(at(rows(0.5, 0.5, 0.4, 0.5, 0.1, 1.3), 2))
    assert decision.promote == (2, 3)
    assert set(decision.prune) == {0, 1, 4, 5}


def test_a_fold_that_stopped_early_still_counts() -> None:
    scheduler = across_folds(SCHEDULERS["halving"], 2)
    trials = [trial(0, 0.1, Status.EARLY_STOPPED), trial(1, 0.3), trial(2, 0.4), trial(3, 0.4)]
    decision = scheduler.decide(at(trials, 2))
    assert decision.promote == (1,)
    assert decision.prune == (2, 3)


def test_a_configuration_that_diverged_in_a_fold_ends() -> None:
    scheduler = across_folds(SCHEDULERS["halving"], 2)
    trials = [trial(0, 0.1, Status.DIVERGED), trial(1, 0.1), trial(2, 0.4), trial(3, 0.4)]
    decision = scheduler.decide(at(trials, 4))
    assert decision.promote == (2, 3)
    assert decision.prune == (1,)


@pytest.mark.proves("D3", "formula")
def test_means_over_folds() -> None:
    (one, other) = configurations(
        [trial(3, 0.2, epoch=4), trial(2, 0.4, epoch=7), trial(4, 0.1), trial(5, math.inf)], 2
    )
    assert (one.number, one.score, one.cost) == (2, pytest.approx(0.3), pytest.approx(0.6))
    assert one.best_epoch == 6  # 5.5 rounded up
    assert (other.number, other.score, other.best_epoch) == (4, math.inf, 0)
    (partial,) = configurations([trial(6, 0.1)], 2)
    assert partial.score == math.inf


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((Status.FINISHED, Status.EARLY_STOPPED), Status.FINISHED),
        ((Status.EARLY_STOPPED, Status.EARLY_STOPPED), Status.EARLY_STOPPED),
        ((Status.FINISHED, Status.PAUSED), Status.PAUSED),
        ((Status.FINISHED, Status.PRUNED), Status.PRUNED),
        ((Status.DIVERGED, Status.FAILED), Status.FAILED),
        ((Status.INTERRUPTED, Status.PAUSED), Status.INTERRUPTED),
    ],
)
def test_the_status_of_a_configuration(statuses, expected: Status) -> None:
    trials = [trial(n, 0.5, status) for n, status in enumerate(statuses)]
    assert configurations(trials, 2)[0].status is expected


def test_curves_of_a_configuration_are_means_and_a_fold_that_stopped_stays() -> None:
    one = replace(trial(0, 0.2), epochs=3, curves={"dev_score": np.array([0.6, 0.4, 0.2])})
    two = replace(trial(1, 0.4), epochs=2, curves={"dev_score": np.array([0.8, 0.4])})
    (both,) = configurations([one, two], 2)
    np.testing.assert_allclose(both.curves["dev_score"], [0.7, 0.4, 0.3])
    (without,) = configurations([one, replace(two, curves={})], 2)
    assert without.curves == {}


def test_groups_of_hyperband_are_groups_of_configurations() -> None:
    whole, folded = SCHEDULERS["hyperband"], across_folds(SCHEDULERS["hyperband"], 2)
    rungs = whole.rungs(30, 50)
    alone = [trial(100 + n, (n * 7 % 30) / 30) for n in range(30)]
    kept = whole.decide(Moment(alone, rungs, first=100)).promote
    pairs = [replace(one, number=2 * one.number + f) for one in alone for f in (0, 1)]
    moment = Moment(pairs, folded.rungs(60, 50), first=200)
    assert folded.decide(moment).promote == tuple(2 * n + f for n in kept for f in (0, 1))


def test_copies_of_single_networks_are_refused() -> None:
    with pytest.raises(UsageError, match="that must stay alike; leave out `folds`"):
        across_folds(SCHEDULERS["pbt"], 5)
