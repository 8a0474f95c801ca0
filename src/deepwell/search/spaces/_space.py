"""A search space: one distribution a hyperparameter, checked against the declarations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import numpy as np

from deepwell._base._changes import Changes
from deepwell._base._constraints import EachOf, Interval, OneOf
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value, changes_of, declaration, validate

from ._choice import Choice
from ._distribution import Distribution, plain
from ._fixed import Fixed


class Space(Mapping[str, Distribution]):
    """What may be tried: hyperparameter -> distribution, in the order given.

    Hyperparameters that the space does not name keep their declared defaults.

    >>> from deepwell.search import log
    >>> space = Space({"learning_rate": log(1e-4, 1), "activation": ["relu", "tanh"], "l2": 0})
    >>> space.describe()
    {'learning_rate': 'log(0.0001, 1)', 'activation': 'choice(relu, tanh)', 'l2': '0'}
    >>> space.decode([0.5, 0.9])["activation"]
    'tanh'

    Args:
        entries: name -> a distribution; a list, which is a choice between its values; or a plain
            value, which is fixed. A tuple is a plain value: the units of each layer.

    Raises:
        UsageError: when a name is unknown, or a value or an end of a range is not allowed.
    """

    def __init__(self, entries: Mapping[str, object]) -> None:
        self._entries = {name: _checked(name, _distribution(e)) for name, e in entries.items()}
        _layers_agree(self._entries)

    def __getitem__(self, name: str) -> Distribution:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={text}" for name, text in self.describe().items())
        return f"Space({inside})"

    @property
    def searched(self) -> tuple[str, ...]:
        """Names of the hyperparameters that can take more than one value: the unit cube's axes."""
        return tuple(name for name, d in self._entries.items() if d.count() != 1)

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

    def describe(self) -> dict[str, str]:
        """Return name -> range or value in words, as in `log(0.0001, 1)`."""
        return {name: d.describe() for name, d in self._entries.items()}

    def cardinality(self) -> int | None:
        """Return how many points the space has, or None when one axis is a continuum."""
        counts = [d.count() for d in self._entries.values()]
        finite = [c for c in counts if c is not None]
        return math.prod(finite) if len(finite) == len(counts) else None


def with_fixed(space: Space, fixed: Mapping[str, object]) -> Space:
    """Return `space` with the named hyperparameters held at one value each.

    A list of units, as in `{"hidden_units": [64, 32]}`, says how many layers there are, so it
    also replaces the space's `hidden_layers`. Without hidden layers there are no units to choose
    or to drop, so `{"hidden_layers": 0}` also removes `hidden_units` and `dropout`.

    Raises:
        UsageError: when a name is unknown or a value is not allowed.
    """
    values = {name: validate(name, plain(value)) for name, value in fixed.items()}
    entries: dict[str, object] = dict(space)
    if isinstance(values.get("hidden_units"), tuple):
        entries.pop("hidden_layers", None)
    if isinstance(values.get("conv_channels"), tuple):
        entries.pop("conv_layers", None)
    if values.get("conv_layers") == 0:
        entries.pop("conv_channels", None)
    if values.get("hidden_layers") == 0:
        entries.pop("hidden_units", None)
        entries.pop("dropout", None)
    return Space(entries | {name: Fixed(value) for name, value in values.items()})


def _distribution(entry: object) -> Distribution:
    if isinstance(entry, Distribution):
        return entry
    if isinstance(entry, list):
        return Choice(tuple(cast(list[Value], entry)))
    return Fixed(cast(Value, plain(entry)))


def _checked(name: str, distribution: Distribution) -> Distribution:
    """Return the distribution with its ends or values validated and in their stored form."""
    declared = declaration(name)
    constraint = declared.constraint
    item = constraint.item if isinstance(constraint, EachOf) else constraint
    if distribution.count() is None and not isinstance(item, Interval):
        text = distribution.describe()
        wanted = f"integer({text.partition('(')[2]}"
        if isinstance(constraint, OneOf):
            wanted = f"choice({', '.join(constraint.choices[:2])})"
        elif isinstance(constraint, Changes):
            wanted = "choice(none, 10: learning_rate=0.001)"
        raise UsageError(
            f"`{name}` must be {constraint.describe()}, and {text} is a range of "
            f"real numbers; write something like {wanted}"
        )
    return distribution.over(lambda value: validate(name, value))


def _layers_agree(entries: Mapping[str, Distribution]) -> None:
    """Refuse lists, one entry a layer, beside a number of layers that may be another."""
    layers, units, rates, changes = (
        entries.get(name) for name in ("hidden_layers", "hidden_units", "dropout", "change")
    )
    lengths = _lengths(units)
    if lengths and layers is not None and not _all_of(layers, lengths):
        raise UsageError(
            f"`hidden_units` {_said(units)} lists the units of each layer, so "
            f"`hidden_layers` {_said(layers)} must be left out or agree with it"
        )
    for entry, listed in ((rates, _lengths(rates)), (changes, _lengths_of_changes(changes))):
        agree = listed == lengths if lengths else layers is None or _all_of(layers, listed)
        if listed and not agree:
            number = " or ".join(str(n) for n in sorted(listed))
            raise UsageError(
                f"`dropout` {_said(entry)} lists a rate for each layer, so `hidden_layers` must be "
                f"{number}; set it, or give one rate for all layers"
            )


def _lengths(entry: Distribution | None) -> set[int]:
    """Return how long the lists are that a distribution may give."""
    if not isinstance(entry, Choice | Fixed):
        return set()
    return {len(v) for v in _values(entry) if isinstance(v, tuple)}


def _lengths_of_changes(entry: Distribution | None) -> set[int]:
    """Return how long the lists of dropout rates are that changes may give."""
    if not isinstance(entry, Choice | Fixed):
        return set()
    changed = [rates for v in _values(entry) for rates in changes_of(str(v)).values()]
    return {len(r) for c in changed if isinstance(r := c.get("dropout"), tuple)}


def _values(entry: Choice | Fixed) -> tuple[Value, ...]:
    return entry.values if isinstance(entry, Choice) else (entry.value,)


def _all_of(layers: Distribution, lengths: set[int]) -> bool:
    return layers.count() == 1 and lengths == {layers.from_unit(0.5)}


def _said(entry: Distribution | None) -> str:
    return "" if entry is None else entry.describe()
