"""Spaces as plain values and back, exactly: ends and order as they were, nothing shortened."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._choice import Choice
from ._distribution import Distribution
from ._domain import Domain
from ._entry import distribution_of
from ._fixed import Fixed
from ._integer import Integer
from ._log import Log
from ._one_minus_log import OneMinusLog
from ._per_layer import PerLayer
from ._space import Space
from ._uniform import Uniform
from ._when import When

_KINDS: dict[str, type] = {
    "choice": Choice,
    "fixed": Fixed,
    "integer": Integer,
    "log": Log,
    "one_minus_log": OneMinusLog,
    "uniform": Uniform,
}


_PER_LAYER = "per_layer"
_WHEN = "when"
_CONSTRAINT = "constraint"


def space_to_plain(space: Domain) -> list[dict[str, object]]:
    """Return one dictionary a hyperparameter, in the space's order, which samplers depend on.

    After them comes one a constraint.
    """
    entries = [{"name": name, **_to_plain(d)} for name, d in space.items()]
    return entries + [{"kind": _CONSTRAINT, "text": text} for text in space.constraints]


def space_from_plain(plain: Sequence[Mapping[str, Any]]) -> Space:
    """Return the space that `space_to_plain` described.

    >>> space = Space({"learning_rate": Log(1e-4, 1), "hidden_units": (64, 32)})
    >>> space_from_plain(space_to_plain(space)).describe() == space.describe()
    True

    Raises:
        UsageError: when it has a distribution that is none of Deepwell's own.
    """
    return Space(*_parts(plain))


def entries_to_plain(entries: Mapping[str, object]) -> list[dict[str, object]]:
    """Return some entries of a space, as they are given to `Space`, in their order."""
    return [{"name": name, **_to_plain(distribution_of(e))} for name, e in entries.items()]


def entries_from_plain(plain: Sequence[Mapping[str, Any]]) -> dict[str, Distribution]:
    """Return the entries that `entries_to_plain` described.

    >>> entries_from_plain(entries_to_plain({"l2": 0, "learning_rate": Log(1e-4, 1)}))["l2"]
    Fixed(value=0)

    Raises:
        UsageError: when one is a distribution that is none of Deepwell's own.
    """
    return _parts(plain)[0]


def domain_from_plain(plain: Sequence[Mapping[str, Any]]) -> Domain:
    """Return the domain, of whatever names, that `space_to_plain` described.

    Raises:
        UsageError: when it has a distribution that is none of Deepwell's own.
    """
    return Domain(*_parts(plain))


def _parts(plain: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Distribution], list[str]]:
    """Return the entries and the constraints."""
    entries = [entry for entry in plain if entry["kind"] != _CONSTRAINT]
    constraints = [entry["text"] for entry in plain if entry["kind"] == _CONSTRAINT]
    return {entry["name"]: _from_plain(entry) for entry in entries}, constraints


def _to_plain(distribution: Distribution) -> dict[str, object]:
    if isinstance(distribution, PerLayer):
        return {"kind": _PER_LAYER, "item": _to_plain(distribution.item)}
    if isinstance(distribution, When):
        given = [{"name": name, **_to_plain(d)} for name, d in distribution.given]
        return {"kind": _WHEN, "item": _to_plain(distribution.item), "given": given}
    for kind, known in _KINDS.items():
        if type(distribution) is known:
            return {"kind": kind, **dataclasses.asdict(distribution)}  # type: ignore[arg-type]
    return {"kind": "other", "text": distribution.describe()}


def _from_plain(entry: Mapping[str, Any]) -> Distribution:
    if entry["kind"] in (_PER_LAYER, _WHEN):
        item = _from_plain({"name": entry["name"], **entry["item"]})
        if entry["kind"] == _PER_LAYER:
            return PerLayer(item)
        return When(item, tuple((given["name"], _from_plain(given)) for given in entry["given"]))
    if entry["kind"] not in _KINDS:
        raise UsageError(
            f"the range {safe_text(entry['text'])} of `{safe_text(entry['name'])}` is a class of "
            "your own, which no file keeps; use log, uniform, integer, one_minus_log or choice"
        )
    values = {k: _frozen(v) for k, v in entry.items() if k not in ("name", "kind")}
    return _KINDS[entry["kind"]](**values)


def _frozen(value: object) -> object:
    """Return lists, as JSON has them, as the tuples that they were."""
    return tuple(_frozen(v) for v in value) if isinstance(value, list | tuple) else value  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
