"""Whole numbers, all equally likely."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value
from deepwell._base._safe_text import safe_text

from ._distribution import plain, unit_of

_LARGEST = 2**51  # beyond it the middle of a share is no float64, or neighbors have the same


@dataclass(frozen=True)
class Integer:
    """Whole numbers from `low` to `high`, both included, each with the same share of [0, 1]."""

    low: int
    high: int

    def __post_init__(self) -> None:
        for end in ("low", "high"):
            number = plain(getattr(self, end))
            if isinstance(number, bool) or not isinstance(number, int):
                raise UsageError(f"integer takes two whole numbers, got {safe_text(repr(number))}")
            object.__setattr__(self, end, number)
            if abs(number) > _LARGEST:
                raise UsageError(
                    f"integer takes whole numbers of up to 2**51, which real numbers can tell "
                    f"apart, got one of {number.bit_length()} bits"
                )
        if self.low > self.high:
            raise UsageError(
                f"the first number of integer must not exceed the second, "
                f"got ({self.low}, {self.high})"
            )

    def to_unit(self, value: Value) -> float:
        """Return the middle of the share of `value`."""
        number = unit_of(value, self.low, self.high, self)
        if number != int(number):
            raise UsageError(f"the value {value} does not lie in {self.describe()}")
        return (int(number) - self.low + 0.5) / self.count()

    def from_unit(self, unit: float) -> int:
        """Return the value whose share holds `unit`."""
        return self.low + min(max(int(unit * self.count()), 0), self.count() - 1)

    def describe(self) -> str:
        """Return `integer(low, high)`."""
        return f"integer({self.low}, {self.high})"

    def count(self) -> int:
        """Return how many whole numbers there are."""
        return self.high - self.low + 1

    def over(self, check: Callable[[object], Value]) -> Integer:
        """Return the distribution after both ends were accepted."""
        check(self.low)
        check(self.high)
        return self


def integer(low: int, high: int) -> Integer:
    """Return the whole numbers from `low` to `high`, both included, all equally likely.

    >>> [integer(2, 4).from_unit(u) for u in (0.0, 0.5, 1.0)]
    [2, 3, 4]

    Raises:
        UsageError: when the ends are not whole numbers in rising order.
    """
    return Integer(low, high)
