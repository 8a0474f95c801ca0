"""New values of hyperparameters as a person asks for them: `0.01`, or `x0.5` of what they are."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from deepwell._base._changes import parsed_changes
from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._hyperparameters import CHANGEABLE, Value, declaration, validate
from deepwell._base._safe_text import safe_text
from deepwell.records import TrialSpec
from deepwell.search.spaces._distribution import plain

MOST_COPIES = 64
_FACTOR = re.compile(r"x\s*(\S+)")


def asked_values(given: Mapping[str, object]) -> dict[str, object]:
    """Return what is asked for, checked as far as that can be without a network.

    >>> asked_values({"learning_rate": "x0.5", "dropout": "0.2"})
    {'learning_rate': 'x0.5', 'dropout': 0.2}

    Args:
        given: name -> value, its text, or a factor.

    Raises:
        UsageError: when a name is none that can change, or a value is out of its range.
    """
    return {name: _checked(name, plain(value)) for name, value in given.items()}


def settled_values(spec: TrialSpec, epoch: int, asked: Mapping[str, object]) -> dict[str, Value]:
    """Return the values that a network is to have after an epoch.

    >>> settled_values(TrialSpec({"learning_rate": 0.01}, seed=0), 3, {"learning_rate": "x0.5"})
    {'learning_rate': 0.005}

    Args:
        spec: of the network.
        epoch: that it has ended.
        asked: as `asked_values` returns it.

    Raises:
        UsageError: when a factor leads out of the range.
    """
    now = spec.during(epoch + 1)
    return {name: _settled(name, now[name], value) for name, value in asked.items()}


def asked_copies(into: int | None, given: Mapping[str, object]) -> list[dict[str, object]]:
    """Return what is asked for each of the copies that a network is forked into.

    >>> asked_copies(None, {"learning_rate": ["x0.5", "x1"], "dropout": 0.1})
    [{'learning_rate': 'x0.5', 'dropout': 0.1}, {'learning_rate': 'x1', 'dropout': 0.1}]

    Args:
        into: how many; None for as many as values are listed.
        given: name -> a value for all, or a list with one a copy.

    Raises:
        UsageError: when the numbers disagree, or two copies would be the same.
    """
    lists = {name: _listed(v) for name, v in given.items() if isinstance(v, list | tuple)}
    listed = max(map(len, lists.values()), default=1)
    count = listed if into is None else into
    if not 2 <= count <= MOST_COPIES:
        raise UsageError(
            f"a network forks into 2 to {MOST_COPIES} copies, got {count}; list a value for each, "
            "as in learning_rate=x0.5,x1,x2"
        )
    wrong = [name for name, values in lists.items() if len(values) != count]
    if wrong:
        raise UsageError(
            f"`{safe_text(wrong[0])}` lists {len(lists[wrong[0]])} values for {count} copies; "
            "list one for each, or give one for all"
        )
    each = [
        asked_values({name: lists[name][i] if name in lists else v for name, v in given.items()})
        for i in range(count)
    ]
    for place, one in enumerate(each):
        if one in each[:place]:
            told = ", ".join(f"{name}={value}" for name, value in one.items()) or "nothing new"
            raise UsageError(
                f"two copies with {safe_text(told)} would be one and the same network; give each "
                "of them another value"
            )
    return each


def _listed(values: Any) -> list[object]:
    return list(values)


def _checked(name: str, value: object) -> object:
    declaration(name)
    if name not in CHANGEABLE:
        told = did_you_mean(name, CHANGEABLE) or f"; what can: {', '.join(CHANGEABLE)}"
        raise UsageError(f"`{safe_text(name)}` cannot change while a network trains{told}")
    if isinstance(value, str):
        found = _FACTOR.fullmatch(value.strip())
        if found is not None:
            _factor(name, value)
            return value.strip()
        value = _number(name, value)
    checked = validate(name, value)
    return list(checked) if isinstance(checked, tuple) else checked


def _number(name: str, text: str) -> object:
    try:
        return parsed_changes(f"1: {name}={text.strip()}")[0][2]
    except AssertionError:
        return text


def _factor(name: str, text: str) -> float:
    try:
        factor = float(text.strip()[1:])
    except ValueError:
        factor = math.nan
    if not (math.isfinite(factor) and factor > 0):
        raise UsageError(
            f"a factor for `{name}` must be a positive number after an x, as in x0.5, "
            f"got {safe_text(repr(text))}"
        )
    return factor


def _settled(name: str, now: Value, asked: object) -> Value:
    if not isinstance(asked, str):
        return validate(name, asked)
    factor = _factor(name, asked)
    values = [v * factor for v in now] if isinstance(now, tuple) else float(now) * factor  # type: ignore[operator,arg-type]
    try:
        return validate(name, values)
    except UsageError as error:
        raise UsageError(f"{asked} times {now}: {error}") from None
