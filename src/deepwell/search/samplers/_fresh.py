"""Proposals that are allowed and new: the one place where samplers reject what was tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search.spaces._domain import Domain

Draw = Callable[[int], np.ndarray]
"""`count -> (count, d)`: the next points of the unit cube; other points at each call."""

_REPEATS = 100  # known points in a row after which a domain is looked at point by point
_FORBIDDEN = 20_000  # forbidden points in a row after which nothing allowed is expected to come
_LISTED_SOONER = 500  # the same where the domain can be listed instead
_ENUMERATED = 10_000  # points of a finite domain that are listed without a second thought
_LISTED_AT_LAST = 200_000  # the same before any comes twice: a second or two, and 100 MB


def fresh(
    domain: Domain, history: Sequence[Observation], n: int, draw: Draw
) -> list[dict[str, Value]]:
    """Return `n` configurations from draws, all of them allowed and none of them known.

    Points that are forbidden, were tried before, or came in this batch are passed over, and more
    are drawn. When hardly any draw is new, a finite domain is listed, and each further draw gives
    the nearest of the points that were used least; so nothing comes twice before all have come.
    A larger domain is listed once more known draws came in a row than there can be; where it has
    too many points for that, draws are then taken as they are.

    Args:
        domain: what may be tried.
        history: all that was tried so far.
        n: how many configurations are wanted.
        draw: where the sampler would look next; asked again for each point that is passed over.

    Raises:
        UsageError: when the domain's constraints leave nothing, or next to nothing.
    """
    uses = _Uses(domain, history)
    size = domain.cardinality()
    known = len(history) + n  # a sequence that is drawn once more gives all of these again
    sooner = size is not None and size <= max(_ENUMERATED, 4 * known)
    patience = (_REPEATS, _LISTED_SOONER) if sooner else (_REPEATS + known, _FORBIDDEN)
    taken = _draw_new(domain, uses, n, draw, patience)
    missing = n - len(taken)
    if missing == 0:
        return taken
    if sooner or (size is not None and size <= _LISTED_AT_LAST):
        listed = _listed(domain)
        counts = np.array(
            [uses.of(i, v) for i, v in zip(listed.identities, listed.values, strict=True)]
        )
        return taken + [
            _nearest_of_least_used(domain, listed, counts, draw) for _ in range(missing)
        ]
    return taken + [_next_allowed(domain, draw)[0] for _ in range(missing)]


def tried(domain: Domain, history: Sequence[Observation]) -> set[Hashable]:
    """Return the identities of all points of a history that have one in this domain."""
    return set(uses_of(domain, history))


def uses_of(domain: Domain, history: Sequence[Observation]) -> Counter[Hashable]:
    """Return how often each point of the domain was tried, by its identity."""
    known = (_identity(domain, observation.values) for observation in history)
    return Counter(identity for identity in known if identity is not None)


def _identity(domain: Domain, values: Mapping[str, Value]) -> Hashable | None:
    """Return the identity of what was tried; None for what is no point of the domain."""
    try:
        identity = domain.identity(values)
        hash(identity)
    except (KeyError, TypeError):  # before it got another name; kinds of values of others
        return None
    return identity


class _Uses:
    """How often each point was tried; a history is counted once a draw may be part of it.

    To tell which point something is takes 50 us, and on a continuum hardly any draw has a value
    that was tried before, unless the same key draws once more.
    """

    def __init__(self, domain: Domain, history: Sequence[Observation]) -> None:
        self._domain, self._uncounted = domain, history
        self._name = domain.continuum
        self._values = None if self._name is None else _numbers_of(self._name, history)
        self._counts: Counter[Hashable] = Counter()

    def of(self, identity: Hashable, values: Mapping[str, Value]) -> int:
        """Return how often a point was tried, or was added since."""
        if self._uncounted and self._may_be_known(values):
            self._counts.update(uses_of(self._domain, self._uncounted))
            self._uncounted = ()
        return self._counts[identity]

    def add(self, identity: Hashable) -> None:
        """Count a point once more."""
        self._counts[identity] += 1

    def _may_be_known(self, values: Mapping[str, Value]) -> bool:
        if self._name is None or self._values is None:
            return True
        return values[self._name] in self._values


def _numbers_of(name: str, history: Sequence[Observation]) -> set[Value] | None:
    """Return the values of a name in a history; None where one of them is no number, or none."""
    told = (observation.values.get(name) for observation in history)
    numbers = [value for value in told if isinstance(value, int | float)]
    return set(numbers) if len(numbers) == len(history) else None


def _draw_new(
    domain: Domain, uses: _Uses, n: int, draw: Draw, patience: tuple[int, int]
) -> list[dict[str, Value]]:
    """Return up to `n` new points, and count them in `uses`.

    They are fewer when as many known points, or forbidden ones, as `patience` says came in a row.
    """
    taken: list[dict[str, Value]] = []
    repeats = forbidden = 0
    while len(taken) < n:
        for unit in draw(n - len(taken)):
            values = domain.decode(unit)
            if not domain.allowed(values):
                forbidden += 1
                continue
            forbidden = 0
            identity = domain.identity(values)
            if uses.of(identity, values):
                repeats += 1
                continue
            repeats = 0
            uses.add(identity)
            taken.append(values)
        if repeats >= patience[0] or forbidden >= patience[1]:
            break
    return taken


def _next_allowed(domain: Domain, draw: Draw) -> tuple[dict[str, Value], np.ndarray]:
    """Return the next allowed draw, its values and its point."""
    for _ in range(_FORBIDDEN):
        unit = draw(1)[0]
        values = domain.decode(unit)
        if domain.allowed(values):
            return values, unit
    raise nothing_allowed(f"none of {_FORBIDDEN:,} points drawn in a row is")


@dataclass(frozen=True)
class _Listed:
    """All allowed points of a finite domain, each once: two of the cube may mean the same one."""

    identities: list[Hashable]
    values: list[dict[str, Value]]
    units: np.ndarray  # (m, d)


def _listed(domain: Domain) -> _Listed:
    found: dict[Hashable, tuple[dict[str, Value], list[float]]] = {}
    for values, unit in domain.points():
        if domain.allowed(values):
            found.setdefault(domain.identity(values), (values, unit))
    if not found:
        raise nothing_allowed("none of its points is")
    values, units = zip(*found.values(), strict=True)
    return _Listed(list(found), list(values), np.array(units, np.float64))


def _nearest_of_least_used(
    domain: Domain, listed: _Listed, counts: np.ndarray, draw: Draw
) -> dict[str, Value]:
    """Return the point nearest to the next draw among those used least, and count it."""
    least = np.flatnonzero(counts == counts.min())
    distances = np.zeros(len(least))
    for place, (axis, at) in enumerate(zip(domain.axes, draw(1)[0], strict=True)):
        apart = np.abs(listed.units[least, place] - at)
        if not axis.ordered and axis.count:  # another name is as far as any other
            apart = np.where(apart <= 0.5 / axis.count, 0.0, 1.0)
        distances += apart
    chosen = int(least[np.argmin(distances)])
    counts[chosen] += 1
    return dict(listed.values[chosen])


def nothing_allowed(finding: str) -> UsageError:
    """Return the error for a domain whose constraints leave nothing, and how that was found."""
    return UsageError(
        f"the constraints of the space must leave something to try, and {finding} allowed; "
        "loosen a constraint or widen a range"
    )
