"""Constraints as data, used to validate, to build spaces, to write the docs and to test."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ._changes import Changes
from ._errors import did_you_mean


@dataclass(frozen=True)
class Interval:
    """Real numbers between `low` and `high`; each end is closed unless its flag says otherwise."""

    low: float
    high: float
    low_closed: bool = True
    high_closed: bool = True

    def accepts(self, value: object) -> bool:
        """Whether `value` is a finite real number inside the interval."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        try:
            finite = math.isfinite(value)
        except OverflowError:  # a whole number beyond every float
            return False
        if not finite:
            return False
        above = value >= self.low if self.low_closed else value > self.low
        below = value <= self.high if self.high_closed else value < self.high
        return above and below

    def describe(self) -> str:
        """Return the range in words, as in `in [0, 1)`."""
        if math.isinf(self.high):
            return f"{'at least' if self.low_closed else 'above'} {self.low:g}"
        left = "[" if self.low_closed else "("
        right = "]" if self.high_closed else ")"
        return f"in {left}{self.low:g}, {self.high:g}{right}"

    def wrong_values(self) -> Iterator[object]:
        """Yield values just outside: what a test must see refused."""
        yield self.low - 1
        if not self.low_closed:
            yield self.low
        if not math.isinf(self.high):
            yield self.high + 1
            if not self.high_closed:
                yield self.high
        yield math.nan
        yield math.inf
        yield "text"


@dataclass(frozen=True)
class IntegerInterval:
    """Whole numbers from `low` to `high`, both included, all or only the odd ones."""

    low: int
    high: int
    odd: bool = False

    def accepts(self, value: object) -> bool:
        """Whether `value` is a whole number inside the interval."""
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return self.low <= value <= self.high and (value % 2 == 1 or not self.odd)

    def describe(self) -> str:
        """Return the range in words."""
        kind = "an odd number" if self.odd else "a whole number"
        return f"{kind} from {self.low:,} to {self.high:,}"

    def wrong_values(self) -> Iterator[object]:
        """Yield values just outside: what a test must see refused."""
        yield self.low - 1
        yield self.high + 1
        yield self.low + 0.5
        if self.odd:
            yield self.low + self.low % 2
        yield "text"


@dataclass(frozen=True)
class OneOf:
    """One of a few names, or a Python name behind `prefix`, which a family beyond ours owns.

    Attributes:
        choices: the names.
        prefix: of the names of others; empty where there are none.
        elsewhere: (a name that people know, what it is here), for the error message.
    """

    choices: tuple[str, ...]
    prefix: str = ""
    elsewhere: tuple[tuple[str, str], ...] = ()

    def accepts(self, value: object) -> bool:
        """Whether `value` is one of the names."""
        if not isinstance(value, str):
            return False
        return value in self.choices or self._is_foreign(value)

    def describe(self) -> str:
        """Return the names."""
        foreign = f" or {self.prefix}NAME" if self.prefix else ""
        return "one of " + ", ".join(self.choices) + foreign

    def hint(self, value: object) -> str:
        """Return what a known name is here, a "did you mean" for a near miss, or nothing."""
        known = dict(self.elsewhere).get(str(value).lower())
        return f"; {known}" if known else did_you_mean(str(value), self.choices)

    def wrong_values(self) -> Iterator[object]:
        """Yield values just outside: what a test must see refused."""
        yield "no-such-choice"
        yield 3
        if self.prefix:
            yield self.prefix
            yield f"{self.prefix}no name"

    def _is_foreign(self, value: str) -> bool:
        name = value.removeprefix(self.prefix)
        return bool(self.prefix) and name != value and name.isidentifier() and name.isascii()


@dataclass(frozen=True)
class EachOf:
    """One value, or a list of values, of which each obeys `item`."""

    item: IntegerInterval | Interval

    def accepts(self, value: object) -> bool:
        """Whether the value, or each value of a non-empty list, obeys."""
        if isinstance(value, list | tuple):
            return bool(value) and all(self.item.accepts(v) for v in value)
        return self.item.accepts(value)

    def describe(self) -> str:
        """Return the rule in words."""
        if isinstance(self.item, Interval):
            return self.item.describe()
        return f"{self.item.describe()}, or a list of such, one a layer"

    def wrong_values(self) -> Iterator[object]:
        """Yield values just outside: what a test must see refused."""
        yield from self.item.wrong_values()
        yield []
        yield [self.item.low, self.item.low - 1]


Constraint = Interval | IntegerInterval | OneOf | EachOf | Changes
