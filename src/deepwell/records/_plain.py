"""Frozen records to plain JSON values and back, by their type annotations."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np

T = TypeVar("T")
_TEXTS = ("nan", "inf", "-inf")
NON_FINITE = "the texts nan, inf and -inf are numbers"  # in the metadata of a field


def to_plain(record: object) -> Any:
    """Return a record as dictionaries, lists, numbers, texts and None; no NaN or infinity.

    Non-finite numbers become the texts `nan`, `inf` and `-inf`, which JSON can hold.
    """
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {f.name: to_plain(getattr(record, f.name)) for f in dataclasses.fields(record)}
    if isinstance(record, Mapping):
        pairs = cast(Mapping[object, object], record).items()
        return {str(k): to_plain(v) for k, v in pairs}
    if isinstance(record, list | tuple):
        return [to_plain(v) for v in cast(Sequence[object], record)]
    if isinstance(record, np.generic | np.ndarray):
        return to_plain(cast(object, record.tolist()))
    if isinstance(record, float) and not math.isfinite(record):
        return str(record)
    return record


def from_plain(kind: type[T], plain: Any) -> T:
    """Return the record of class `kind` that `to_plain` made `plain` from.

    In a field of values of no declared kind whose metadata has `NON_FINITE`, the texts `nan`,
    `inf` and `-inf` are numbers.
    """
    return _build(kind, plain)


def _build(kind: Any, plain: Any) -> Any:
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        known = {f.name: f.metadata for f in dataclasses.fields(kind)}
        return kind(
            **{
                k: _numbers(v) if NON_FINITE in known[k] else _build(hints[k], v)
                for k, v in plain.items()
                if k in known
            }
        )
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if plain is None:
            return None
        options = [a for a in arguments if a is not type(None)]
        if len(options) == 1:
            return _build(options[0], plain)
        return tuple(cast(list[object], plain)) if isinstance(plain, list) else plain
    if origin is tuple:
        items = arguments[:-1] if arguments[-1] is Ellipsis else arguments
        if arguments[-1] is Ellipsis:
            return tuple(_build(items[0], v) for v in plain)
        return tuple(_build(a, v) for a, v in zip(items, plain, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {k: _build(arguments[1], v) for k, v in plain.items()}
    if kind is float and isinstance(plain, str | int):
        return float(plain)
    return plain


def _numbers(plain: Any) -> Any:
    """Return values of no declared kind with the numbers that JSON could not hold."""
    if isinstance(plain, str):
        return float(plain) if plain in _TEXTS else plain
    if isinstance(plain, dict):
        return {key: _numbers(value) for key, value in cast(dict[str, Any], plain).items()}
    if isinstance(plain, list):
        return [_numbers(value) for value in cast(list[Any], plain)]
    return plain
