"""Several networks whose predictions are averaged, against the single best one."""

from __future__ import annotations

from dataclasses import dataclass

from ._estimate import Estimate


@dataclass(frozen=True)
class EnsembleFacts:
    """What averaging networks of the population does, told by rows that did not choose them.

    Attributes:
        trials: the members' numbers; shares: their weights, which sum to 1.
        candidates: networks that could be members.
        change: score of ensembles less that of single networks, each chosen without the rows that
            score them (paired); below 0 an ensemble is better.
        score, single: both scores.
        rows: dev rows.
    """

    trials: tuple[int, ...]
    shares: tuple[float, ...]
    candidates: int
    change: Estimate
    score: float
    single: float
    rows: int
