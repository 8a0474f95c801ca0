"""What a study is asked to do, checked once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._hyperparameters import Value
from deepwell.search.spaces._space import Space

SEARCHES = ("random",)
SCHEDULERS = ("halving", "none")


@dataclass(frozen=True)
class Settings:
    """The choices of a study; its trials' curves depend on their specs alone.

    Attributes:
        space: what is searched, fixed values included.
        search: how configurations are proposed.
        scheduler: which trials go on at a rung.
        seed: of proposals, initial weights, masks and batch order.
        metric: what is selected by and reported.
        best_possible: best score that anything could reach on this task, if it is known.
        fixed: hyperparameters that were fixed by hand, for the record.
    """

    space: Space
    search: str
    scheduler: str
    seed: int
    metric: str
    best_possible: float | None = None
    fixed: Mapping[str, Value] = field(default_factory=dict[str, Value])

    def __post_init__(self) -> None:
        _one_of("search", self.search, SEARCHES)
        _one_of("scheduler", self.scheduler, SCHEDULERS)
        bound = self.best_possible
        if bound is not None and not (math.isfinite(bound) and bound >= 0):
            raise UsageError(
                f"`best_possible` must be a finite score of 0 or more, got {bound:g}; "
                "give it as a fraction, as in 0.02 for 2 %"
            )
        if self.seed < 0:
            raise UsageError(f"`seed` must be 0 or more, got {self.seed}")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        hint = did_you_mean(value, known)
        raise UsageError(f'unknown {name} "{value}"{hint}; choose one of {", ".join(known)}')
