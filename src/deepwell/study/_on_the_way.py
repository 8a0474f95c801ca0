"""What was done to the networks of a study on their way, as its events tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from deepwell.records import Status, Trial

from ._history import ENDED, History


@dataclass(frozen=True)
class Ending:
    """How a network was ended by a person, or by a race that a person let it run.

    Attributes:
        epoch: that it ended last.
        why: in words.
    """

    epoch: int
    why: str


@dataclass(frozen=True)
class OnTheWay:
    """What was done to networks on their way, by people and by schedulers that copy networks.

    Attributes:
        altered: those whose scores do not follow from the values that they began with: copies of
            others and nudged ones; of a cross-validated study all folds of a configuration.
        ended: those that a person ended, whose last epoch says nothing of them.
    """

    altered: frozenset[int] = frozenset()
    ended: frozenset[int] = frozenset()


def on_the_way(history: History) -> OnTheWay:
    """Return what was done to the networks of a study."""
    return OnTheWay(
        altered=frozenset(history.sources()) | _nudged(history),
        ended=frozenset(endings_of(history)),
    )


def endings_of(history: History) -> dict[int, Ending]:
    """Return of each network that a person ended when that was, and why."""
    told: list[Any] = [e.details for e in history.store.events(history.record.id, ENDED)]
    return {
        int(number): Ending(one["epoch"], one["why"])
        for details in told
        for number, one in details["networks"].items()
    }


def without_nudged(history: History, trials: Sequence[Trial]) -> list[Trial]:
    """Return trials with the scores left out that nudged ones reached, as if they were still out.

    So samplers count what was tried, and learn nothing from what follows from other values.
    """
    nudged = _nudged(history)
    return [_untold(trial) if trial.number in nudged else trial for trial in trials]


def _untold(trial: Trial) -> Trial:
    return replace(trial, status=Status.WAITING, epochs=0)


def _nudged(history: History) -> frozenset[int]:
    """Return the trials that were nudged, with all folds of their configurations."""
    folds = history.folds or 1
    starts = {number // folds * folds for number in history.nudged()}
    return frozenset(start + fold for start in starts for fold in range(folds))
