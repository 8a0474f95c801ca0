"""One value: what is said and not searched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value

from ._distribution import value_text


@dataclass(frozen=True)
class Fixed:
    """The one value of a hyperparameter that is not searched."""

    value: Value

    def to_unit(self, value: Value) -> float:
        """Return 0.5, the middle of the only share."""
        if value != self.value:
            raise UsageError(f"the value {value_text(value)} is not the fixed {self.describe()}")
        return 0.5

    def from_unit(self, unit: float) -> Value:
        """Return the value, whatever `unit` is."""
        del unit
        return self.value

    def describe(self) -> str:
        """Return the value as text."""
        return value_text(self.value)

    def count(self) -> int:
        """Return 1."""
        return 1

    def over(self, check: Callable[[object], Value]) -> Fixed:
        """Return the value as `check` returned it."""
        return Fixed(check(self.value))
