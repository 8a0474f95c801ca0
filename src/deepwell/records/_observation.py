"""A configuration and what came of it, as samplers see them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from deepwell._base._hyperparameters import Value


@dataclass(frozen=True)
class Observation:
    """A point that was tried, of networks or of any other function.

    Attributes:
        values: name -> real value; may hold more names than a domain.
        score: lower is better; infinite where there is none to be had, as after divergence; NaN
            where it is still out.
        cost: breaks ties between equal scores; lower is better.
        epochs: training epochs behind the score; 0 where there is no such thing.
        finished: whether more epochs are not to come by the specification's own end; a trial that
            a scheduler stopped early is not finished, though its score is known.
    """

    values: Mapping[str, Value]
    score: float = math.nan
    cost: float = math.nan
    epochs: int = 0
    finished: bool = False

    @property
    def pending(self) -> bool:
        """Whether its score is still out."""
        return math.isnan(self.score)
