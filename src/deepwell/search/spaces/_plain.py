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
from ._fixed import Fixed
from ._integer import Integer
from ._log import Log
from ._one_minus_log import OneMinusLog
from ._space import Space
from ._uniform import Uniform

_KINDS: dict[str, type] = {
    "choice": Choice,
    "fixed": Fixed,
    "integer": Integer,
    "log": Log,
    "one_minus_log": OneMinusLog,
    "uniform": Uniform,
}


def space_to_plain(space: Domain) -> list[dict[str, object]]:
    """Return one dictionary a hyperparameter, in the space's order, which samplers depend on."""
    return [{"name": name, **_to_plain(d)} for name, d in space.items()]


def space_from_plain(plain: Sequence[Mapping[str, Any]]) -> Space:
    """Return the space that `space_to_plain` described.

    >>> space = Space({"learning_rate": Log(1e-4, 1), "hidden_units": (64, 32)})
    >>> space_from_plain(space_to_plain(space)).describe() == space.describe()
    True

    Raises:
        UsageError: when it has a distribution that is none of Deepwell's own.
    """
    return Space({entry["name"]: _from_plain(entry) for entry in plain})


def domain_from_plain(plain: Sequence[Mapping[str, Any]]) -> Domain:
    """Return the domain, of whatever names, that `space_to_plain` described.

    Raises:
        UsageError: when it has a distribution that is none of Deepwell's own.
    """
    return Domain({entry["name"]: _from_plain(entry) for entry in plain})


def _to_plain(distribution: Distribution) -> dict[str, object]:
    for kind, known in _KINDS.items():
        if type(distribution) is known:
            return {"kind": kind, **dataclasses.asdict(distribution)}  # type: ignore[arg-type]
    return {"kind": "other", "text": distribution.describe()}


def _from_plain(entry: Mapping[str, Any]) -> Distribution:
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
