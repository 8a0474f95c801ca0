"""A search space of networks: a domain whose names are declared hyperparameters."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np

from deepwell._base._changes import Changes
from deepwell._base._constraints import EachOf, Interval, OneOf
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value, changes_of, complete, declaration, validate

from ._choice import Choice
from ._distribution import Distribution, plain
from ._domain import Domain, distribution_of
from ._fixed import Fixed

# Lists with a number a layer, by the number of layers; `complete` writes them out.
_LISTED = {"hidden_layers": "hidden_units", "conv_layers": "conv_channels"}


class Space(Domain):
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
        super().__init__({name: _checked(name, distribution_of(e)) for name, e in entries.items()})
        _layers_agree(self)

    def encode(self, values: Mapping[str, Value]) -> np.ndarray | None:
        """Return the point of a network's hyperparameters; see `Domain.encode`.

        Args:
            values: as proposed, or completed as `TrialSpec.hyperparameters` has them, with the
                units of each layer listed.
        """
        return super().encode({name: self._as_searched(name, values) for name in self})

    def identity(self, values: Mapping[str, Value]) -> Hashable:
        """Return what two configurations share when they are the same network in this space."""
        completed = complete(values)
        return tuple(completed[name] for name in (*self, *_LISTED, *_LISTED.values()))

    def _as_searched(self, name: str, values: Mapping[str, Value]) -> Value:
        """Return a value as the space has it: one number for layers that are all alike."""
        value = values[name] if name in values else complete(values)[name]
        if name in _LISTED.values() and isinstance(value, tuple) and not _lengths(self[name]):
            return value[0] if len(set(value)) == 1 else value
        return value


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
