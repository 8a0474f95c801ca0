"""Ask and tell: the samplers for whoever evaluates on their own, in any way and anywhere."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from deepwell._base._atomic_file import write_file
from deepwell._base._constraints import IntegerInterval
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value
from deepwell._base._safe_text import safe_text
from deepwell.records import Observation

from .samplers._named import sampler_named
from .samplers._sampler import Sampler
from .spaces._distribution import plain
from .spaces._domain import Domain
from .spaces._plain import domain_from_plain, space_from_plain, space_to_plain
from .spaces._space import Space

_FORMAT, _VERSION = "deepwell search", 1
_COUNT = IntegerInterval(1, 10_000_000)
_CALLS = IntegerInterval(0, 2**53)
_SEED = IntegerInterval(0, 2**63 - 1)


class Search:
    """A search of which you do the evaluating: ask for points, tell their scores.

    >>> import deepwell as dw
    >>> search = dw.Search({"x": dw.uniform(-2, 2)}, search="quasi-random", seed=1)
    >>> for values in search.ask(32):
    ...     search.tell(values, (values["x"] - 1) ** 2)
    >>> abs(search.best.values["x"] - 1) < 0.1
    True

    What is asked depends on the space, the seed, the sizes of the calls, and what was told before
    each of them; so points may be evaluated in any order, and at once.

    Args:
        space: name -> distribution, list (a choice) or value (held fixed), as for a `Study`; the
            names are your own.
        search: name of a sampler, as `quasi-random`, or a `Sampler`.
        seed: of all that is random, from 0.
        n: how many points there will be in all, if it is known; a grid chooses its steps by it.
        history: what is known already, as from an earlier search.

    Attributes:
        outside: how many points of the history that was given do not lie in the space, or are
            forbidden by its constraints; samplers pass them over, and the best point is none of
            them.

    Raises:
        UsageError: when a range is impossible, or there is no such sampler.
    """

    def __init__(
        self,
        space: Mapping[str, object],
        *,
        search: str | Sampler = "bayesian",
        seed: int = 0,
        n: int | None = None,
        history: Iterable[Observation] = (),
    ) -> None:
        if not isinstance(space, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(
                "a space must be a mapping such as {'x': uniform(0, 1)}, "
                f"got {type(space).__name__}"
            )
        self.space = space if isinstance(space, Domain) else Domain(space)
        self.seed = whole("seed", seed, _SEED)
        self.n = None if n is None else whole("n", n, _COUNT)
        self._name = search if isinstance(search, str) else ""
        sampler = sampler_named(search) if isinstance(search, str) else search
        self._propose = sampler.planned(self.n)
        self._calls = 0
        self._history: list[Observation] = []
        self._out: dict[Hashable, list[int]] = {}
        self._strange: set[int] = set()
        for place, one in enumerate(history):
            values = {name: _as_value(value) for name, value in one.values.items()}
            self._add(replace(one, values=values))
            if self.space.place(values) is None:
                self._strange.add(place)
        self.outside = len(self._strange)

    @property
    def history(self) -> tuple[Observation, ...]:
        """All points in the order in which they were asked for; a score still out is NaN."""
        return tuple(self._history)

    @property
    def best(self) -> Observation | None:
        """The point of the space with the lowest finite score, the first one of several.

        None before any.
        """
        told = (o for place, o in enumerate(self._history) if place not in self._strange)
        scored = [o for o in told if math.isfinite(o.score)]
        return min(scored, key=lambda o: o.score, default=None)

    def ask(self, n: int = 1) -> list[dict[str, Value]]:
        """Return the next `n` points: the value of every name of the space.

        Points whose scores are still out count: nothing is asked for twice, and samplers that
        learn keep away from them.

        Raises:
            UsageError: when `n` is no number of points, or the sampler cannot propose any.
        """
        count = whole("n", n, _COUNT)
        key = np.random.SeedSequence([self.seed, self._calls])
        points = self._propose(self.space, self._history, count, key)
        self._calls += 1
        for values in points:
            self._add(Observation(dict(values)))
        return points

    def tell(self, values: Mapping[str, Value], score: float) -> None:
        """Note the score of a point, lower is better.

        A score that is no number (NaN) or infinite says that the evaluation failed; it counts as
        worse than any other. A point that nobody asked for is added, if it lies in the space.

        Args:
            values: as they were asked, or some of your own.
            score: of the point.

        Raises:
            UsageError: when the score is none, or the point does not lie in the space.
        """
        known = score_of(score)
        values = {name: _as_value(value) for name, value in values.items()}
        identity = self._identity(values)
        waiting = None if identity is None else self._out.get(identity)
        if waiting:
            place = waiting.pop(0)
            self._history[place] = replace(self._history[place], score=known, finished=True)
            return
        if self.space.place(values) is None:
            raise UsageError(
                f"the point {safe_text(dict(values), 200)} must lie in the space "
                f"{safe_text(self.space.describe(), 200)}; tell points as they were asked for"
            )
        own = {name: values[name] for name in self.space if name in values}
        self._add(Observation(own, known, finished=True))

    def save(self, path: str | Path) -> None:
        """Write all that is known to a JSON file, from which `Search.load` goes on.

        Raises:
            UsageError: when the file cannot be written, or the sampler has no name to be found by.
        """
        if not self._name:
            raise UsageError(
                "a search by a sampler of your own cannot be saved, for a file keeps only a name; "
                "keep `history`, and begin the next search with it"
            )
        kept = {
            "format": _FORMAT,
            "version": _VERSION,
            "space": space_to_plain(self.space),
            "networks": isinstance(self.space, Space),
            "search": self._name,
            "seed": self.seed,
            "n": self.n,
            "calls": self._calls,
            "history": [_observation_to_plain(o) for o in self._history],
        }
        try:
            write_file(Path(path), (json.dumps(kept, indent=1, allow_nan=False) + "\n").encode())
        except (OSError, TypeError, ValueError) as error:  # values of kinds that JSON has not
            raise UsageError(f"cannot write {safe_text(path, 200)}: {error}") from None

    @classmethod
    def load(cls, path: str | Path) -> Search:
        """Return the search that `save` wrote: it asks what the saved one would have asked.

        Raises:
            UsageError: when the file cannot be read, or is none of a search.
        """
        try:
            read: object = json.loads(Path(path).read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"cannot read {safe_text(path, 200)}: {error}") from None
        kept: Mapping[str, Any] = {}
        if isinstance(read, dict):
            kept = cast(Mapping[str, Any], read)
        if kept.get("format") != _FORMAT:
            raise UsageError(f"{safe_text(path, 200)} must be a file that `Search.save` wrote")
        if kept.get("version") != _VERSION:
            raise UsageError(
                f"{safe_text(path, 200)} was written by a later Deepwell (version "
                f"{safe_text(kept.get('version'))} of the format, {_VERSION} is known); update "
                "Deepwell"
            )
        try:
            return cls._from_plain(kept)
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise UsageError(
                f"{safe_text(path, 200)} is damaged: {type(error).__name__}: "
                f"{safe_text(error, 200)}; take a copy of it from before"
            ) from None

    @classmethod
    def _from_plain(cls, kept: Mapping[str, Any]) -> Search:
        make = space_from_plain if kept["networks"] else domain_from_plain
        search = cls(
            make(kept["space"]),
            search=kept["search"],
            seed=kept["seed"],
            n=kept["n"],
            history=[_observation_from_plain(o) for o in kept["history"]],
        )
        search._calls = whole("calls", kept["calls"], _CALLS)
        return search

    def _add(self, observation: Observation) -> None:
        identity = self._identity(observation.values) if observation.pending else None
        if identity is not None:
            self._out.setdefault(identity, []).append(len(self._history))
        self._history.append(observation)

    def _identity(self, values: Mapping[str, Value]) -> Hashable:
        """Return what tells points apart; None for what is no point of the space."""
        try:
            identity = self.space.identity(values)
            hash(identity)
        except (KeyError, TypeError):
            return None
        return identity


def score_of(score: object) -> float:
    """Return a score as a float; infinite where it is not finite.

    Raises:
        UsageError: when it is no number.
    """
    number = plain(score)
    if not isinstance(number, str | bytes | bool | complex):
        try:
            known = float(cast(Any, number))
        except OverflowError:  # a whole number beyond all floats
            return math.inf
        except (TypeError, ValueError):
            pass
        else:
            return known if math.isfinite(known) else math.inf
    raise UsageError(
        f"a score must be one number, lower is better, got {safe_text(repr(score))}; "
        "return infinity where there is none"
    )


def whole(name: str, value: object, allowed: IntegerInterval) -> int:
    """Return a whole number that was given as an argument.

    Raises:
        UsageError: when it is not one of the allowed ones.
    """
    number = plain(value)
    if isinstance(number, int) and allowed.accepts(number):
        return number
    raise UsageError(f"`{name}` must be {allowed.describe()}, got {safe_text(repr(value))}")


def _observation_to_plain(observation: Observation) -> dict[str, object]:
    """Return a dictionary for JSON, which has no number for NaN and infinity."""
    return {
        "values": dict(observation.values),
        "score": _number_to_plain(observation.score),
        "cost": _number_to_plain(observation.cost),
        "epochs": observation.epochs,
        "finished": observation.finished,
    }


def _observation_from_plain(kept: Mapping[str, Any]) -> Observation:
    values = {name: _as_value(value) for name, value in kept["values"].items()}
    score, cost = float(kept["score"]), float(kept["cost"])
    return Observation(values, score, cost, kept["epochs"], kept["finished"])


def _as_value(value: Any) -> Value:
    """Return a list, as JSON has one, as the tuple that it was, and NumPy's numbers as Python's."""
    if isinstance(value, list | tuple):
        return tuple(cast(Any, plain(one)) for one in cast(Sequence[Any], value))
    return cast(Value, plain(value))


def _number_to_plain(number: float) -> float | str:
    return float(number) if math.isfinite(number) else str(number)
