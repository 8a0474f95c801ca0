"""Which hyperparameters are of layers, and what says how many layers there are."""

from __future__ import annotations

from collections.abc import Mapping

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import HYPERPARAMETERS

from ._distribution import Distribution
from ._entry import values_of
from ._layout import Layers, kinds_of
from ._per_layer import PerLayer
from ._when import When

LAYERED = {
    "hidden_units": "hidden_layers",
    "dropout": "hidden_layers",
    "conv_channels": "conv_layers",
}
"""What may be listed a layer, and by which number of layers."""

_MOST = 1_000  # layers, or lists of units, of a space


def layers_of(entries: Mapping[str, Distribution]) -> dict[str, Layers]:
    """Return what says how many layers there are, for the entries that depend on it.

    Raises:
        UsageError: when it is not told for an entry with a value a layer.
    """
    found = {name: _layers(name, entries) for name in LAYERED if name in entries}
    return {name: layers for name, layers in found.items() if layers is not None}


def _layers(name: str, entries: Mapping[str, Distribution]) -> Layers | None:
    entry, counter = entries[name], LAYERED[name]
    each = isinstance(entry.item if isinstance(entry, When) else entry, PerLayer)
    told = entries.get(counter)
    if told is not None:
        numbers = None if isinstance(told, When) else values_of(told, _MOST)
        if numbers is not None:
            depths = [int(n) for n in numbers if not isinstance(n, str | tuple)]
            return Layers(counter, max(depths), min(depths))
        if each:
            raise UsageError(
                f"`{name}` {entry.describe()} needs a `{counter}` that depends on nothing else, "
                f"got {told.describe()}; give it a range or a value"
            )
        return None
    return _layers_untold(name, entries) if each else None


def _layers_untold(name: str, entries: Mapping[str, Distribution]) -> Layers:
    """Return how many layers there are by a list of units, or by default."""
    counter, listing = LAYERED[name], entries.get("hidden_units")
    if name == "dropout" and listing is not None and not isinstance(listing, PerLayer):
        kinds, lists = kinds_of(listing), values_of(listing, _MOST) or ()
        lengths = [len(units) for units in lists if isinstance(units, tuple)]
        if isinstance(listing, When) or kinds == {"number", "list"}:
            raise UsageError(
                f"`dropout` {entries[name].describe()} needs to know the layers, which "
                f"{listing.describe()} does not tell; add `hidden_layers`"
            )
        if lengths:
            return Layers("hidden_units", max(lengths), min(lengths))
    default = HYPERPARAMETERS[counter].default
    if not isinstance(default, int) or default == 0:
        raise UsageError(
            f"`{name}` {entries[name].describe()} needs layers; add `{counter}` with a range or a "
            "number"
        )
    return Layers("", default, default)
