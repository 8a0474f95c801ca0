"""How many rounds the networks of a study are proposed in.

A sampler that learns from scores needs some before it proposes more; a machine that trains a
population needs many networks at a time. So the networks that were asked for come in rounds, each
as large as keeps cores at work, and only where the sampler learns. Their sizes depend on nothing
of the machine, so that the same arguments give the same study anywhere.
"""

from __future__ import annotations

LEAST = 9
"""Networks of a round at least: so many can be halved twice, and cores seldom wait for one."""

MOST = 8
"""Rounds at most: more of them teach little, and each is a wait for its last networks."""

BUDGET_SHARE = 0.5
LEARNING_SHARE = 0.25
"""Of the time that is left, that the next round takes, without and with learning."""


def round_sizes(trials: int, axes: int, learns: bool, given: int = 0) -> tuple[int, ...]:
    """Return the configurations of each round.

    >>> round_sizes(256, 6, learns=True)
    (32, 32, 32, 32, 32, 32, 32, 32)
    >>> round_sizes(25, 6, learns=True)
    (13, 12)
    >>> round_sizes(256, 6, learns=False)
    (256,)

    Args:
        trials: configurations of all rounds together.
        axes: hyperparameters that are searched; a first round has twice as many, if it can, for
            fewer points say little of so many directions.
        learns: whether the sampler learns from scores.
        given: configurations that come first, which the first round has room for.
    """
    count = min(MOST, trials // LEAST)
    if not learns or count < 2:
        return (trials,)
    first = min(max(-(-trials // count), 2 * axes), -(-trials // 2))
    first = max(first, min(given, trials))
    left = trials - first
    others = min(count - 1, left // LEAST) or min(left, 1)
    return (first, *((left + others - 1 - i) // others for i in range(others)))


def budget_share(learns: bool) -> float:
    """Return the share of the time that is left that the next round under a budget takes."""
    return LEARNING_SHARE if learns else BUDGET_SHARE
