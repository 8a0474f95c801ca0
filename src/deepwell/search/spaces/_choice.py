"""A few values, all equally likely."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value

from ._distribution import plain, value_text


@dataclass(frozen=True)
class Choice:
    """The listed values in their order, each with the same share of [0, 1]."""

    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        values = tuple(cast(Value, _frozen(v)) for v in self.values)
        if not values:
            raise UsageError("choice needs at least one value, as in choice(relu, tanh)")
        for place, value in enumerate(values):
            if value in values[:place]:
                raise UsageError(f"choice lists {value_text(value)} twice; list each value once")
        object.__setattr__(self, "values", values)

    def to_unit(self, value: Value) -> float:
        """Return the middle of the share of `value`."""
        if value not in self.values:
            raise UsageError(f"the value {value_text(value)} is not in {self.describe()}")
        return (self.values.index(value) + 0.5) / len(self.values)

    def from_unit(self, unit: float) -> Value:
        """Return the value whose share holds `unit`."""
        place = min(max(int(unit * len(self.values)), 0), len(self.values) - 1)
        return self.values[place]

    def describe(self) -> str:
        """Return `choice(a, b, ...)`."""
        return "choice(" + ", ".join(value_text(v) for v in self.values) + ")"

    def count(self) -> int:
        """Return how many values there are."""
        return len(self.values)

    def over(self, check: Callable[[object], Value]) -> Choice:
        """Return the choice between the values as `check` returned them."""
        return Choice(tuple(check(v) for v in self.values))


def choice(*values: Value | Sequence[int]) -> Choice:
    """Return a choice between `values`, all equally likely.

    A list or tuple among the values gives the units of each layer, for `hidden_units`.

    >>> choice("relu", "tanh").describe()
    'choice(relu, tanh)'

    Raises:
        UsageError: when there is no value, or one comes twice.
    """
    return Choice(cast(tuple[Value, ...], values))


def _frozen(value: object) -> object:
    if isinstance(value, list | tuple):
        return tuple(plain(v) for v in cast(Sequence[object], value))
    return plain(value)
