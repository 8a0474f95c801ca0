"""What a study is asked to do, checked once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from deepwell._base._constraints import IntegerInterval, Interval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._folds import FOLDS
from deepwell.diagnosis._metrics import METRICS
from deepwell.search.samplers._registry import SAMPLERS
from deepwell.search.schedulers._across_folds import across_folds
from deepwell.search.schedulers._registry import SCHEDULERS
from deepwell.search.schedulers._scheduler import Scheduler
from deepwell.search.spaces._distribution import plain
from deepwell.search.spaces._fixed import Fixed
from deepwell.search.spaces._space import Space

from ._probe_choice import BEST, Choice, Probing, checked_choice, checked_every

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
        folds: into how many folds train and dev rows are cut; 0 for one split.
        probe: which networks are looked into: `best`, `all`, `none`, or numbers of trials beside
            the best one.
        probe_every: epochs from probe to probe; 0 for after 1, 2, 4, 8, ... epochs.
    """

    space: Space
    search: str
    scheduler: str
    seed: int
    metric: str
    best_possible: float | None = None
    folds: int = 0
    probe: Choice = BEST
    probe_every: int = 0

    def __post_init__(self) -> None:
        _ = SAMPLERS[self.search], SCHEDULERS[self.scheduler]  # an unknown name is refused
        for name in ("seed", "best_possible", "folds"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        object.__setattr__(self, "probe", checked_choice(self.probe))
        if self.probe_every != 0:
            object.__setattr__(self, "probe_every", checked_every(self.probe_every))
        if not _SEED.accepts(self.seed):
            raise UsageError(f"`seed` must be {_SEED.describe()}, got {_shown(self.seed)}")
        if self.folds != 0 and not FOLDS.accepts(self.folds):
            raise UsageError(f"`folds` must be {FOLDS.describe()}, got {_shown(self.folds)}")
        bounded = METRICS[self.metric].bounded
        scores = Interval(0.0, 1.0 if bounded else math.inf)
        if self.best_possible is not None and not scores.accepts(self.best_possible):
            tip = "; give it as a fraction, as in 0.02 for 2 %" if bounded else ""
            raise UsageError(
                f"`best_possible` must be a number {scores.describe()}, "
                f"got {_shown(self.best_possible)}{tip}"
            )


def convolves(space: Space) -> bool:
    """Return whether networks of a space may have convolutional layers."""
    if "conv_layers" in space:
        entry = space["conv_layers"]
        return not (isinstance(entry, Fixed) and entry.value == 0)
    channels = space.get("conv_channels")
    return isinstance(channels, Fixed) and isinstance(channels.value, tuple)


def probing_of(settings: Settings) -> Probing:
    """Return which networks are looked into, and when."""
    return Probing(settings.probe, settings.probe_every)


def scheduler_of(settings: Settings) -> Scheduler:
    """Return what decides at rungs: on trials, or on means over folds."""
    scheduler = SCHEDULERS[settings.scheduler]
    return across_folds(scheduler, settings.folds) if settings.folds else scheduler


def optimizers_of(space: Space) -> tuple[str, ...]:
    """Return the optimizers that networks of a space may have."""
    entry = space.get("optimizer")
    count = entry.count() if entry is not None else None
    if entry is None or count is None:
        return ()
    return tuple(str(entry.from_unit((i + 0.5) / count)) for i in range(count))


def _shown(value: object) -> str:
    return safe_text(repr(value))
