"""No scheduler: every network trains to the end."""

from __future__ import annotations

from deepwell.records import Rung

from ._ranking import split
from ._scheduler import Decision, Moment


def rungs(networks: int, epochs: int) -> tuple[Rung, ...]:
    """Return the one rung at the last epoch, which all networks reach."""
    return (Rung(epochs, networks),)


def decide(moment: Moment) -> Decision:
    """Return that every trial still able to train does so, however many may."""
    return split(moment.trials, {trial.number for trial in moment.trials})
