"""Asynchronous successive halving (Li et al. 2020, MLSys, "Massively parallel tuning", ASHA).

Halving waits at every rung for all networks. Here networks come to a rung a few at a time, and as
soon as a third of those that have come to one is known, the best of them go on, before new ones
begin. Nobody waits, so machines of a cluster that bring back their networks at different times stay
at work, and there are finished networks early on: a run that is stopped half-way has some. The
price is that some are promoted that would not be among the best third of all.
"""

from __future__ import annotations

import math

from deepwell.records import Rung

from ._scheduler import Decision, Moment
from ._successive_halving import rungs as halving

_FACTOR = 3

WAVE = 32
"""Networks that train at a time: enough for many cores, and the same on every machine."""


def rungs(networks: int, epochs: int) -> tuple[Rung, ...]:
    """Return the rungs of halving; as many networks as it says reach each, about.

    >>> [(r.epochs, r.networks) for r in rungs(128, 50)]
    [(6, 128), (17, 43), (50, 15)]
    """
    return halving(networks, epochs, _FACTOR)


def decide(moment: Moment) -> Decision:
    """Return who trains next: from the highest rung that has someone to promote, else new ones.

    Of the n networks that have come to a rung so far, the best n / 3, rounded down, may go on.
    What counts is the best score up to the rung's own epochs; equal ones go by number, and who has
    none never goes on. At the end, when nobody is left to promote or to begin, those that were
    never promoted stop.
    """
    waiting = set(moment.open)
    for came, beyond in zip(moment.arrivals[-2::-1], moment.arrivals[:0:-1], strict=True):
        best = sorted(came, key=lambda n: (came[n], n))[: len(came) // _FACTOR]
        ready = [n for n in best if n in waiting and n not in beyond and math.isfinite(came[n])]
        if ready:
            return Decision(tuple(ready[:WAVE]), ())
    new = [n for n in moment.open if n not in moment.arrivals[0]]
    return Decision(tuple(new[:WAVE]), () if new else moment.open)
