"""Which networks are looked into while they train, and when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProbePlan:
    """Members to be probed, and after which epochs.

    Attributes:
        trials: their numbers.
        every: after every so many epochs; 0 for after 1, 2, 4, 8, ... epochs, since most happens
            early. Both before the first step and after the last epoch as well.
    """

    trials: frozenset[int]
    every: int = 0

    def due(self, epoch: int, last: int) -> bool:
        """Return whether a member that trains for `last` epochs is probed after this many.

        >>> [epoch for epoch in range(21) if ProbePlan(frozenset()).due(epoch, 20)]
        [0, 1, 2, 4, 8, 16, 20]
        """
        if epoch in (0, last):
            return True
        return epoch % self.every == 0 if self.every else epoch & (epoch - 1) == 0

    def epochs(self, last: int) -> list[int]:
        """Return all numbers of epochs after which a member is probed."""
        return [epoch for epoch in range(last + 1) if self.due(epoch, last)]
