"""Configurations that are tried because somebody said so, before what the sampler proposes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value, complete, validate
from deepwell._base._safe_text import safe_text
from deepwell.search.samplers._registry import SAMPLERS
from deepwell.search.spaces._distribution import plain, value_text
from deepwell.search.spaces._space import Space, with_fixed

YOU = "you"
_DRAWS = 1_000_003  # parts the draws of what is left open from those of the study's rounds


@dataclass(frozen=True)
class Given:
    """A configuration to be tried.

    Attributes:
        values: of the names that it says, checked; the rest is as the space leaves it.
        by: who proposed it, in words: `you`, or `study churn`.
        after: how many configurations of the study were proposed before it, copies not counted.
        again: the trial that it trains again for longer, by the same seed; None for one of its own.
    """

    values: Mapping[str, Value]
    by: str
    after: int = 0
    again: int | None = None


def settled(space: Space, values: Mapping[str, object], seed: int, number: int) -> dict[str, Value]:
    """Return a whole configuration: what is given, and the rest drawn from the space.

    Args:
        space: of the study; values may lie outside of its ranges, but must obey its constraints.
        values: name -> value.
        seed: of the study.
        number: which of its given configurations it is.

    Raises:
        UsageError: when a name is unknown, a value is not allowed, or a constraint does not hold.
    """
    given = {name: validate(name, plain(value)) for name, value in values.items()}
    try:
        key = np.random.SeedSequence([seed, _DRAWS, number])
        (whole,) = SAMPLERS["random"](with_fixed(space, given), [], 1, key)
        complete(whole)
    except UsageError as error:
        said = ", ".join(f"{name}={value_text(value)}" for name, value in given.items())
        raise UsageError(f"the configuration {safe_text(said, 200)}: {error}") from None
    return whole


def given_to_plain(given: Sequence[Given]) -> list[dict[str, object]]:
    """Return them as plain values."""
    told: list[dict[str, object]] = []
    for one in given:
        plain: dict[str, object] = {"values": dict(one.values), "by": one.by, "after": one.after}
        told.append(plain if one.again is None else {**plain, "again": one.again})
    return told


def given_from_plain(told: Sequence[Mapping[str, Any]]) -> tuple[Given, ...]:
    """Return what `given_to_plain` described."""
    return tuple(
        Given(
            *({n: validate(n, v) for n, v in one["values"].items()}, one["by"], one["after"]),
            again=one.get("again"),
        )
        for one in told
    )
