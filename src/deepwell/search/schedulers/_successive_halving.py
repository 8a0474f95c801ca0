"""Successive halving (Jamieson and Talwalkar 2016, AISTATS): give the best third more epochs.

Networks that will be good are mostly good early. All networks train for a few epochs, the best
`1 / factor` of them longer, and the best of these to the end, so that most of the time goes to
networks that deserve it.

Who is best is told by two ranks together, that of the score and that of the cost. After five epochs
the error on a few hundred rows is coarse, and the cost tells good networks from fair ones sooner;
but it is the score that was asked for, and the two need not agree.

There are three rungs at most: a first one at a 27th of all epochs throws away networks that learn
slowly and end best (docs/strategy.md).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from deepwell._base._errors import UsageError
from deepwell.records import Rung, Status, Trial

from ._ranking import rank, scored, split
from ._scheduler import Decision, Moment

_MOST, _GROWTH = 3, 2  # rungs; growth of epochs from one to the next, at least
_RANKED = (Status.FINISHED, Status.EARLY_STOPPED)


def rungs(networks: int, epochs: int, factor: int = 3, first: int = 5) -> tuple[Rung, ...]:
    """Return the rungs: networks shrink by `factor` from one to the next, epochs grow evenly.

    The first one lies at `epochs / factor^2`, or at `first` epochs where that is later.

    >>> [(r.epochs, r.networks) for r in rungs(128, 50)]
    [(6, 128), (17, 43), (50, 15)]
    >>> [(r.epochs, r.networks) for r in rungs(256, 30)]
    [(5, 256), (12, 86), (30, 29)]

    Args:
        networks: networks of the first rung, at least 1.
        epochs: epochs of the last rung, at least 1.
        factor: how strict a rung is, at least 2; 3 is near the optimum e of the cost analysis.
        first: the first rung has at least so many epochs, for below them curves say little.

    Raises:
        UsageError: when a number is below its least value.
    """
    at_least("networks", networks, 1)
    at_least("epochs", epochs, 1)
    at_least("factor", factor, 2)
    at_least("first", first, 1)
    after = 0  # rungs after the first
    while (
        after < _MOST - 1
        and networks >= factor ** (after + 1)
        and epochs >= first * _GROWTH ** (after + 1)
    ):
        after += 1
    begin = min(float(epochs), max(float(first), epochs / factor**after))
    growth = (epochs / begin) ** (1 / max(after, 1))
    return tuple(
        Rung(
            epochs=math.floor(begin * growth**place + 0.5),
            networks=math.ceil(networks / factor**place),
        )
        for place in range(after + 1)
    )


def decide(moment: Moment) -> Decision:
    """Return which of the trials at a rung train on: the best ones that have a place in the next.

    See `best_of`.
    """
    return best_of(moment.trials, moment.keep)


def best_of(trials: Sequence[Trial], keep: int) -> Decision:
    """Return which trials train on: those among the best `keep` by score and cost together.

    Each trial has a place by its best score and one by the cost at that epoch, equal ones their
    mean place; the lower the sum the better, then by score, cost and age. A trial that stopped
    early or finished keeps its place in the ranking, since it may be the best one, but needs no
    more training and so is neither promoted nor pruned. A trial that diverged, or has no finite
    score, never goes on.

    Args:
        trials: all trials that reached the rung.
        keep: places in the next rung.
    """
    able = [t for t in trials if scored(t) and (t.status in _RANKED or not t.status.over)]
    keys = [rank(t) for t in able]
    scores, costs = sorted(key[0] for key in keys), sorted(key[1] for key in keys)
    keys.sort(key=lambda key: (_place(scores, key[0]) + _place(costs, key[1]), key))
    return split(trials, {number for *_, number in keys[: max(keep, 0)]})


def _place(ordered: Sequence[float], value: float) -> int:
    """Return twice the mean place of those that are equal to a value, among ordered ones."""
    return bisect_left(ordered, value) + bisect_right(ordered, value)


def at_least(name: str, value: int, least: int) -> None:
    """Refuse a number below its least value."""
    if value < least:
        raise UsageError(f"`{name}` must be at least {least}, got {value}")
