"""Rounds that are known ahead, and which part of the work each is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Which part of the whole work a bracket is.

    Attributes:
        round: counted from 1; rounds: how many there are, as far as they are known.
        before: share of the work that lies before it.
        share: of the work that it is.
    """

    round: int = 1
    rounds: int = 1
    before: float = 0.0
    share: float = 1.0


@dataclass(frozen=True)
class Ahead:
    """Rounds that are known ahead, those that are done included.

    Attributes:
        sizes: configurations of each.
        first: number of the first of them; others came before it where a study went on.
    """

    sizes: tuple[int, ...] = ()
    first: int = 0

    def count(self, population: int) -> int:
        """Return the configurations of a round, 0 for one that was not planned."""
        place = population - self.first
        return self.sizes[place] if 0 <= place < len(self.sizes) else 0

    def after(self, population: int) -> int:
        """Return the configurations of all rounds that come after one."""
        return sum(self.sizes[max(0, population - self.first + 1) :])

    def part(self, population: int) -> Part:
        """Return which part of the work a round is; all of it where others are not known."""
        own = self.count(population)
        if not own:
            return Part()
        place, total = population - self.first, sum(self.sizes)
        before = sum(self.sizes[:place])
        return Part(place + 1, len(self.sizes), before / total, own / total)
