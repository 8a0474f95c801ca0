"""What may be tried: one distribution a name, and the unit cube in which samplers work."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value

from ._choice import Choice
from ._distribution import Distribution, plain
from ._fixed import Fixed


@dataclass(frozen=True)
class Axis:
    """One axis of the unit cube.

    Attributes:
        name: of what varies along it.
        count: how many values it has, each with the same share of [0, 1]; None for a continuum.
        ordered: whether neighbors on it are alike; not so for names such as relu and tanh.
    """

    name: str
    count: int | None
    ordered: bool


class Domain(Mapping[str, Distribution]):
    """What may be tried: name -> distribution, in the order given.

    >>> from deepwell.search import log
    >>> domain = Domain({"rate": log(1e-4, 1), "kind": ["a", "b"], "turns": 3})
    >>> domain.decode([1.0, 0.9])
    {'rate': 1.0, 'kind': 'b', 'turns': 3}
    >>> domain.encode({"rate": 0.01, "kind": "b", "turns": 3}).tolist()
    [0.5, 0.75]

    Args:
        entries: name -> a distribution; a list, which is a choice between its values; or a plain
            value, which is fixed. A tuple is a plain value.

    Raises:
        UsageError: when a range is impossible.
    """

    def __init__(self, entries: Mapping[str, object]) -> None:
        self._entries = {name: distribution_of(entry) for name, entry in entries.items()}

    def __getitem__(self, name: str) -> Distribution:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={text}" for name, text in self.describe().items())
        return f"{type(self).__name__}({inside})"

    @property
    def searched(self) -> tuple[str, ...]:
        """Names that can take more than one value: those of the axes."""
        return tuple(name for name, d in self._entries.items() if d.count() != 1)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of the unit cube, in the order of `searched`."""
        return tuple(Axis(name, self[name].count(), _ordered(self[name])) for name in self.searched)

    def decode(self, unit: Mapping[str, float] | Sequence[float] | np.ndarray) -> dict[str, Value]:
        """Return the values at a point of the unit cube, the fixed ones included.

        Args:
            unit: numbers in [0, 1]: one for each name of `searched`, in that order or by name.
        """
        names = self.searched
        if isinstance(unit, Mapping):
            at = {name: float(unit[name]) for name in names}
        else:
            at = {name: float(u) for name, u in zip(names, unit, strict=True)}
        return {name: d.from_unit(at.get(name, 0.5)) for name, d in self._entries.items()}

    def encode(self, values: Mapping[str, Value]) -> np.ndarray | None:
        """Return the point (d,) of values, float64 in the order of `searched`.

        `decode(encode(values))` gives the values back: exactly what is discrete, to rounding what
        is not. Other names than the domain's own are passed over.

        Returns:
            The point; None where the values lie outside of the domain, as those of a trial from
            before it was narrowed may.
        """
        try:
            units = {name: d.to_unit(values[name]) for name, d in self._entries.items()}
        except (UsageError, KeyError):
            return None
        return np.array([units[name] for name in self.searched], np.float64)

    def identity(self, values: Mapping[str, Value]) -> Hashable:
        """Return what two proposals share when they are the same point."""
        return tuple(values[name] for name in self)

    def allowed(self, values: Mapping[str, Value]) -> bool:
        """Return whether the values may be tried together."""
        del values
        return True

    def active(self, values: Mapping[str, Value]) -> np.ndarray:
        """Return which axes matter beside the values of the others: (d,) bool."""
        del values
        return np.ones(len(self.searched), bool)

    def describe(self) -> dict[str, str]:
        """Return name -> range or value in words, as in `log(0.0001, 1)`."""
        return {name: d.describe() for name, d in self._entries.items()}

    def cardinality(self) -> int | None:
        """Return how many points the domain has, or None when one axis is a continuum."""
        counts = [d.count() for d in self._entries.values()]
        finite = [c for c in counts if c is not None]
        return math.prod(finite) if len(finite) == len(counts) else None


def distribution_of(entry: object) -> Distribution:
    """Return the distribution that an entry is or stands for: a list a choice, a value itself."""
    if isinstance(entry, Distribution):
        return entry
    if isinstance(entry, list):
        return Choice(tuple(cast(list[Value], entry)))
    return Fixed(cast(Value, plain(entry)))


def _ordered(distribution: Distribution) -> bool:
    if not isinstance(distribution, Choice):
        return True
    values = distribution.values
    if any(isinstance(value, str | tuple | bool) for value in values):
        return False
    numbers = cast(tuple[float, ...], values)
    return list(numbers) == sorted(numbers)
