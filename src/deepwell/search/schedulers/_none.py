"""No scheduler: every network trains to the end."""

from __future__ import annotations

from collections.abc import Sequence

from deepwell.records import Rung, Trial

from ._scheduler import Decision


def rungs(networks: int, epochs: int) -> tuple[Rung, ...]:
    """Return the one rung at the last epoch, which all networks reach."""
    return (Rung(epochs, networks),)


def decide(trials: Sequence[Trial], keep: int) -> Decision:
    """Return that every trial still able to train does so, whatever `keep` says."""
    del keep
    ranked = sorted(trials, key=Trial.rank_key)
    return Decision(tuple(t.number for t in ranked if not t.status.over), ())
