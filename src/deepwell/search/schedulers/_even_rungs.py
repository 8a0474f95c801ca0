"""Rungs at even distances, for schedulers that look at curves again and again."""

from __future__ import annotations

import math

from deepwell.records import Rung


def even_rungs(networks: int, epochs: int, looks: int, first: int) -> tuple[Rung, ...]:
    """Return rungs every `epochs / looks` epochs, none of them before epoch `first`.

    >>> [r.epochs for r in even_rungs(16, 50, looks=10, first=12)]
    [15, 20, 25, 30, 35, 40, 45, 50]

    Args:
        networks: of the first rung; as many may reach every other one.
        epochs: of the last rung.
        looks: rungs of the whole way, about; fewer where there are fewer epochs.
        first: epochs of the first one, at least.
    """
    step = max(1, math.floor(epochs / looks + 0.5))
    places = [epoch for epoch in range(step, epochs, step) if epoch >= first]
    return tuple(Rung(epoch, networks) for epoch in (*places, epochs))
