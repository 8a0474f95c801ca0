import pytest

from deepwell._base._errors import UsageError
from deepwell.records import Rung, Status, Trial, TrialSpec
from deepwell.search import SCHEDULERS, Moment

NONE = SCHEDULERS["none"]


def test_everybody_trains_to_the_end() -> None:
    assert NONE.rungs(128, 50) == (Rung(50, 128),)


def test_nothing_is_pruned() -> None:
    spec = TrialSpec({}, seed=0)
    trials = [
        Trial(0, spec, Status.PAUSED, score=0.3),
        Trial(1, spec, Status.PAUSED, score=0.1),
        Trial(2, spec, Status.DIVERGED),
    ]
    decision = NONE.decide(Moment(trials, (Rung(5, 3), Rung(9, 1))))
    assert decision.promote == (1, 0)
    assert decision.prune == ()


def test_an_unknown_scheduler_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match="choose one of none, halving, hyperband"):
        SCHEDULERS["quartering"]
