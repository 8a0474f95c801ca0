"""What may be tried: one distribution a name, and the unit cube in which samplers work."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value

from ._allowed import check_allowed, constraints_of
from ._checked_values import check_values
from ._constraint import Constraint
from ._distribution import Distribution
from ._entry import distribution_of
from ._layout import Axis as Axis
from ._layout import Layers, Layout


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
            value, which is fixed. A tuple is a plain value. `when(...)` makes an entry exist only
            where others have certain values.
        constraints: what must hold between the values, as in `["rate * turns <= 1"]`.

    Raises:
        UsageError: when a range or a constraint is impossible, a value is no number, word or tuple
            of such, an entry can never exist, or the constraints leave next to nothing.
    """

    def __init__(
        self, entries: Mapping[str, object], constraints: Sequence[str | Constraint] = ()
    ) -> None:
        self._entries = {name: distribution_of(entry) for name, entry in entries.items()}
        for name, entry in self._entries.items():
            check_values(name, entry)
        self._constraints = constraints_of(constraints)
        self._layout = Layout(self._entries, self._layers())
        self._names = tuple(axis.name for axis in self._layout.axes)
        if self._constraints:
            check_allowed(self._entries, self._layout, self._constraints)

    def __getitem__(self, name: str) -> Distribution:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Domain):
            return NotImplemented
        return self._entries == other._entries and self._constraints == other._constraints

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        inside = [f"{name}={text}" for name, text in self.describe().items()]
        return f"{type(self).__name__}({', '.join([*inside, *self.constraints])})"

    @property
    def constraints(self) -> tuple[str, ...]:
        """What must hold between the values."""
        return tuple(constraint.text for constraint in self._constraints)

    @property
    def searched(self) -> tuple[str, ...]:
        """Names of the axes: of all that can take more than one value."""
        return self._names

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of the unit cube, in the order of `searched`."""
        return self._layout.axes

    @property
    def continuum(self) -> str | None:
        """The first name that is a continuum and exists beside all values of the others.

        Points that are the same have the same value there; None where there is no such name.
        """
        return self._layout.continuum

    def decode(self, unit: Mapping[str, float] | Sequence[float] | np.ndarray) -> dict[str, Value]:
        """Return the values at a point of the unit cube, the fixed ones included.

        Names that do not exist beside the others are left out.

        Args:
            unit: numbers in [0, 1]: one for each name of `searched`, in that order or by name.
        """
        if isinstance(unit, Mapping):
            return self._layout.decode([float(unit[name]) for name in self._names])
        at = [float(u) for _, u in zip(self._names, unit, strict=True)]
        return self._layout.decode(at)

    def encode(self, values: Mapping[str, Value]) -> np.ndarray | None:
        """Return the point (d,) of values, float64 in the order of `searched`.

        `decode(encode(values))` gives the values back: exactly what is discrete, to rounding what
        is not. An axis that does not matter beside the other values is at 0.5. Other names than
        the domain's own are passed over.

        Returns:
            The point; None where the values lie outside of the domain, as those of a trial from
            before it was narrowed may.
        """
        try:
            return self._layout.encode(self._present(values))
        except (UsageError, KeyError, TypeError):  # kinds of values that no space of ours has
            return None

    def place(self, values: Mapping[str, Value]) -> np.ndarray | None:
        """Return the point (d,) of values that may be tried; see `encode`.

        >>> from deepwell.search import uniform
        >>> domain = Domain({"x": uniform(0, 1), "y": uniform(0, 1)}, ["x + y <= 1"])
        >>> domain.place({"x": 0.25, "y": 0.5}).tolist(), domain.place({"x": 0.75, "y": 0.5})
        ([0.25, 0.5], None)

        Returns:
            The point; None where the values lie outside of the domain, or a constraint forbids
            them, as those from before it was added.
        """
        unit = self.encode(values)
        return unit if unit is not None and self.allowed(values) else None

    def active(self, values: Mapping[str, Value]) -> np.ndarray:
        """Return which axes matter beside these values: (d,) bool.

        Raises:
            KeyError: when a name that must exist has no value.
        """
        return self._layout.active(self._present(values))

    def present(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return of values of the domain those of its names that exist beside each other.

        They are what `decode` gives at the point of the values, but exact.

        >>> Domain({"x": [1, 2], "y": 3.0}).present({"x": 2, "y": 3.0, "z": 4})
        {'x': 2, 'y': 3.0}

        Raises:
            KeyError: when a name that must exist has no value.
        """
        return self._present(values)

    def allowed(self, values: Mapping[str, Value]) -> bool:
        """Return whether values obey the constraints.

        One that speaks of a name, or a layer, that does not exist beside the others holds.
        """
        if not self._constraints:
            return True
        present = self._present(values)
        return all(constraint.holds(present) for constraint in self._constraints)

    def identity(self, values: Mapping[str, Value]) -> Hashable:
        """Return what two proposals share when they are the same point.

        Raises:
            KeyError: when a name that must exist has no value.
        """
        present = self._present(values)
        return tuple(present.get(name) for name in self)

    def describe(self) -> dict[str, str]:
        """Return name -> range or value in words, as in `log(0.0001, 1)`."""
        return {name: d.describe() for name, d in self._entries.items()}

    def cardinality(self) -> int | None:
        """Return how many points the domain has, or None when one axis is a continuum.

        Constraints are not counted in. Where names depend on more than 10,000 points of others it
        is an upper bound.
        """
        return self._layout.cardinality()

    def points(self) -> Iterator[tuple[dict[str, Value], list[float]]]:
        """Yield every allowed point of a finite domain once: its values, and where they lie."""
        for values, unit in self._layout.points():
            if all(constraint.holds(values) for constraint in self._constraints):
                yield values, unit

    def _layers(self) -> Mapping[str, Layers]:
        """Return what says how many layers there are, for the names that are of layers."""
        return {}

    def _present(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return the values of the names that exist beside each other."""
        return self._layout.present(values)
