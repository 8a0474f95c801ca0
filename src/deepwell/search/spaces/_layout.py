"""How the names of a domain lie on the axes of the unit cube, and which exist beside which."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value
from deepwell._base._safe_text import safe_text

from ._choice import Choice
from ._distribution import Distribution
from ._entry import values_of
from ._per_layer import PerLayer
from ._when import When

_PARENTS = 10_000  # values of names that others depend on, which are looked at one by one


@dataclass(frozen=True)
class Layers:
    """What says how many layers a network has.

    Attributes:
        name: whose value it is, a number or a list with an entry a layer; empty where it is fixed.
        most: the largest number.
        least: the smallest.
    """

    name: str
    most: int
    least: int

    def count(self, values: Mapping[str, Value]) -> int:
        """Return how many layers there are beside these values."""
        if not self.name:
            return self.most
        told = values[self.name]
        return len(told) if isinstance(told, tuple) else int(told)


@dataclass(frozen=True)
class Axis:
    """One axis of the unit cube.

    Attributes:
        name: of what varies along it; `hidden_units[2]` for the second layer's.
        count: how many values it has, each with the same share of [0, 1]; None for a continuum.
        ordered: whether neighbors on it are alike; not so for names such as relu and tanh.
    """

    name: str
    count: int | None
    ordered: bool


@dataclass(frozen=True)
class Part:
    """One name of a domain.

    Attributes:
        name: of the hyperparameter.
        item: of its value, or of one layer's.
        when: where it exists; None for everywhere.
        layers: how many layers there are, where it is of layers; it does not exist without any.
        each: whether it is a list with a value a layer.
        most: how many values it may have at most.
        first: its first axis.
        axes: how many it has: `most`, or none where nothing is left to choose.
    """

    name: str
    item: Distribution
    when: When | None
    layers: Layers | None
    each: bool
    most: int
    first: int
    axes: int

    def parents(self) -> tuple[str, ...]:
        """Return the names that it depends on."""
        given = () if self.when is None else tuple(name for name, _ in self.when.given)
        counted = () if self.layers is None or not self.layers.name else (self.layers.name,)
        return tuple(dict.fromkeys((*given, *counted)))

    def length(self, values: Mapping[str, Value]) -> int:
        """Return how many values it has beside these: 0 where it does not exist."""
        if self.when is not None and not self.when.holds(values):
            return 0
        if self.layers is None:
            return 1
        count = self.layers.count(values)
        return count if self.each else min(count, 1)


class Layout:
    """Where every name lies in the unit cube.

    Args:
        entries: name -> distribution.
        layers: of names that are of layers, what says how many there are.

    Raises:
        UsageError: when an entry depends on what is not there, or on itself, or can never exist.
    """

    def __init__(self, entries: Mapping[str, Distribution], layers: Mapping[str, Layers]) -> None:
        parts: dict[str, Part] = {}
        first = 0
        for name, entry in entries.items():
            parts[name] = _part(name, entry, layers.get(name), first)
            first += parts[name].axes
        self.parts = parts
        self.layers = layers
        self.dimensions = first
        self.order = _ordered_by_need(parts)
        self.plain = all(p.when is None and p.layers is None for p in parts.values())
        for part in parts.values():
            self._check_exists(part)

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The axes of the unit cube, in the order of the names."""
        return tuple(
            Axis(f"{p.name}[{k + 1}]" if p.each else p.name, p.item.count(), _ordered(p.item))
            for p in self.parts.values()
            for k in range(p.axes)
        )

    @cached_property
    def continuum(self) -> str | None:
        """The first name that is a continuum and exists beside all values of the others."""
        always = (p for p in self.parts.values() if p.when is None and p.layers is None)
        return next((p.name for p in always if p.item.count() is None), None)

    def decode(self, unit: Sequence[float]) -> dict[str, Value]:
        """Return the values of all names that exist at a point."""
        values: dict[str, Value] = {}
        for part in self.order:
            length = part.length(values)
            if length == 0:
                continue
            if part.each:
                at = unit[part.first : part.first + length] if part.axes else [0.5] * length
                values[part.name] = cast(Value, tuple(part.item.from_unit(u) for u in at))
            else:
                values[part.name] = part.item.from_unit(unit[part.first] if part.axes else 0.5)
        if self.plain:
            return values
        return {name: values[name] for name in self.parts if name in values}

    def present(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return the values of the names that exist beside each other, lists as long as they are.

        Raises:
            KeyError: when one that must exist has no value.
        """
        found: dict[str, Value] = {}
        for part in self.order:
            length = part.length(found)
            if length == 0:
                continue
            value = values[part.name]
            if part.each and not isinstance(value, tuple):
                value = cast(Value, (value,) * length)
            found[part.name] = value
        return found

    def encode(self, present: Mapping[str, Value]) -> np.ndarray:
        """Return the point (d,) of what `present` returned; 0.5 on axes that do not matter.

        Raises:
            UsageError: when a value is none of its distribution's.
        """
        point = np.full(self.dimensions, 0.5)
        for part in self.parts.values():
            if part.name not in present:
                continue
            value = present[part.name]
            if not part.each:
                at = part.item.to_unit(value)
                if part.axes:
                    point[part.first] = at
                continue
            told = cast(tuple[Value, ...], value)
            if len(told) != part.length(present) or len(told) > part.most:
                raise UsageError(f"`{part.name}` must have a value for each layer")
            units = [part.item.to_unit(one) for one in told]
            if part.axes:
                point[part.first : part.first + len(units)] = units
        return point

    def active(self, present: Mapping[str, Value]) -> np.ndarray:
        """Return which axes matter: (d,) bool."""
        found = np.zeros(self.dimensions, bool)
        for part in self.parts.values():
            if part.axes and part.name in present:
                found[part.first : part.first + min(part.length(present), part.axes)] = True
        return found

    def cardinality(self) -> int | None:
        """Return how many points there are, None with a continuum among the axes.

        Where names depend on more than 10,000 points of others it is an upper bound.
        """
        counts = [axis.count for axis in self.axes]
        finite = [count for count in counts if count is not None]
        if len(finite) != len(counts):
            return None
        parents = {name for part in self.parts.values() for name in part.parents()}
        free = [p for p in self.parts.values() if p.name not in parents]
        among = self._together(parents)
        if among is None:
            return math.prod(finite)
        each = (math.prod((p.item.count() or 1) ** p.length(v) for p in free) for v in among)
        return sum(each)

    def points(self) -> Iterator[tuple[dict[str, Value], list[float]]]:
        """Yield every point of a finite domain once: the values, and where they lie."""
        return self._branches(self.order, {}, [0.5] * self.dimensions)

    def _branches(
        self, parts: Sequence[Part], values: dict[str, Value], unit: list[float]
    ) -> Iterator[tuple[dict[str, Value], list[float]]]:
        """Yield all that these parts may be beside values that are settled."""
        if not parts:
            yield {n: values[n] for n in self.parts if n in values}, unit
            return
        part, rest = parts[0], parts[1:]
        length, count = part.length(values), part.item.count() or 1
        for places in itertools.product(range(count), repeat=length):
            at = [(place + 0.5) / count for place in places]
            told = tuple(part.item.from_unit(u) for u in at)
            with_part, moved = values, unit
            if told:
                value = cast(Value, told if part.each else told[0])
                with_part = {**values, part.name: value}
            if told and part.axes:
                moved = [*unit[: part.first], *at, *unit[part.first + length :]]
            yield from self._branches(rest, with_part, moved)

    def _together(self, names: Collection[str]) -> list[dict[str, Value]] | None:
        """Return all that these names, which depend on no others, may be beside each other.

        None for a continuum, or where they are too many to be looked at.
        """
        parts = [part for part in self.order if part.name in names]
        if any((part.item.count() or math.inf) > _PARENTS for part in parts):
            return None
        walk = self._branches(parts, {}, [0.5] * self.dimensions)
        found = [values for values, _ in itertools.islice(walk, _PARENTS + 1)]
        return None if len(found) > _PARENTS else found

    def _check_exists(self, part: Part) -> None:
        """Refuse a name that no value of the others lets exist."""
        if part.when is None:
            return
        needed = _closure(part, self.parts)
        among = self._together(needed)
        if among is not None and not any(part.length(values) for values in among):
            raise NeverError(part, needed)


class NeverError(UsageError):
    """An entry can never exist.

    Attributes:
        name: of the entry.
        needed: the names that it depends on.
    """

    def __init__(self, part: Part, needed: Collection[str]) -> None:
        words = "" if part.when is None else part.when.describe()
        super().__init__(
            f"`{safe_text(part.name)}` can never exist here: no value of the others fits {words}; "
            "leave it out, or widen what it depends on"
        )
        self.name = part.name
        self.needed = frozenset(needed)


def _part(name: str, entry: Distribution, layers: Layers | None, first: int) -> Part:
    when = entry if isinstance(entry, When) else None
    item = entry.item if isinstance(entry, When) else entry
    each = isinstance(item, PerLayer)
    if each and layers is None:
        raise UsageError(
            f"`{safe_text(name)}` is no list with a value a layer; give one range for it"
        )
    if not each and layers is not None and layers.least > 0:
        layers = None
    most = layers.most if each and layers is not None else 1
    settled = item.count() == 1 or (layers is not None and layers.most == 0)
    axes = 0 if settled else most
    item = item.item if isinstance(item, PerLayer) else item
    return Part(name, item, when, layers, each, most, first, axes)


def _ordered_by_need(parts: Mapping[str, Part]) -> tuple[Part, ...]:
    """Return the parts, each after those that it depends on."""
    done: dict[str, Part] = {}
    begun: set[str] = set()

    def visit(part: Part) -> None:
        if part.name in done:
            return
        if part.name in begun:
            raise UsageError(
                f"`{safe_text(part.name)}` depends on itself by way of its conditions; take one "
                "of them away"
            )
        begun.add(part.name)
        for parent in part.parents():
            if parent not in parts:
                raise UsageError(
                    f"`{safe_text(part.name)}` depends on `{safe_text(parent)}`, which is not in "
                    "the space; add it with a range or a value"
                )
            if parts[parent].each and part.when is not None:
                raise UsageError(
                    f"`{safe_text(part.name)}` cannot depend on `{safe_text(parent)}`, which is a "
                    "list with a value a layer; name another condition"
                )
            visit(parts[parent])
        done[part.name] = part

    for part in parts.values():
        visit(part)
    return tuple(done.values())


def _closure(part: Part, parts: Mapping[str, Part]) -> set[str]:
    """Return all names that a part depends on, by way of others too."""
    found: set[str] = set()
    waiting = list(part.parents())
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += parts[name].parents()
    return found


def _ordered(distribution: Distribution) -> bool:
    if not isinstance(distribution, Choice):
        return True
    values = distribution.values
    if any(isinstance(value, str | tuple | bool) for value in values):
        return False
    numbers = cast(tuple[float, ...], values)
    return list(numbers) == sorted(numbers)


def kinds_of(entry: Distribution) -> set[str]:
    """Return what the values of an entry may be: `number`, `list`, `word`."""
    item = entry.item if isinstance(entry, When) else entry
    if isinstance(item, PerLayer):
        return {"list"}
    values = values_of(item, _PARENTS)
    if values is None:
        return {"number"}
    return {
        "list" if isinstance(v, tuple) else "word" if isinstance(v, str) else "number"
        for v in values
    }
