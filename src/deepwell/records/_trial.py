"""A trial: one configuration with its history, as read back from the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ._spec import TrialSpec
from ._status import Status


@dataclass(frozen=True)
class Trial:
    """One configuration with what became of it.

    Attributes:
        number: counted from 0 in the order of proposal.
        spec: the configuration.
        status: where it stands.
        epochs: epochs trained.
        best_epoch: the epoch of the best dev score, counted from 1; 0 when none was reached.
        score: the best dev score, lower is better; infinity when none was reached.
        cost: the dev cost at `best_epoch`; breaks ties between equal scores.
        message: a sentence when something went wrong, as in "diverged at step 12".
        curves: metric name -> (epochs,) float32, first epoch first.
    """

    number: int
    spec: TrialSpec
    status: Status = Status.WAITING
    epochs: int = 0
    best_epoch: int = 0
    score: float = float("inf")
    cost: float = float("inf")
    message: str = ""
    curves: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])

    def rank_key(self) -> tuple[float, float, int]:
        """Return what trials are ranked by: score, then cost, then the older trial.

        One that failed is last: its weights may be lost.
        """
        if self.status is Status.FAILED:
            return (float("inf"), float("inf"), self.number)
        return (self.score, self.cost, self.number)
