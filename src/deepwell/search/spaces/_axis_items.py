"""From an axis of the unit cube back to the range of real values along it."""

from __future__ import annotations

import re

from ._distribution import Distribution
from ._domain import Domain
from ._per_layer import PerLayer
from ._when import When

_LAYER = re.compile(r"(?P<name>.+)\[(?P<layer>\d+)\]")


def axis_parts(axis: str) -> tuple[str, int | None]:
    """Return the name that an axis belongs to, and which layer of it, counted from 0.

    >>> axis_parts("hidden_units[2]"), axis_parts("dropout")
    (('hidden_units', 1), ('dropout', None))
    """
    found = _LAYER.fullmatch(axis)
    return (axis, None) if found is None else (found["name"], int(found["layer"]) - 1)


def axis_item(domain: Domain, axis: str) -> Distribution:
    """Return what the values along an axis are drawn from, one layer's of a list of layers."""
    item = domain[axis if axis in domain else axis_parts(axis)[0]]
    while isinstance(item, PerLayer | When):
        item = item.item
    return item
