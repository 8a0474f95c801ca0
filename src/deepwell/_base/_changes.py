"""Changes of hyperparameters while a network trains, as text.

changes = "none" | change { (";" | ",") change }
change  = [ epoch ":" ] name "=" value       an epoch holds until the next one is named
value   = number | "[" number { "," number } "]"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

NONE = "none"
# Numbers that say how a network begins, what it is or how long it trains: they do not change.
SET_ONCE = (
    "epochs",
    "patience",
    "leaky_slope",
    "elu_scale",
    "initializer_scale",
    "batch_norm_epsilon",
)
_PARTS = re.compile(r"[;,](?![^\[]*\])")  # those outside brackets
_CHANGE = re.compile(r"(?:(\d{1,9})\s*:\s*)?([A-Za-z_]\w*)\s*=\s*(\S.*)", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}")


@dataclass(frozen=True)
class Changes:
    """`none`, or changes after epochs; which names and values are right is checked beside it."""

    def accepts(self, value: object) -> bool:
        """Whether `value` is written as the grammar says, the first change with its epoch."""
        if not isinstance(value, str):
            return False
        if value.strip() == NONE:
            return True
        found = [_CHANGE.fullmatch(part.strip()) for part in _PARTS.split(value)]
        return all(found) and found[0] is not None and found[0][1] is not None

    def describe(self) -> str:
        """Return the rule in words."""
        return "none, or changes after epochs such as 10: learning_rate=0.001; 20: dropout=0.1"

    def wrong_values(self) -> Iterator[object]:
        """Yield values that are written otherwise: what a test must see refused."""
        yield "soon"
        yield "learning_rate=0.001"
        yield "10: learning_rate"
        yield "1.5: learning_rate=0.001"
        yield "10: learning_rate=0.001;"
        yield 3


def parsed_changes(text: str) -> list[tuple[int, str, object]]:
    """Return epoch, name and value of each change of an accepted text, in the order given.

    >>> parsed_changes("10: learning_rate=0.001, l2=0; 20: dropout=[0.1, 0.2]")
    [(10, 'learning_rate', 0.001), (10, 'l2', 0), (20, 'dropout', (0.1, 0.2))]
    """
    changes: list[tuple[int, str, object]] = []
    if text.strip() == NONE:
        return changes
    epoch = 0
    for part in _PARTS.split(text):
        found = _CHANGE.fullmatch(part.strip())
        assert found is not None
        epoch = int(found[1]) if found[1] else epoch
        changes.append((epoch, found[2], _value(found[3])))
    return changes


def changes_text(changes: Mapping[int, Mapping[str, object]]) -> str:
    """Return changes, by epoch and name, in the one form in which they are stored.

    >>> changes_text({20: {"dropout": 0.1}, 10: {"learning_rate": 0.001, "l2": 0}})
    '10: learning_rate=0.001; 10: l2=0; 20: dropout=0.1'
    """
    told = [
        f"{epoch}: {name}={_text(value)}"
        for epoch in sorted(changes)
        for name, value in changes[epoch].items()
    ]
    return "; ".join(told) or NONE


def _value(text: str) -> object:
    if text.startswith("[") and text.endswith("]"):
        return tuple(_value(part.strip()) for part in text[1:-1].split(","))
    if _WHOLE.fullmatch(text):
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text


def _text(value: object) -> str:
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_text(v) for v in value) + "]"  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)
