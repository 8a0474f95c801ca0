"""Hyperband (Li et al. 2018, JMLR 18): successive halving with several first rungs at once.

Halving bets that epoch 6 tells who is best at epoch 50. Where it does not, as with slow learning
rates, early rungs throw away the best network. Hyperband hedges: groups of networks begin to be
halved at different rungs, the last group never, and each group costs about the same. All groups
train side by side, so that programs stay full; each decides within itself.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from deepwell._base._hash import Purpose, fold, key, word
from deepwell.records import Rung

from ._scheduler import Decision, Moment
from ._successive_halving import at_least, best_of

_FACTOR, _FIRST = 3, 5


def rungs(networks: int, epochs: int) -> tuple[Rung, ...]:
    """Return the rungs of all groups together, with the networks that are left of all of them.

    >>> [(r.epochs, r.networks) for r in rungs(256, 100)]
    [(11, 256), (33, 163), (100, 86)]

    Args:
        networks: of all groups together, at least 1.
        epochs: of the last rung, at least 1.

    Raises:
        UsageError: when a number is below its least value.
    """
    groups = ladders(networks, epochs)
    return tuple(
        Rung(rung.epochs, sum(_alive(ladder, rung.epochs) for ladder in groups))
        for rung in groups[0]
    )


def ladders(networks: int, epochs: int) -> list[tuple[Rung, ...]]:
    """Return the rungs of each group, the one that is halved most often first.

    With R epochs, factor f and s rungs before the last, a group begins at R / f^s and costs about
    (s + 1) R / f^s epochs a network. The groups' sizes are in the proportion f^s / (s + 1), so
    that all cost about the same.

    Args:
        networks: of all groups together.
        epochs: of the last rung.
    """
    at_least("networks", networks, 1)
    at_least("epochs", epochs, 1)
    most = 1
    while networks >= _FACTOR**most and epochs / _FACTOR**most >= _FIRST:
        most += 1
    sizes = _group_sizes(networks, most)
    return [
        tuple(
            Rung(
                math.floor(epochs / _FACTOR ** (s - place) + 0.5),
                math.ceil(size / _FACTOR**place),
            )
            for place in range(s + 1)
        )
        for s, size in zip(range(most - 1, -1, -1), sizes, strict=True)
    ]


def groups_of(networks: int, most: int) -> np.ndarray:
    """Return the group of each network, (networks,) int64, counted as in `ladders`.

    Networks are dealt to groups in an order drawn by hash, the same for the same number of them,
    so that every group gets its share of every part of a grid or of a quasi-random sequence.

    Args:
        networks: of all groups together.
        most: rungs of the group that is halved most often, as many as there are groups.
    """
    drawn = word(fold(key(networks), Purpose.GROUPS), np.arange(networks, dtype=np.uint32))
    sizes, groups = _group_sizes(networks, most), np.empty(networks, np.int64)
    groups[np.argsort(drawn, kind="stable")] = np.repeat(np.arange(most), sizes)
    return groups


def decide(moment: Moment) -> Decision:
    """Return which trials train on: of each group that has a rung here, its best ones.

    Group g is halved at the rungs from place g on, whatever their epochs are by now: a person may
    have made the last one longer. A copy is in the group of the trial that it goes back to.
    """
    networks, most = moment.rungs[0].networks, len(moment.rungs)
    groups = groups_of(networks, most)
    group_of = {t.number: groups[moment.root(t.number) - moment.first] for t in moment.trials}
    promote: list[int] = []
    prune: list[int] = []
    for group, size in enumerate(_group_sizes(networks, most)):
        members = [t for t in moment.trials if group_of[t.number] == group]
        halved = moment.rung + 1 - group
        keep = math.ceil(size / _FACTOR**halved) if halved > 0 else len(members)
        decision = best_of(members, keep)
        promote += decision.promote
        prune += decision.prune
    place = {n: i for i, n in enumerate(best_of(moment.trials, len(moment.trials)).promote)}
    order = sorted(promote, key=lambda n: place[n])
    return Decision(tuple(order), tuple(sorted(prune)))


def _alive(ladder: tuple[Rung, ...], epochs: int) -> int:
    """Return how many networks of a group train up to these epochs."""
    return next(rung.networks for rung in ladder if rung.epochs >= epochs)


def _group_sizes(networks: int, most: int) -> list[int]:
    """Return the networks of each group, in the proportion f^s / (s + 1): largest remainders."""
    weights = [Fraction(_FACTOR**s, s + 1) for s in range(most - 1, -1, -1)]
    shares = [networks * weight / sum(weights, Fraction()) for weight in weights]
    sizes = [math.floor(share) for share in shares]
    order = sorted(range(len(sizes)), key=lambda i: (sizes[i] - shares[i], i))
    for i in order[: networks - sum(sizes)]:
        sizes[i] += 1
    return sizes
