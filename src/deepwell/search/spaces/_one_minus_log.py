"""Numbers below 1 whose distance from 1 is log-uniform."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value

from ._distribution import apart, real_end, rising, unit_of, value_text


@dataclass(frozen=True)
class OneMinusLog:
    """Numbers below 1: log(1 - value) = log(1 - low) + u (log(1 - high) - log(1 - low))."""

    low: float
    high: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", real_end("one_minus_log", self.low))
        object.__setattr__(self, "high", real_end("one_minus_log", self.high))
        rising("one_minus_log", self.low, self.high)
        if self.high >= 1:
            raise UsageError(
                f"one_minus_log takes values below 1, as in one_minus_log(0.9, 0.999), "
                f"got {value_text(self.high)}"
            )
        apart("one_minus_log", self.low, self.high, self._span())

    def to_unit(self, value: Value) -> float:
        """Return where `value` lies in [0, 1]."""
        number = unit_of(value, self.low, self.high, self)
        share = math.log((1 - number) / (1 - self.low)) / self._span()
        return min(max(share, 0.0), 1.0)

    def from_unit(self, unit: float) -> float:
        """Return the value at `unit`."""
        value = 1 - (1 - self.low) * math.exp(unit * self._span())
        # Rounding must not move the ends.
        return self.high if unit >= 1 else min(max(value, self.low), self.high)

    def describe(self) -> str:
        """Return `one_minus_log(low, high)`."""
        return f"one_minus_log({value_text(self.low)}, {value_text(self.high)})"

    def count(self) -> None:
        """Return None: the values are a continuum."""
        return

    def over(self, check: Callable[[object], Value]) -> OneMinusLog:
        """Return the distribution after both ends were accepted."""
        check(self.low)
        check(self.high)
        return self

    def _span(self) -> float:
        return math.log((1 - self.high) / (1 - self.low))


def one_minus_log(low: float, high: float) -> OneMinusLog:
    """Return numbers between `low` and `high`, below 1, with 1 - value log-uniform.

    For the weights of averages, as `beta1`: an average with weight b looks back over about
    1 / (1 - b) steps, so 0.9 -> 0.9005 changes little while 0.999 -> 0.9995 doubles the window.
    Half of the draws from `one_minus_log(0.9, 0.999)` lie above 0.99.

    >>> round(one_minus_log(0.9, 0.999).from_unit(0.5), 12)
    0.99

    Raises:
        UsageError: when the ends are not finite numbers below 1, the first below the second.
    """
    return OneMinusLog(low, high)
