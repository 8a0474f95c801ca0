"""The options of the commands that change a run while it trains."""

from __future__ import annotations

from dataclasses import dataclass

from deepwell._base._constraints import IntegerInterval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._flags import argument, arguments, flag

_NUMBER = IntegerInterval(0, 10_000_000)
_EPOCHS = IntegerInterval(1, 1_000_000)
_TRIALS = IntegerInterval(1, 1_000_000)
_COPIES = IntegerInterval(2, 64)
_VALUES = "New values such as learning_rate=0.01, or factors such as learning_rate=x0.5."


@dataclass(frozen=True)
class Nudged:
    """What to change of which network."""

    name: str = argument("Name of the study.", "NAME")
    rest: tuple[str, ...] = arguments(
        f"Number of a network, all that train without one. {_VALUES}", "[TRIAL] NAME=VALUE..."
    )

    def trial(self) -> int | None:
        """Return the number of the network, or None."""
        return None if not self.rest or "=" in self.rest[0] else trial_number(self.rest[0])

    def values(self) -> dict[str, str]:
        """Return the texts of the new values by name."""
        return named(self.rest if self.trial() is None else self.rest[1:])


@dataclass(frozen=True)
class OneOrAll:
    """Which network, if any."""

    name: str = argument("Name of the study.", "NAME")
    rest: tuple[str, ...] = arguments("Number of a network.", "[TRIAL]")

    def trial(self) -> int | None:
        """Return the number of the network, or None."""
        if len(self.rest) > 1:
            raise UsageError(
                f"give one network or none, got {safe_text(' '.join(self.rest))}; "
                "run the command once for each"
            )
        return trial_number(self.rest[0]) if self.rest else None


@dataclass(frozen=True)
class Back:
    """Which network goes back, where to, and with what."""

    name: str = argument("Name of the study.", "NAME")
    trial: str = argument("Number of a network.", "TRIAL")
    rest: tuple[str, ...] = arguments(_VALUES, "[NAME=VALUE...]")
    to: int | None = flag(
        None,
        "The epoch to go back to; by default that of its newest snapshot, or else its best one.",
        "EPOCH",
        constraint=_EPOCHS,
    )


@dataclass(frozen=True)
class Forked:
    """Which network is copied, how often, and with what."""

    name: str = argument("Name of the study.", "NAME")
    trial: str = argument("Number of a network.", "TRIAL")
    rest: tuple[str, ...] = arguments(
        "A value for each copy, as in learning_rate=x0.5,x1,x2, or one for all.", "NAME=VALUES..."
    )
    into: int | None = flag(
        None, "How many copies; by default as many as values.", "K", constraint=_COPIES
    )
    epochs: int | None = flag(
        None,
        "Epochs of the race, after which the best copy goes on; by default a tenth of all.",
        "N",
        constraint=_EPOCHS,
    )


@dataclass(frozen=True)
class LiveMore:
    """What a run is asked for beyond what it was begun with."""

    name: str = argument("Name of the study.", "NAME")
    trials: int | None = flag(
        None, "Further networks, when those that were planned are done.", "N", constraint=_TRIALS
    )
    epochs: int | None = flag(
        None, "Further epochs for the networks that train.", "N", constraint=_EPOCHS
    )
    budget: str | None = flag(None, "Wall time from now on, as in 60s or 5m.", "TIME")


@dataclass(frozen=True)
class Narrowed:
    """Another space or sampler."""

    name: str = argument("Name of the study.", "NAME")
    space: tuple[str, ...] = flag(
        (),
        "Search a hyperparameter in this range from now on, as in learning_rate=log(1e-3,1e-2); "
        "repeatable.",
        "NAME=RANGE",
    )
    constraint: tuple[str, ...] = flag(
        (), "What must hold between values from now on; repeatable.", "TEXT"
    )
    search: str | None = flag(None, "The sampler from now on.", "WAY")


def trial_number(text: str) -> int:
    """Return the number of a network.

    Raises:
        UsageError: when the text is none.
    """
    if text.isascii() and text.isdigit() and _NUMBER.accepts(int(text)):
        return int(text)
    raise UsageError(
        f'the number of a network must be a whole number such as 3, got "{safe_text(text)}"; '
        "values are written as name=value"
    )


def named(texts: tuple[str, ...]) -> dict[str, str]:
    """Return `name=value` texts by name.

    Raises:
        UsageError: when one is written otherwise, or a name comes twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not (sign and name and value.strip()):
            raise UsageError(
                f'a new value must be written as name=value, got "{safe_text(text)}"; '
                "as in learning_rate=x0.5"
            )
        if name in found:
            raise UsageError(f"`{safe_text(name)}` is given twice; give it once")
        found[name] = value.strip()
    return found


def listed(text: str) -> str | list[str]:
    """Return the parts of a list of values, one a copy; the text itself where it is one value.

    >>> listed("x0.5,x1,[0.1,0.2]")
    ['x0.5', 'x1', '[0.1,0.2]']
    """
    parts, depth, part = [], 0, ""
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += character
    parts.append(part)
    return text if len(parts) == 1 else [one.strip() for one in parts]
