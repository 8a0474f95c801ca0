"""The contract of a distribution: real values on one side, the unit interval on the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol, cast, runtime_checkable

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value
from deepwell._base._safe_text import safe_text

_LONGEST = 2_000  # of a value as text, so that what is written is read back


@runtime_checkable
class Distribution(Protocol):
    """How the values of one hyperparameter are spread.

    A sampler works in [0, 1]; equal lengths of it are equally likely. The map between the two
    sides is monotone, and `from_unit(to_unit(value))` gives the value back (exactly for whole
    numbers and choices, to rounding for real numbers).
    """

    def to_unit(self, value: Value) -> float:
        """Return where `value` lies in [0, 1]; a discrete value gives the middle of its share.

        Raises:
            UsageError: when `value` is not one of the distribution's.
        """
        ...

    def from_unit(self, unit: float) -> Value:
        """Return the value at `unit`, a number in [0, 1]."""
        ...

    def describe(self) -> str:
        """Return the text that `parse_entry` reads back, as in `log(0.0001, 1)`."""
        ...

    def count(self) -> int | None:
        """Return how many values there are, or None where they are a continuum."""
        ...

    def over(self, check: Callable[[object], Value]) -> Distribution:
        """Return the distribution after `check` has accepted its ends, or all of its choices.

        Hyperparameter constraints are convex, so two good ends make a good range.
        """
        ...


def plain(value: object) -> object:
    """Return a NumPy scalar as the Python number that it holds, anything else unchanged."""
    return cast(object, value.item()) if isinstance(value, np.generic) else value


def real_end(kind: str, value: object) -> float:
    """Return one end of a range of real numbers.

    Raises:
        UsageError: when it is not a finite number.
    """
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise UsageError(f"{kind} takes two numbers, got {safe_text(repr(number))}")
    if abs(number) > 1e300 or not math.isfinite(number):
        raise UsageError(f"{kind} takes finite numbers, got {safe_text(repr(number))}")
    return float(number)


def rising(kind: str, low: float, high: float) -> None:
    """Refuse ends in the wrong order."""
    if not low < high:
        ends = f"({value_text(low)}, {value_text(high)})"
        raise UsageError(f"the first number of {kind} must be below the second, got {ends}")


def apart(kind: str, low: float, high: float, span: float) -> None:
    """Refuse ends between whose logarithms there is nothing left."""
    if span == 0:
        raise UsageError(f"the ends of {kind}({low!r}, {high!r}) are too near to each other")


def unit_of(value: Value, low: float, high: float, of: Distribution) -> float:
    """Return the number that `value` is, refusing one outside [low, high]."""
    if isinstance(value, str | tuple) or not low <= value <= high:
        raise UsageError(f"the value {value_text(value)} does not lie in {of.describe()}")
    return float(value)


def value_text(value: Value) -> str:
    """Return a value as `parse_entry` reads it: `0.0001`, `64`, `relu`, `[64, 32]`."""
    if isinstance(value, tuple):
        return safe_text("[" + ", ".join(str(v) for v in value) + "]", _LONGEST)
    if isinstance(value, str | int):
        return safe_text(value, _LONGEST)
    short = f"{value:g}"
    return short if float(short) == value else repr(value)
