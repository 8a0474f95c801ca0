"""Distributions that only Optuna has: numbers in steps, and whole numbers on a log scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value
from deepwell.search.spaces._distribution import unit_of, value_text


@dataclass(frozen=True)
class Stepped:
    """The numbers low, low + step, ... with the same share of [0, 1] each; whole if both are.

    The last one is `high` itself, which low + k step may exceed by rounding.
    """

    low: float
    high: float
    step: float

    def to_unit(self, value: Value) -> float:
        """Return the middle of the share of `value`."""
        slack = 1e-8 * self.step
        number = unit_of(value, self.low - slack, self.high + slack, self)
        place = (number - self.low) / self.step
        if abs(place - round(place)) > 1e-6:
            raise UsageError(f"the value {value_text(value)} does not lie in {self.describe()}")
        return (round(place) + 0.5) / self.count()

    def from_unit(self, unit: float) -> float:
        """Return the value whose share holds `unit`."""
        last = self.count() - 1
        return min(self.low + self.step * min(max(int(unit * self.count()), 0), last), self.high)

    def describe(self) -> str:
        """Return `stepped(low, high, step)`."""
        return f"stepped({self.low:g}, {self.high:g}, {self.step:g})"

    def count(self) -> int:
        """Return how many values there are."""
        return round((self.high - self.low) / self.step) + 1

    def over(self, check: Callable[[object], Value]) -> Stepped:
        """Return the distribution after both ends were accepted."""
        check(self.from_unit(0.0))
        check(self.from_unit(1.0))
        return self


@dataclass(frozen=True)
class LogInteger:
    """Whole numbers whose logarithms are equally likely: k has the share of (k - 1/2, k + 1/2)."""

    low: int
    high: int

    def to_unit(self, value: Value) -> float:
        """Return where `value` lies in [0, 1]."""
        number = unit_of(value, self.low, self.high, self)
        return (math.log(number) - math.log(self.low - 0.5)) / self._span()

    def from_unit(self, unit: float) -> int:
        """Return the value whose share holds `unit`."""
        number = math.exp(math.log(self.low - 0.5) + unit * self._span())
        return min(max(math.floor(number + 0.5), self.low), self.high)

    def describe(self) -> str:
        """Return `log_integer(low, high)`."""
        return f"log_integer({self.low}, {self.high})"

    def count(self) -> None:
        """Return None: the values do not have equal shares, as those of an axis with steps have."""
        return

    def over(self, check: Callable[[object], Value]) -> LogInteger:
        """Return the distribution after both ends were accepted."""
        check(self.low)
        check(self.high)
        return self

    def _span(self) -> float:
        return math.log(self.high + 0.5) - math.log(self.low - 0.5)
