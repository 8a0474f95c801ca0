"""Which hyperparameters made the difference between the networks of a study."""

from __future__ import annotations

from dataclasses import dataclass

from ._estimate import Estimate


@dataclass(frozen=True)
class Effect:
    """A part of how scores differ.

    Attributes:
        names: the hyperparameter, or the two whose interaction it is.
        share: of the differences that the hyperparameters make together, 0 to 1: of one name what
            it does alone, averaged over all others; of two what they do together beyond that.
        total: of one name its share with all its interactions; of two the same as `share`.
    """

    names: tuple[str, ...]
    share: Estimate
    total: Estimate

    @property
    def name(self) -> str:
        """The name, or both, as in `learning_rate x dropout`."""
        return " x ".join(self.names)


@dataclass(frozen=True)
class Importance:
    """How the differences between scores divide among the hyperparameters.

    Attributes:
        effects: those of one name, the largest first, then those of two; empty where `why` says
            that none can be told.
        explained: share of all differences between the scores that the hyperparameters make, 0 to
            1; the rest is the luck of seeds, and what three and more of them do together. None
            where there are no effects.
        trials: whose scores count.
        left_out: trials without a score to compare, or outside of the searched ranges.
        worst: trials that diverged or lie far off, which count as the worst of the others.
        epochs: after which scores are compared; 0 where all count at their own ends.
        needed: trials from which on shares are told.
        why: no effects are told, in words, or an empty text.
    """

    effects: tuple[Effect, ...]
    explained: Estimate | None
    trials: int
    left_out: int
    worst: int
    epochs: int
    needed: int
    why: str = ""

    @property
    def main(self) -> tuple[Effect, ...]:
        """The effects of one name, the largest first."""
        return tuple(effect for effect in self.effects if len(effect.names) == 1)

    @property
    def interactions(self) -> tuple[Effect, ...]:
        """The effects of two names, the largest first."""
        return tuple(effect for effect in self.effects if len(effect.names) == 2)
