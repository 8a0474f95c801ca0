"""A value of its own for each layer, of as many as a network has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value

from ._distribution import Distribution
from ._entry import distribution_of, values_of
from ._when import When

_LISTED = 1_000


@dataclass(frozen=True)
class PerLayer:
    """Lists with a value a layer, each drawn from `item` by itself.

    As a distribution it is that of one layer; the domain makes an axis of each layer.
    """

    item: Distribution

    def __post_init__(self) -> None:
        item = self.item
        numbers = values_of(item, _LISTED) or ()
        nested = isinstance(item, PerLayer | When)
        if nested or any(isinstance(value, str | tuple | bool) for value in numbers):
            raise UsageError(
                "per_layer takes a range or choice of numbers, as in per_layer(integer(16, 128)), "
                f"got {item.describe()}"
            )

    def to_unit(self, value: Value) -> float:
        """Return where the value of one layer lies in [0, 1]."""
        return self.item.to_unit(value)

    def from_unit(self, unit: float) -> Value:
        """Return the value of one layer."""
        return self.item.from_unit(unit)

    def describe(self) -> str:
        """Return `per_layer(...)`."""
        return f"per_layer({self.item.describe()})"

    def count(self) -> int | None:
        """Return how many values one layer may have."""
        return self.item.count()

    def over(self, check: Callable[[object], Value]) -> PerLayer:
        """Return the distribution after `check` has accepted that of one layer."""
        return PerLayer(self.item.over(check))


def per_layer(item: object) -> PerLayer:
    """Return lists with a value a layer, drawn from `item` layer by layer.

    For `hidden_units`, `dropout` and `conv_channels`: a space has an axis for each layer that a
    network may have, which matters only where the network has that layer.

    >>> per_layer([0.0, 0.5]).describe()
    'per_layer(choice(0, 0.5))'

    Args:
        item: a range or a choice of numbers.

    Raises:
        UsageError: when it is none.
    """
    return PerLayer(distribution_of(item))
