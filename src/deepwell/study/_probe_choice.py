"""Which networks of a study a person wants to look into, and how often."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import cast

from deepwell._base._constraints import IntegerInterval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.execution._probe_plan import ProbePlan
from deepwell.search.spaces._distribution import plain

Chosen = str | tuple[int, ...]

BEST, ALL, NONE = WAYS = ("best", "all", "none")

_EVERY = IntegerInterval(1, 1_000_000)
_NUMBER = IntegerInterval(0, 10**9)
_DIGITS = 10


@dataclass(frozen=True)
class Probing:
    """What of a study is looked into.

    Attributes:
        choice: `best`, `all`, `none`, or numbers of trials beside the best one.
        every: epochs from probe to probe; 0 for after 1, 2, 4, 8, ... epochs.
    """

    choice: Chosen = BEST
    every: int = 0

    def plan(self, trials: Collection[int]) -> ProbePlan | None:
        """Return what the engine is asked for, None for nothing."""
        return ProbePlan(frozenset(trials), self.every) if trials else None


def checked_choice(probe: object) -> Chosen:
    """Return which networks are meant: `best`, `all`, `none`, or numbers of trials.

    >>> checked_choice("3, 17")
    (3, 17)

    Raises:
        UsageError: when it is none of these.
    """
    if isinstance(probe, str) and probe in WAYS:
        return probe
    given: list[object] = []
    if isinstance(probe, str):
        given = [_number(part.strip()) for part in probe.split(",")]
    elif isinstance(probe, Iterable):
        given = [plain(number) for number in cast(Iterable[object], probe)]
    elif not isinstance(probe, bool):
        given = [plain(probe)]
    numbers = [n for n in given if isinstance(n, int) and _NUMBER.accepts(n)]
    if not numbers or len(numbers) != len(given):
        raise UsageError(
            f"`probe` must be best, all, none, or numbers of trials such as 3,17, "
            f"got {safe_text(repr(cast(object, probe)))}"
        )
    return tuple(sorted(set(numbers)))


def check_numbers(choice: Chosen, trials: int) -> None:
    """Refuse numbers of trials that a study will not have.

    Args:
        choice: which networks are meant.
        trials: of the study, counted from 0.

    Raises:
        UsageError: when one is too large.
    """
    beyond = [] if isinstance(choice, str) else [n for n in choice if n >= trials]
    if beyond:
        raise UsageError(
            f"`probe` names trial {beyond[0]:,}, and there are {trials:,}, counted from 0: "
            f"take 0 to {trials - 1:,}"
        )


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else text


def checked_every(every: object) -> int:
    """Return after how many epochs each probe is, 0 for the default.

    Raises:
        UsageError: when it is no whole number above 0.
    """
    number = plain(every)
    if number is None:
        return 0
    if not _EVERY.accepts(number):
        raise UsageError(f"`probe_every` must be {_EVERY.describe()}, got {safe_text(repr(every))}")
    assert isinstance(number, int)
    return number
