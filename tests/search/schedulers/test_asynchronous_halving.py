"""Asynchronous halving: who is promoted as networks come to rungs a few at a time."""

import numpy as np

from deepwell.records import Status, Trial, TrialSpec
from deepwell.search import SCHEDULERS, Moment
from deepwell.search.schedulers._asha import WAVE, decide, rungs

LADDER = rungs(90, 45)  # rungs at 5, 15 and 45 epochs


def trial(number, curve, status=Status.PAUSED):
    curve = np.asarray(curve, np.float32)
    score = float(curve.min()) if len(curve) else float("inf")
    return Trial(number, TrialSpec({"epochs": 45}, seed=number), status, len(curve), 1, score, 0.0,
                 "", {"dev_score": curve})  # fmt: skip


def flat(number, level, epochs, status=Status.PAUSED):
    return trial(number, np.full(epochs, level), status)


def at(trials, *arrivals):
    return Moment(trials, LADDER, arrivals=(*arrivals, *[()] * (3 - len(arrivals))))


def test_rungs_are_those_of_halving():
    assert [r.epochs for r in LADDER] == [5, 15, 45]
    assert SCHEDULERS["asha"].wave == WAVE
    assert SCHEDULERS["asha"].curves


def test_new_ones_begin_while_nobody_can_be_promoted():
    trials = [flat(n, 0.5, 0, Status.WAITING) for n in range(90)]
    assert decide(at(trials)).promote == tuple(range(WAVE))
    two = [flat(0, 0.5, 5), flat(1, 0.4, 5), *trials[2:]]
    assert decide(at(two, (0, 1))).promote == tuple(range(2, 2 + WAVE))


def test_a_third_of_those_that_came_goes_on_best_first():
    came = [flat(n, 0.9 - 0.1 * n, 5) for n in range(6)]
    waiting = [flat(n, 0.5, 0, Status.WAITING) for n in range(6, 90)]
    decision = decide(at([*came, *waiting], tuple(range(6))))
    assert decision.promote == (5, 4)
    assert decision.prune == ()


def test_the_highest_rung_comes_first_and_nobody_is_promoted_twice():
    low = [flat(n, 0.5 + 0.01 * n, 5) for n in range(3, 9)]
    high = [flat(n, 0.1 + 0.1 * n, 15) for n in range(3)]
    came = (tuple(range(9)), (0, 1, 2))
    assert decide(at([*high, *low], *came)).promote == (0,)
    finished = flat(0, 0.1, 45, Status.FINISHED)
    decision = decide(at([finished, *high[1:], *low], *came, (0,)))
    assert decision.promote == ()  # the best third of nine, and the best one of three, went on
    assert decision.prune == tuple(range(1, 9))


def test_what_counts_is_the_score_at_the_rung():
    late = trial(0, [0.9, 0.9, 0.9, 0.9, 0.9, *[0.1] * 10])
    others = [flat(n, 0.5 + 0.01 * n, 5) for n in range(1, 6)]
    decision = decide(at([late, *others], tuple(range(6)), (0,)))
    assert decision.promote == (1, 2)


def test_who_is_over_counts_and_does_not_go_on():
    came = [flat(0, 0.1, 4, Status.EARLY_STOPPED), trial(1, [np.nan], Status.DIVERGED)]
    came += [flat(n, 0.2 + 0.1 * n, 5) for n in range(2, 6)]
    assert decide(at(came, tuple(range(6)))).promote == (2,)
