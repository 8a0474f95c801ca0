"""What a study is asked to do, checked once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from deepwell._base._constraints import IntegerInterval, Interval
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import HYPERPARAMETERS, changes_of
from deepwell._base._safe_text import safe_text
from deepwell.data._folds import FOLDS
from deepwell.diagnosis._metrics import METRICS
from deepwell.execution._backends import needs_jax
from deepwell.search.samplers._named import sampler_named
from deepwell.search.schedulers._across_folds import across_folds
from deepwell.search.schedulers._pbt import changeable
from deepwell.search.schedulers._registry import SCHEDULERS
from deepwell.search.schedulers._scheduler import Scheduler
from deepwell.search.spaces._choice import Choice
from deepwell.search.spaces._distribution import plain
from deepwell.search.spaces._fixed import Fixed
from deepwell.search.spaces._space import Space

from ._image_space import convolves
from ._probe_choice import BEST, NONE, Chosen, Probing, checked_choice, checked_every
from ._retention import BEST as KEPT_BEST
from ._retention import checked_checkpoints

SEARCH = "random"
"""How configurations are proposed where nobody says it."""

_BY_TIME = "tpe"
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
        checkpoints: whose last states are kept: `best`, `all`, or of how many of the best networks.
    """

    space: Space
    search: str
    scheduler: str
    seed: int
    metric: str
    best_possible: float | None = None
    folds: int = 0
    probe: Chosen = BEST
    probe_every: int = 0
    checkpoints: str | int = KEPT_BEST

    def __post_init__(self) -> None:
        _ = sampler_named(self.search), SCHEDULERS[self.scheduler]  # an unknown name is refused
        for name in ("seed", "best_possible", "folds"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        object.__setattr__(self, "probe", checked_choice(self.probe))
        object.__setattr__(self, "checkpoints", checked_checkpoints(self.checkpoints))
        if self.probe_every != 0:
            object.__setattr__(self, "probe_every", checked_every(self.probe_every))
            if self.probe == NONE:
                raise UsageError(
                    "`probe_every` needs networks to look into, and `probe` is none; leave one out"
                )
        if not _SEED.accepts(self.seed):
            raise UsageError(f"`seed` must be {_SEED.describe()}, got {_shown(self.seed)}")
        if self.folds != 0 and not FOLDS.accepts(self.folds):
            raise UsageError(f"`folds` must be {FOLDS.describe()}, got {_shown(self.folds)}")
        checked_best(self.best_possible, METRICS[self.metric].bounded)
        _check_forks(self)


def search_by_time(scheduler: str, program: str) -> str:
    """Return who proposes where nobody says it and networks are trained while time is left.

    Rounds are small then, so that scores steer soon (docs/strategy.md). A program that is compiled
    pays for each round, and of a population, or of networks that nobody waits for, there are many
    at a time.

    Args:
        scheduler: of the study.
        program: what trains, `native` or `jax`.
    """
    known = SCHEDULERS[scheduler]
    together = known.forks or known.wave > 0
    return SEARCH if together or program != "native" else _BY_TIME


def _check_forks(settings: Settings) -> None:
    """Refuse copies of networks where they make no sense."""
    scheduler = scheduler_of(settings)  # which refuses folds
    if scheduler.forks and not changeable(settings.space):
        name = settings.scheduler
        raise UsageError(
            f"{name} changes numbers while networks train, and the space searches none that can "
            "change; search one, as in --space learning_rate=log(1e-4,1e-1), or choose another "
            "scheduler"
        )


def checked_best(best_possible: object, bounded: bool) -> float | None:
    """Return the best possible score that a person gave, or None.

    Args:
        best_possible: what came.
        bounded: whether the metric is in [0, 1].

    Raises:
        UsageError: when it is no score.
    """
    value = plain(best_possible)
    scores = Interval(0.0, 1.0 if bounded else math.inf)
    if value is None or (isinstance(value, int | float) and scores.accepts(value)):
        return value
    tip = "; give it as a fraction, as in 0.02 for 2 %" if bounded else ""
    raise UsageError(
        f"`best_possible` must be a number {scores.describe()}, got {_shown(value)}{tip}"
    )


def probing_of(settings: Settings) -> Probing:
    """Return which networks are looked into, and when."""
    return Probing(settings.probe, settings.probe_every)


def check_networks(space: Space, program: str | None) -> None:
    """Refuse, before any work, a space with networks that cannot be trained.

    Args:
        space: what is searched.
        program: `native`, `jax`, or None for the one that can.

    Raises:
        UsageError: when the native program is asked for what JAX alone trains, or a convolution
            for an activation without one.
    """
    if convolves(space):
        if program == "native":
            raise UsageError(
                "convolutions train in the JAX program; leave `program` out, or take conv_layers=0"
            )
        if "maxout" in _names(space, "activation"):
            raise UsageError("maxout has no convolutional form; choose another activation")
    reason = needs_jax(optimizers_of(space))
    if reason and program == "native":
        raise UsageError(
            f"the native program cannot train {reason}; leave out the program, or take jax"
        )


def check_changes_come(space: Space) -> None:
    """Refuse changes that no network of a space lives to see.

    Raises:
        UsageError: when one comes after the last epoch of the longest network.
    """
    entry = space.get("epochs", Fixed(HYPERPARAMETERS["epochs"].default or 0))
    ends = entry.values if isinstance(entry, Choice) else (entry.from_unit(1.0),)
    longest = max(int(end) for end in ends)  # type: ignore[arg-type]
    for text in _names(space, "change"):
        last = max(changes_of(text), default=0)
        if last >= longest:
            raise UsageError(
                f"`change` after epoch {last} never comes, since networks train {longest} epochs; "
                "name an earlier epoch, or give more `epochs`"
            )


def scheduler_of(settings: Settings) -> Scheduler:
    """Return what decides at rungs: on trials, or on means over folds."""
    scheduler = SCHEDULERS[settings.scheduler]
    return across_folds(scheduler, settings.folds) if settings.folds else scheduler


def optimizers_of(space: Space) -> tuple[str, ...]:
    """Return the optimizers that networks of a space may have."""
    return _names(space, "optimizer")


def _names(space: Space, name: str) -> tuple[str, ...]:
    """Return all values that a hyperparameter of words may have; none where it is left out."""
    entry = space.get(name)
    count = entry.count() if entry is not None else None
    if entry is None or count is None:
        return ()
    return tuple(str(entry.from_unit((i + 0.5) / count)) for i in range(count))


def _shown(value: object) -> str:
    return safe_text(repr(value))
