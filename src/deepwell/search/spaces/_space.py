"""A search space of networks: a domain whose names are declared hyperparameters."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property

import numpy as np

from deepwell._base._changes import Changes
from deepwell._base._constraints import EachOf, IntegerInterval, Interval, OneOf
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import (
    HYPERPARAMETERS,
    Value,
    changes_of,
    complete,
    declaration,
    default_initializer,
    validate,
)

from ._allowed import constraints_of
from ._choice import Choice
from ._constraint import Constraint
from ._distribution import Distribution, plain
from ._domain import Domain
from ._entry import distribution_of, has
from ._fixed import Fixed
from ._integer import Integer
from ._layers import LAYERED, layers_of
from ._layout import Layers, NeverError, kinds_of
from ._per_layer import PerLayer
from ._when import When

_ACTIVATION = HYPERPARAMETERS["activation"].default


class Space(Domain):
    """What may be tried: hyperparameter -> distribution, in the order given.

    Hyperparameters that the space does not name, or that do not exist beside the others, keep
    their declared defaults. Without hidden layers there are no units and no dropout.

    >>> from deepwell.search import log
    >>> space = Space({"learning_rate": log(1e-4, 1), "activation": ["relu", "tanh"], "l2": 0})
    >>> space.describe()
    {'learning_rate': 'log(0.0001, 1)', 'activation': 'choice(relu, tanh)', 'l2': '0'}
    >>> space.decode([0.5, 0.9])["activation"]
    'tanh'

    Args:
        entries: name -> a distribution; a list, which is a choice between its values; or a plain
            value, which is fixed. A tuple is a plain value: the units of each layer.
            `per_layer(...)` gives each layer its own, `when(...)` makes an entry exist only where
            others have certain values.
        constraints: what must hold between the values, as in
            `["hidden_units * hidden_layers <= 256"]`.

    Raises:
        UsageError: when a name is unknown, a value or an end of a range is not allowed, an entry
            can never exist, or the constraints leave next to nothing.
    """

    def __init__(
        self, entries: Mapping[str, object], constraints: Sequence[str | Constraint] = ()
    ) -> None:
        given = {name: checked_entry(name, distribution_of(e)) for name, e in entries.items()}
        _layers_agree(given)
        super().__init__(given, constraints)

    def encode(self, values: Mapping[str, Value]) -> np.ndarray | None:
        """Return the point of a network's hyperparameters; see `Domain.encode`.

        Args:
            values: as proposed, or completed as `TrialSpec.hyperparameters` has them, with the
                units of each layer listed. Where another hyperparameter than the space's own is
                not what the space would leave it at, the network lies outside.
        """
        try:
            present = self._present(values)
            return None if self._beside(values, present) else self._layout.encode(present)
        except (UsageError, TypeError):  # kinds of values that no space of ours has
            return None

    def identity(self, values: Mapping[str, Value]) -> Hashable:
        """Return what two configurations share when they are the same network in this space."""
        present = self._present(values)
        return (tuple(present.get(name) for name in self), self._beside(values, present))

    def _layers(self) -> Mapping[str, Layers]:
        return layers_of(self._entries)

    def _present(self, values: Mapping[str, Value]) -> dict[str, Value]:
        try:
            return self._layout.present(self._as_searched(values))
        except KeyError:  # what is left out has its default
            return self._layout.present(self._as_searched(complete(values)))

    def _as_searched(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return the space's own values as it has them, whether they were completed or not."""
        told = {name: values[name] for name in self if name in values}
        for name, kinds in self._kinds.items():
            value = told.get(name)
            if not isinstance(value, tuple) or len(set(value)) != 1 or "number" not in kinds:
                continue
            if "list" not in kinds or not has(self[name], value):
                told[name] = value[0]
        if "initializer" in told:
            told["initializer"] = self._initializer(told["initializer"], values)
        return told

    def _initializer(self, value: Value, values: Mapping[str, Value]) -> Value:
        """Return how weights start, by one name where `auto` stands for another."""
        usual = default_initializer(str(values.get("activation", _ACTIVATION)))
        own = usual if has(self["initializer"], usual) else "auto"
        return own if value in ("auto", usual) else value

    @cached_property
    def _kinds(self) -> dict[str, set[str]]:
        """Whether entries of layers give numbers or lists."""
        return {name: kinds_of(self[name]) for name in LAYERED if name in self}

    def _beside(self, values: Mapping[str, Value], present: Mapping[str, Value]) -> Hashable:
        """Return what of a network is not as this space leaves it; nothing for its own points."""
        others = [name for name in values if name not in present]
        if not others:
            return ()
        base = complete(present)
        told = values if len(values) == len(base) else complete(values)
        idle = self._without_layers(present)
        return tuple(
            (name, told[name])
            for name in sorted(others)
            if name not in idle and told[name] != base[name]
        )

    def _without_layers(self, present: Mapping[str, Value]) -> set[str]:
        """Return the names that mean nothing since there are no layers."""
        layers = self._layout.layers
        return {n for n in layers if layers[n].name in present and layers[n].count(present) == 0}


def with_fixed(
    space: Mapping[str, object],
    fixed: Mapping[str, object],
    constraints: Sequence[str | Constraint] = (),
) -> Space:
    """Return `space` with the named hyperparameters held at one value each.

    A list of units, as in `{"hidden_units": [64, 32]}`, says how many layers there are, so it
    also replaces the space's `hidden_layers`. Without hidden layers there are no units to choose
    or to drop, so `{"hidden_layers": 0}` also removes `hidden_units` and `dropout`; and entries
    that can no longer exist beside the values go, with the constraints on them.

    Args:
        space: a space, or the entries of one.
        fixed: name -> value.
        constraints: what must hold beside the space's own constraints.

    Raises:
        UsageError: when a name is unknown or a value is not allowed.
    """
    values = {name: validate(name, plain(value)) for name, value in fixed.items()}
    entries: dict[str, object] = dict(space)
    own = space.constraints if isinstance(space, Domain) else ()
    together = constraints_of((*own, *constraints))
    gone: set[str] = set()
    if values.get("conv_layers") == 0:
        gone |= {"conv_channels"}
    if values.get("hidden_layers") == 0:
        gone |= {"hidden_units", "dropout"}
    for name in gone:
        entries.pop(name, None)
    entries |= {name: Fixed(value) for name, value in values.items()}
    counted = _counted(entries, values, together)
    return _built(entries, together, set(values) | counted, gone - set(values))


def with_entries(
    space: Space, entries: Mapping[str, object], constraints: Sequence[str | Constraint] = ()
) -> Space:
    """Return `space` with these entries in the place of its own, or beside them.

    A list of units also replaces the space's `hidden_layers`, unless that is given too; entries
    that can no longer exist beside the new ones go, with the constraints on them.

    Args:
        space: a space.
        entries: as for `Space`.
        constraints: what must hold beside the space's own constraints.

    Raises:
        UsageError: when the new space cannot be.
    """
    merged: dict[str, object] = {**space, **entries}
    together = constraints_of((*space.constraints, *constraints))
    counted = _counted(merged, entries, together)
    return _built(merged, together, set(entries) | counted, set())


def _counted(
    entries: dict[str, object], given: Mapping[str, object], constraints: Sequence[Constraint]
) -> set[str]:
    """Put what lists that were given say in the place of numbers of layers; return their names.

    The number stays, as a value, only where a constraint or a condition speaks of it.
    """
    counted: set[str] = set()
    for listed in ("hidden_units", "conv_channels"):
        counter = LAYERED[listed]
        if listed not in given or counter in given or counter not in entries:
            continue
        each = distribution_of(entries[listed])
        if not isinstance(each, Fixed) or not isinstance(each.value, tuple):
            continue
        others = [distribution_of(e) for name, e in entries.items() if name != counter]
        named = {name for e in others if isinstance(e, When) for name, _ in e.given}
        if counter in named.union(*(constraint.names for constraint in constraints)):
            entries[counter] = Fixed(len(each.value))
            counted.add(counter)
        else:
            del entries[counter]
    return counted


def _built(
    entries: dict[str, object], constraints: Sequence[Constraint], fixed: set[str], gone: set[str]
) -> Space:
    """Return the space without the entries that can no longer exist beside what is fixed."""
    kept = [constraint for constraint in constraints if not constraint.names & gone]
    try:
        return Space(entries, kept)
    except NeverError as error:
        if not error.needed & (fixed | gone):
            raise
        left = {name: entry for name, entry in entries.items() if name != error.name}
        return _built(left, kept, fixed, gone | {error.name})


def checked_entry(name: str, distribution: Distribution) -> Distribution:
    """Return the distribution with its ends or values validated and in their stored form.

    Raises:
        UsageError: when the name is unknown, or the hyperparameter does not take such values.
    """
    declared = declaration(name)
    if isinstance(distribution, When):
        given = tuple((other, checked_entry(other, d)) for other, d in distribution.given)
        return When(checked_entry(name, distribution.item), given)
    if isinstance(distribution, PerLayer):
        if name not in LAYERED:
            raise UsageError(
                f"per_layer is for {', '.join(LAYERED)}; `{name}` takes one value, as in "
                f"{distribution.item.describe()}"
            )
        return PerLayer(checked_entry(name, distribution.item))
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
    if isinstance(distribution, Integer) and isinstance(item, IntegerInterval) and item.odd:
        odd = [n for n in range(distribution.low, min(distribution.high, item.high) + 1) if n % 2]
        raise UsageError(
            f"`{name}` must be {constraint.describe()}, and {distribution.describe()} is a range "
            f"of all whole numbers; write choice({', '.join(map(str, odd or [3, 5]))})"
        )
    return distribution.over(lambda value: validate(name, value))


def _layers_agree(entries: Mapping[str, Distribution]) -> None:
    """Refuse lists, one entry a layer, beside a number of layers that may be another."""
    layers, units, rates, changes = (
        _bare(entries.get(name)) for name in ("hidden_layers", "hidden_units", "dropout", "change")
    )
    lengths = _lengths(units)
    _as_many(("hidden_units", "units"), entries, "hidden_layers")
    _as_many(("conv_channels", "channels"), entries, "conv_layers")
    for entry, listed in ((rates, _lengths(rates)), (changes, _lengths_of_changes(changes))):
        agree = listed == lengths if lengths else layers is None or _all_of(layers, listed)
        if listed and not agree:
            number = " or ".join(str(n) for n in sorted(listed))
            raise UsageError(
                f"`dropout` {_said(entry)} lists a rate for each layer, so `hidden_layers` must be "
                f"{number}; set it, or give one rate for all layers"
            )


def _as_many(listing: tuple[str, str], entries: Mapping[str, Distribution], number: str) -> None:
    """Refuse lists, one entry a layer, beside a number of layers that may be another."""
    (name, what), layers = listing, _bare(entries.get(number))
    entry = _bare(entries.get(name))
    lengths = _lengths(entry)
    if lengths and layers is not None and not _all_of(layers, lengths):
        raise UsageError(
            f"`{name}` {_said(entry)} lists the {what} of each layer, so "
            f"`{number}` {_said(layers)} must be left out or agree with it"
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


def _bare(entry: Distribution | None) -> Distribution | None:
    return entry.item if isinstance(entry, When) else entry


def _values(entry: Choice | Fixed) -> tuple[Value, ...]:
    return entry.values if isinstance(entry, Choice) else (entry.value,)


def _all_of(layers: Distribution, lengths: set[int]) -> bool:
    return layers.count() == 1 and lengths == {layers.from_unit(0.5)}


def _said(entry: Distribution | None) -> str:
    return "" if entry is None else entry.describe()
