"""Space entries from text, as on the command line: read by a grammar, never evaluated.

entry  = name "=" spread
spread = kind "(" value { "," value } ")" | value
       | "per_layer" "(" spread ")" | "when" "(" spread { "," name "=" spread } ")"
kind   = "uniform" | "integer" | "log" | "one_minus_log" | "choice"
value  = number | word | "[" number { "," number } "]" | changes, as 10: l2=0; 20: l2=0.1
"""

from __future__ import annotations

import re
from collections.abc import Callable

from deepwell._base._constraints import EachOf
from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._hyperparameters import OPTAX_PREFIX, Value, declaration, validate
from deepwell._base._safe_text import safe_text

from ._choice import Choice
from ._distribution import Distribution
from ._fixed import Fixed
from ._integer import Integer
from ._log import Log
from ._one_minus_log import OneMinusLog
from ._per_layer import PerLayer
from ._space import checked_entry
from ._uniform import Uniform
from ._when import When

_LONGEST = 20_000
_DEEPEST = 10  # brackets
_DIGITS = 18  # longer whole numbers are read as real ones: no setting has so many
_EXAMPLE = "write name=log(1e-4, 1), name=choice(a, b) or name=0.2"
_RANGES: dict[str, Callable[..., Distribution]] = {  # each checks its own ends
    "uniform": Uniform,
    "integer": Integer,
    "log": Log,
    "one_minus_log": OneMinusLog,
}
_KINDS = (*_RANGES, "choice", "per_layer", "when")

_CALL = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*\((.*)\)")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_LIST = re.compile(r"[\w.+-]+(\s*,\s*[\w.+-]+)+", re.ASCII)
_CHANGES = re.compile(r"[0-9]+\s*:.*")
_WORD = re.compile(rf"({OPTAX_PREFIX})?[A-Za-z_][A-Za-z0-9_]*")


def parse_entry(text: str) -> tuple[str, Distribution]:
    """Return the hyperparameter and the distribution that one entry of a space names.

    >>> parse_entry("learning_rate=log(1e-4,1)")
    ('learning_rate', Log(low=0.0001, high=1.0))
    >>> parse_entry("hidden_units=[64,32]")
    ('hidden_units', Fixed(value=(64, 32)))

    Args:
        text: `name=kind(a, b)` with a kind of `uniform`, `integer`, `log`, `one_minus_log`;
            `name=choice(a, b, ...)`; or `name=value` for a value that is not searched. Brackets
            list one number a layer. `name=per_layer(...)` gives each layer its own, and
            `name=when(..., other=choice(a, b))` exists only where the other has such a value.

    Raises:
        UsageError: saying what is wrong with the entry and how to write it.
    """
    if len(text) > _LONGEST:
        raise UsageError(f"a space entry may have {_LONGEST:,} characters, got {len(text):,}")
    name, equals, right = (part.strip() for part in text.partition("="))
    try:
        if not (name and equals and right):
            raise UsageError(f"a name and a range or value are needed; {_EXAMPLE}")
        if right.count("(") > _DEEPEST:
            raise UsageError(f"it has more than {_DEEPEST} opening brackets; {_EXAMPLE}")
        if right.startswith("[") and not isinstance(declaration(name).constraint, EachOf):
            raise UsageError(
                f"`{name}` takes one value; to search several values, write choice(a, b)"
            )
        return name, checked_entry(name, _spread(right))
    except UsageError as error:
        raise UsageError(f'space entry "{safe_text(text, 80)}": {error}') from None


def parse_values(text: str) -> dict[str, Value]:
    """Return the values of a configuration that somebody wants tried.

    >>> parse_values("learning_rate=0.01, hidden_units=[64,32]")
    {'learning_rate': 0.01, 'hidden_units': (64, 32)}

    Args:
        text: `name=value` for each hyperparameter, with commas between them.

    Raises:
        UsageError: when it cannot be read, names nothing known, or a value is not allowed.
    """
    if len(text) > _LONGEST:
        raise UsageError(f"a configuration may have {_LONGEST:,} characters, got {len(text):,}")
    values: dict[str, Value] = {}
    try:
        for part in _split(text):
            name, equals, right = (piece.strip() for piece in part.partition("="))
            if not (name and equals and right):
                raise UsageError("write name=value with commas between, as in l2=0.1,dropout=0.2")
            if name in values:
                raise UsageError(f"it gives `{safe_text(name)}` twice; give it once")
            values[name] = validate(name, _value(right))
    except UsageError as error:
        raise UsageError(f'configuration "{safe_text(text, 80)}": {error}') from None
    return values


def _spread(text: str) -> Distribution:
    call = _CALL.fullmatch(text)
    return _call(call[1], call[2]) if call else Fixed(_value(text))


def _call(kind: str, inside: str) -> Distribution:
    if kind not in _KINDS:
        hint = did_you_mean(kind, _KINDS)
        known = ", ".join(_KINDS)
        raise UsageError(f'unknown range "{safe_text(kind)}"{hint or ";"} choose one of {known}')
    parts = _split(inside) if inside.strip() else []
    if kind == "when":
        return _when(parts)
    if kind == "per_layer":
        if len(parts) != 1:
            raise UsageError("per_layer takes one range or choice, as per_layer(integer(16, 128))")
        return PerLayer(_spread(parts[0].strip()))
    values = [_value(part) for part in parts]
    if kind == "choice":
        return Choice(tuple(values))
    if len(values) != 2:
        raise UsageError(f"{kind} takes two numbers, got {len(values)}; write {kind}(low, high)")
    return _RANGES[kind](values[0], values[1])


def _when(parts: list[str]) -> Distribution:
    if len(parts) < 2:
        raise UsageError(
            "when takes a range and a condition, as in when(uniform(0.5, 0.99), optimizer=momentum)"
        )
    given: list[tuple[str, Distribution]] = []
    for part in parts[1:]:
        name, equals, values = (piece.strip() for piece in part.partition("="))
        if not (name and equals and values):
            raise UsageError(
                f'a condition must be name=value or name=choice(a, b), got "{safe_text(part)}"'
            )
        given.append((name, _spread(values)))
    return When(_spread(parts[0].strip()), tuple(given))


def _split(inside: str) -> list[str]:
    """Return the parts between commas that stand outside brackets."""
    parts: list[str] = []
    depth, start = 0, 0
    for place, character in enumerate(inside):
        depth += (character in "[(") - (character in "])")
        if character == "," and depth == 0:
            parts.append(inside[start:place])
            start = place + 1
    return [*parts, inside[start:]]


def _value(raw: str) -> Value:
    part = raw.strip()
    if part.startswith("[") and part.endswith("]"):
        return _listed([number.strip() for number in part[1:-1].split(",")])
    if _WHOLE.fullmatch(part) and len(part) <= _DIGITS:
        return int(part)
    if _REAL.fullmatch(part):
        return float(part)
    if _WORD.fullmatch(part) or _CHANGES.fullmatch(part):
        return part
    if _LIST.fullmatch(part):
        raise UsageError(f"to search several values, write choice({safe_text(part)})")
    raise UsageError(f'cannot read "{safe_text(part)}"; {_EXAMPLE}')


def _listed(parts: list[str]) -> tuple[int, ...] | tuple[float, ...]:
    if all(_WHOLE.fullmatch(part) and len(part) <= _DIGITS for part in parts):
        return tuple(int(part) for part in parts)
    for part in parts:
        if not _REAL.fullmatch(part) or (_WHOLE.fullmatch(part) and len(part) > _DIGITS):
            raise UsageError(
                f'brackets list one number a layer, as in [64, 32], got "{safe_text(part)}"; '
                "to search several values, write choice(a, b)"
            )
    return tuple(float(part) for part in parts)
