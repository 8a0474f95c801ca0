"""Successive halving (Jamieson and Talwalkar 2016, AISTATS): give the best third more epochs.

Networks that will be good are mostly good early. All networks train for a few epochs, the best
`1 / factor` of them for `factor` times as many, and so on, so that every rung costs about the
same and most of the time goes to networks that deserve it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from deepwell._base._errors import UsageError
from deepwell.records import Rung, Status, Trial

from ._ranking import rank, scored, split
from ._scheduler import Decision, Moment

_RANKED = (Status.FINISHED, Status.EARLY_STOPPED)


def rungs(networks: int, epochs: int, factor: int = 3, first: int = 5) -> tuple[Rung, ...]:
    """Return the rungs: epochs grow and networks shrink by `factor` from one to the next.

    >>> [(r.epochs, r.networks) for r in rungs(128, 50)]
    [(6, 128), (17, 43), (50, 15)]

    Args:
        networks: networks of the first rung, at least 1.
        epochs: epochs of the last rung, at least 1.
        factor: how strict a rung is, at least 2; 3 is near the optimum e of the cost analysis.
        first: the first rung has at least so many epochs, for below them curves say little.

    Raises:
        UsageError: when a number is below its least value.
    """
    _at_least("networks", networks, 1)
    _at_least("epochs", epochs, 1)
    _at_least("factor", factor, 2)
    _at_least("first", first, 1)
    count = 1
    while networks >= factor**count and epochs / factor**count >= first:
        count += 1
    return tuple(
        Rung(
            epochs=math.floor(epochs / factor ** (count - 1 - place) + 0.5),
            networks=math.ceil(networks / factor**place),
        )
        for place in range(count)
    )


def decide(moment: Moment) -> Decision:
    """Return which of the trials at a rung train on: the best ones that have a place in the next.

    See `best_of`.
    """
    return best_of(moment.trials, moment.keep)


def best_of(trials: Sequence[Trial], keep: int) -> Decision:
    """Return which trials train on: those ranked among the best `keep`.

    The rank is by score, then cost, then age. A trial that stopped early or finished keeps its
    place in the ranking, since it may be the best one, but needs no more training and so is
    neither promoted nor pruned. A trial that diverged, or has no finite score, never goes on.

    Args:
        trials: all trials that reached the rung.
        keep: places in the next rung.
    """
    able = [t for t in trials if scored(t) and (t.status in _RANKED or not t.status.over)]
    return split(trials, {t.number for t in sorted(able, key=rank)[: max(keep, 0)]})


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise UsageError(f"`{name}` must be at least {least}, got {value}")
