"""Real numbers, all equally likely."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deepwell._base._hyperparameters import Value

from ._distribution import real_end, rising, unit_of, value_text


@dataclass(frozen=True)
class Uniform:
    """Real numbers between `low` and `high`: value = low + u (high - low)."""

    low: float
    high: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", real_end("uniform", self.low))
        object.__setattr__(self, "high", real_end("uniform", self.high))
        rising("uniform", self.low, self.high)

    def to_unit(self, value: Value) -> float:
        """Return where `value` lies in [0, 1]."""
        number = unit_of(value, self.low, self.high, self)
        return (number - self.low) / (self.high - self.low)

    def from_unit(self, unit: float) -> float:
        """Return the value at `unit`."""
        value = self.low + unit * (self.high - self.low)
        # Rounding must not move the ends.
        return self.high if unit >= 1 else min(max(value, self.low), self.high)

    def describe(self) -> str:
        """Return `uniform(low, high)`."""
        return f"uniform({value_text(self.low)}, {value_text(self.high)})"

    def count(self) -> None:
        """Return None: the values are a continuum."""
        return

    def over(self, check: Callable[[object], Value]) -> Uniform:
        """Return the distribution after both ends were accepted."""
        check(self.low)
        check(self.high)
        return self


def uniform(low: float, high: float) -> Uniform:
    """Return real numbers between `low` and `high`, all equally likely.

    For hyperparameters whose effect is about as strong at one end as at the other, as `dropout`.

    >>> uniform(0, 0.5).from_unit(0.5)
    0.25

    Raises:
        UsageError: when the ends are not finite numbers, the first below the second.
    """
    return Uniform(low, high)
