"""Positive numbers whose logarithms are equally likely."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value

from ._distribution import apart, real_end, rising, unit_of, value_text


@dataclass(frozen=True)
class Log:
    """Positive numbers: log(value) = log(low) + u (log(high) - log(low))."""

    low: float
    high: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", real_end("log", self.low))
        object.__setattr__(self, "high", real_end("log", self.high))
        rising("log", self.low, self.high)
        if self.low <= 0:
            raise UsageError(
                f"log takes numbers above 0, got {value_text(self.low)}; start at a small "
                "positive number, or use uniform"
            )
        apart("log", self.low, self.high, self._span())

    def to_unit(self, value: Value) -> float:
        """Return where `value` lies in [0, 1]."""
        number = unit_of(value, self.low, self.high, self)
        share = (math.log(number) - math.log(self.low)) / self._span()
        return min(max(share, 0.0), 1.0)

    def from_unit(self, unit: float) -> float:
        """Return the value at `unit`."""
        if unit <= 0:
            return self.low
        value = math.exp(math.log(self.low) + unit * self._span())
        # Rounding must not move the ends.
        return self.high if unit >= 1 else min(max(value, self.low), self.high)

    def describe(self) -> str:
        """Return `log(low, high)`."""
        return f"log({value_text(self.low)}, {value_text(self.high)})"

    def count(self) -> None:
        """Return None: the values are a continuum."""
        return

    def over(self, check: Callable[[object], Value]) -> Log:
        """Return the distribution after both ends were accepted."""
        check(self.low)
        check(self.high)
        return self

    def _span(self) -> float:
        return math.log(self.high) - math.log(self.low)


def log(low: float, high: float) -> Log:
    """Return positive numbers between `low` and `high` whose logarithms are equally likely.

    For hyperparameters that matter by their order of magnitude, as `learning_rate`: each decade
    gets the same share of the draws. `log(1e-4, 1)` is 10^r with r uniform in -4..0.

    >>> round(log(1e-4, 1).from_unit(0.5), 12)
    0.01

    Raises:
        UsageError: when the ends are not positive finite numbers, the first below the second.
    """
    return Log(low, high)
