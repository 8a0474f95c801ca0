"""Constraints between values, from text: read by a grammar, never evaluated as a program.

constraint = sum relation sum { relation sum }
relation   = "<" | "<=" | ">" | ">=" | "==" | "!="
sum        = product { ( "+" | "-" ) product }
product    = signed { ( "*" | "/" ) signed }
signed     = [ "+" | "-" ] power
power      = atom [ "**" signed ]
atom       = number | name [ "[" layer "]" ] | ( "sum" | "min" | "max" ) "(" name ")" | "(" sum ")"
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value
from deepwell._base._safe_text import safe_text

_LONGEST = 500
_DEEPEST = 20
_EXAMPLE = "write something like hidden_units * hidden_layers <= 256"
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]))"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>\*\*|<=|>=|==|!=|[-+*/()\[\]<>]))",
    re.ASCII,
)
_END = ""

Evaluate = Callable[[Mapping[str, Value]], float]

_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_SIGNS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: left / right,
    "**": math.pow,
}
_OF_LISTS: dict[str, Callable[[tuple[float, ...]], float]] = {"sum": sum, "min": min, "max": max}


class _AbsentError(Exception):
    """A name or a layer that is not there."""


@dataclass(frozen=True)
class Constraint:
    """What must hold between the values of a configuration.

    >>> small = Constraint("hidden_units * hidden_layers <= 256")
    >>> [small.holds({"hidden_units": units, "hidden_layers": 3}) for units in (64, 128)]
    [True, False]

    Attributes:
        text: as `hidden_units[2] <= hidden_units[1]`; comparisons of sums, products and powers of
            numbers and names. Of a list with a value a layer, `[1]` is that of the first layer,
            and `sum`, `min` and `max` are over all.
        numbers: the names that stand for one number.
        lists: the names that stand for a list.

    Raises:
        UsageError: saying what of the text cannot be read.
    """

    text: str
    numbers: frozenset[str] = field(init=False, compare=False)
    lists: frozenset[str] = field(init=False, compare=False)
    _sides: tuple[Evaluate, ...] = field(init=False, compare=False, repr=False)
    _relations: tuple[str, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        text = cast(object, self.text)
        if not isinstance(text, str):
            raise UsageError(f"a constraint must be text, got {safe_text(repr(text))}; {_EXAMPLE}")
        if len(text) > _LONGEST:
            raise UsageError(f"a constraint may have {_LONGEST} characters, got {len(text):,}")
        reader = _Reader(text)
        sides, relations = reader.constraint()
        for name, value in {
            "text": " ".join(text.split()),
            "numbers": frozenset(reader.numbers),
            "lists": frozenset(reader.lists),
            "_sides": tuple(sides),
            "_relations": tuple(relations),
        }.items():
            object.__setattr__(self, name, value)

    @property
    def names(self) -> frozenset[str]:
        """All names that it speaks of."""
        return self.numbers | self.lists

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Return whether values obey; where one of its names or layers does not exist, they do.

        What cannot be computed, as a division by 0 or a list in place of a number, does not obey.
        """
        try:
            sides = [side(values) for side in self._sides]
        except _AbsentError:
            return True
        except (ArithmeticError, ValueError, TypeError):
            return False
        pairs = zip(self._relations, sides, sides[1:], strict=False)
        return all(_RELATIONS[sign](left, right) for sign, left, right in pairs)


class _Reader:
    """Reads one constraint, token by token."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self.numbers: set[str] = set()
        self.lists: set[str] = set()
        self._kind = self._token = _END
        self._next()

    def constraint(self) -> tuple[list[Evaluate], list[str]]:
        sides, relations = [self._sum()], list[str]()
        while self._token in _RELATIONS:
            relations.append(self._take())
            sides.append(self._sum())
        if self._token != _END:
            raise self._wrong(f'cannot go on at "{safe_text(self._token)}"')
        if not relations:
            raise self._wrong("it compares nothing")
        if not self.numbers | self.lists:
            raise self._wrong("it names no hyperparameter")
        return sides, relations

    def _sum(self) -> Evaluate:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._wrong(f"its brackets are more than {_DEEPEST} deep")
        left = self._product()
        while self._token in ("+", "-"):
            left = _both(_SIGNS[self._take()], left, self._product())
        self._depth -= 1
        return left

    def _product(self) -> Evaluate:
        left = self._signed()
        while self._token in ("*", "/"):
            left = _both(_SIGNS[self._take()], left, self._signed())
        return left

    def _signed(self) -> Evaluate:
        negative = False
        while self._token in ("+", "-"):
            negative ^= self._take() == "-"
        power = self._power()
        return (lambda values: -power(values)) if negative else power

    def _power(self) -> Evaluate:
        base = self._atom()
        if self._token != "**":
            return base
        self._take()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._wrong(f"its powers are more than {_DEEPEST} deep")
        exponent = self._signed()
        self._depth -= 1
        return _both(_SIGNS["**"], base, exponent)

    def _atom(self) -> Evaluate:
        if self._kind == "number":
            number = float(self._take())
            return lambda values: number
        if self._kind == "name":
            return self._named(self._take())
        if self._token != "(":
            raise self._wrong(
                f'a number or a name must stand before "{safe_text(self._token)}"'
                if self._token
                else "it ends too soon"
            )
        self._take()
        inside = self._sum()
        self._expect(")")
        return inside

    def _named(self, name: str) -> Evaluate:
        if self._token == "(":
            return self._of_list(name)
        if self._token == "[":
            self._take()
            layer = self._take() if self._kind == "number" else ""
            self._expect("]")
            if not layer.isdecimal() or int(layer) < 1:
                raise self._wrong(f"`{name}[1]` is its first layer, and layers are whole numbers")
            self.lists.add(name)
            return _layer(name, int(layer))
        self.numbers.add(name)
        return lambda values: _number(values, name)

    def _of_list(self, function: str) -> Evaluate:
        if function not in _OF_LISTS:
            known = ", ".join(_OF_LISTS)
            raise self._wrong(f'there is no "{safe_text(function)}(...)", only {known}')
        self._take()
        if self._kind != "name":
            raise self._wrong(f"{function} takes the name of a list with a value a layer")
        name = self._take()
        self._expect(")")
        self.lists.add(name)
        of = _OF_LISTS[function]
        return lambda values: float(of(_list(values, name)))

    def _expect(self, token: str) -> None:
        if self._token != token:
            raise self._wrong(f'"{token}" is missing')
        self._take()

    def _take(self) -> str:
        token = self._token
        self._next()
        return token

    def _next(self) -> None:
        rest = self._text[self._at :]
        if not rest.strip():
            self._kind = self._token = _END
            return
        match = _TOKEN.match(rest)
        if match is None:
            raise self._wrong(f'cannot read "{safe_text(rest.strip(), 20)}"')
        self._kind = str(match.lastgroup)
        self._token = match[self._kind]
        self._at += match.end()

    def _wrong(self, finding: str) -> UsageError:
        return UsageError(f'constraint "{safe_text(self._text, 80)}": {finding}; {_EXAMPLE}')


def _both(sign: Callable[[float, float], float], left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda values: sign(left(values), right(values))


def _number(values: Mapping[str, Value], name: str) -> float:
    if name not in values:
        raise _AbsentError
    return float(cast(float, values[name]))


def _list(values: Mapping[str, Value], name: str) -> tuple[float, ...]:
    found = values.get(name, ())
    if not found:
        raise _AbsentError
    return cast(tuple[float, ...], found)


def _layer(name: str, layer: int) -> Evaluate:
    def evaluate(values: Mapping[str, Value]) -> float:
        found = _list(values, name)
        if layer > len(found):
            raise _AbsentError
        return float(found[layer - 1])

    return evaluate
