"""What a study is asked to do beyond what it was begun with, by the same way or another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deepwell._base._constraints import IntegerInterval
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import HYPERPARAMETERS
from deepwell._base._safe_text import safe_text
from deepwell.records import Status, Trial
from deepwell.search.spaces._allowed import constraints_of
from deepwell.search.spaces._constraint import Constraint
from deepwell.search.spaces._distribution import plain
from deepwell.search.spaces._plain import (
    entries_from_plain,
    entries_to_plain,
    space_from_plain,
    space_to_plain,
)
from deepwell.search.spaces._space import Space, with_entries

from ._asked import Asked
from ._given import YOU, Given, settled
from ._settings import Settings

NARROW = "narrow"
EXTEND = "extend"
TRIALS = IntegerInterval(1, 1_000_000)


@dataclass(frozen=True)
class More:
    """What is asked for on top; nothing where all is left out.

    Attributes:
        trials: further networks, or None.
        space: entries that take the place of the space's or join them; a whole `Space` takes the
            place of all.
        constraints: that hold from now on beside those of the space.
        search: the sampler from now on, or None for the same.
        given: configurations to try first.
        epochs: further ones for the networks that trained to their last one, or None.
    """

    trials: int | None = None
    space: Mapping[str, object] | None = None
    constraints: Sequence[str | Constraint] = ()
    search: str | None = None
    given: Sequence[Mapping[str, object]] = ()
    epochs: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "trials", checked_trials(self.trials))
        object.__setattr__(self, "epochs", checked_epochs(self.epochs))
        object.__setattr__(self, "constraints", constraints_of(self.constraints))

    @property
    def changes(self) -> bool:
        """Whether the search goes on otherwise than before."""
        return self.reroutes or bool(self.given)

    @property
    def reroutes(self) -> bool:
        """Whether what is searched, or by which sampler, is another one than before."""
        return bool(self.space is not None or self.constraints or self.search)

    def check(self, budget: float | None) -> None:
        """Refuse a change without networks to train by it.

        Raises:
            UsageError: when neither trials nor a budget are given, or more configurations than
                trials.
        """
        if self.epochs is not None and self.given and self.trials is None:
            raise UsageError(
                "configurations of your own need networks beside those that train for longer: say "
                f"how many, as in trials={len(self.given)} (--trials {len(self.given)})"
            )
        if self.trials is not None and len(self.given) > self.trials:
            raise UsageError(
                f"{len(self.given)} configurations of your own need as many networks, and trials "
                f"is {self.trials}; ask for {len(self.given)} or more"
            )
        if self.changes and not (self.trials or self.epochs) and budget is None:
            raise UsageError(
                "another space, sampler or configuration needs networks to train: say how many, "
                "as in trials=64 (--trials 64), or how long, as in budget='5m' (--budget 5m)"
            )

    def settings(self, old: Settings) -> Settings:
        """Return what the study does from now on.

        Raises:
            UsageError: when the new space cannot be.
        """
        if isinstance(self.space, Space):
            space = Space(self.space, (*self.space.constraints, *self.constraints))
        else:
            space = with_entries(old.space, self.space or {}, self.constraints)
        return replace(old, space=space, search=self.search or old.search)

    def asked(
        self,
        old: Asked,
        proposed: int,
        spent: float,
        budget: float | None,
        longer: Sequence[Given] = (),
    ) -> Asked:
        """Return all that a study is asked to do, the past included.

        Args:
            old: what it was asked to do.
            proposed: configurations so far, copies not counted.
            spent: seconds of work so far.
            budget: seconds from now on, None for no limit.
            longer: the configurations that are trained again, for longer; they come first.
        """
        settings = self.settings(old.settings)
        known, after = len(old.given), proposed + len(longer)
        given = tuple(
            Given(settled(settings.space, values, settings.seed, known + n), YOU, after)
            for n, values in enumerate(self.given)
        )
        counted = self.trials is not None or longer
        trials = after + (self.trials or 0) if counted else None
        return replace(
            old,
            settings=settings,
            trials=trials,
            points=trials if self.reroutes else old.points,  # the same grid gets finer
            budget=None if budget is None else spent + budget,
            given=(*old.given, *longer, *given),
        )


def way_to_plain(more: More) -> dict[str, object]:
    """Return the changes of space and sampler that are asked for, as plain values.

    They are kept as they were asked for: what another one asks for at the same time stays.
    """
    whole = more.space if isinstance(more.space, Space) else None
    return {
        "space": None if whole is None else space_to_plain(whole),
        "entries": [] if whole is not None else entries_to_plain(more.space or {}),
        "constraints": [one.text for one in constraints_of(more.constraints)],
        "search": more.search,
    }


def way_from_plain(plain: Mapping[str, Any]) -> More:
    """Return what `way_to_plain` described.

    Raises:
        UsageError: when a range is none of Deepwell's own.
    """
    whole = plain.get("space")
    entries = entries_from_plain(plain.get("entries", ()))
    return More(
        space=(entries or None) if whole is None else space_from_plain(whole),
        constraints=plain.get("constraints", ()),
        search=plain.get("search"),
    )


def checked_trials(trials: object) -> int | None:
    """Return a number of networks, or None for none given.

    Raises:
        UsageError: when it is no such number.
    """
    number = plain(trials)
    if number is None or (isinstance(number, int) and TRIALS.accepts(number)):
        return number
    raise UsageError(f"`trials` must be {TRIALS.describe()}, got {safe_text(repr(trials))}")


def checked_epochs(epochs: object) -> int | None:
    """Return a number of epochs, or None for none given.

    Raises:
        UsageError: when it is no such number.
    """
    number, allowed = plain(epochs), HYPERPARAMETERS["epochs"].constraint
    if number is None or (isinstance(number, int) and allowed.accepts(number)):
        return number
    raise UsageError(f"`epochs` must be {allowed.describe()}, got {safe_text(repr(epochs))}")


def longer_ones(trials: Sequence[Trial], folds: int, epochs: int, proposed: int) -> list[Given]:
    """Return the configurations that trained to their last epoch, to be trained for longer.

    They begin anew, since no state of a finished network is needed to be kept for that: a curve
    follows from the configuration and its seed alone, so the epochs that they had come out as they
    were, bit for bit, where rates do not depend on the number of epochs.

    Args:
        trials: all of a study, in the order of their numbers.
        folds: of the study, 0 without.
        epochs: how many more.
        proposed: configurations so far.

    Raises:
        UsageError: when no network trained to its last epoch.
    """
    each = folds or 1
    groups = [trials[first : first + each] for first in range(0, len(trials), each)]
    ended = [
        group
        for group in groups
        if all(t.status is Status.FINISHED and t.epochs == t.spec.whole("epochs") for t in group)
    ]
    if not ended:
        raise UsageError(
            "no network of the study trained to its last epoch, so none can train for longer; "
            "train new ones, as in trials=64 (--trials 64)"
        )
    return [
        Given(
            # What a network has none of, as channels, follows from its layers again.
            {name: value for name, value in first.spec.hyperparameters.items() if value != ()}
            | {"epochs": first.epochs + epochs},
            f"you, to train for {epochs:,} more epochs",
            proposed,
            first.number,
        )
        for first, *_ in sorted(ended, key=lambda group: group[0].rank_key())
    ]


def narrowed(old: Settings, new: Settings) -> dict[str, object] | None:
    """Return what the event `narrow` keeps: the old and the new way; None where nothing changed."""
    if old.space == new.space and old.search == new.search:
        return None
    return {
        "space": space_to_plain(new.space),
        "was": space_to_plain(old.space),
        "search": new.search,
        "searched_by": old.search,
    }
