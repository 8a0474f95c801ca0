"""What a study is asked to do, checked once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from deepwell._base._constraints import IntegerInterval, Interval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.diagnosis._metrics import METRICS
from deepwell.search.samplers._registry import SAMPLERS
from deepwell.search.schedulers._registry import SCHEDULERS
from deepwell.search.spaces._distribution import plain
from deepwell.search.spaces._space import Space

_SEED = IntegerInterval(0, 2**63 - 1)


@dataclass(frozen=True)
class Settings:
    """The choices of a study; its trials' curves depend on their specs alone.

    Attributes:
        space: what is searched, fixed values included.
        search: how configurations are proposed.
        scheduler: which trials go on at a rung.
        seed: of proposals, initial weights, masks and batch order, below 2^63.
        metric: what is selected by and reported.
        best_possible: best score that anything could reach on this task, if it is known; at most
            1 for a metric in [0, 1].
    """

    space: Space
    search: str
    scheduler: str
    seed: int
    metric: str
    best_possible: float | None = None

    def __post_init__(self) -> None:
        _ = SAMPLERS[self.search], SCHEDULERS[self.scheduler]  # an unknown name is refused
        for name in ("seed", "best_possible"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        if not _SEED.accepts(self.seed):
            raise UsageError(f"`seed` must be {_SEED.describe()}, got {_shown(self.seed)}")
        bounded = METRICS[self.metric].bounded
        scores = Interval(0.0, 1.0 if bounded else math.inf)
        if self.best_possible is not None and not scores.accepts(self.best_possible):
            tip = "; give it as a fraction, as in 0.02 for 2 %" if bounded else ""
            raise UsageError(
                f"`best_possible` must be a number {scores.describe()}, "
                f"got {_shown(self.best_possible)}{tip}"
            )


def _shown(value: object) -> str:
    return safe_text(repr(value))
