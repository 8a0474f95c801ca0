"""Grid search: all combinations of a few values of each hyperparameter.

Simple to read and even in every direction, but its size is a product: each hyperparameter more
multiplies it, and of the one that matters it tries only as many values as there are steps.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value
from deepwell._base._safe_text import safe_text
from deepwell.records import Observation
from deepwell.search.spaces._domain import Axis, Domain

from ._fresh import fresh, nothing_allowed, uses_of
from ._sampler import Propose
from ._sequence import EvenPoints, shared, sobol, unseen

STEPS = 5
"""Values of a continuum when nothing says how many points the grid is to have."""

LARGEST = 10_000
"""Points of a grid that somebody may have meant where nothing says how many are wanted."""

_LISTED = 10  # whole numbers of a range that are all tried; a longer range gets steps
_VISITS = 4  # points of the sequence that orders a grid, for each point of the grid


@dataclass(frozen=True)
class Grid:
    """Which values a grid has on each axis.

    Attributes:
        names: of the axes.
        steps: how many values, one number an axis.
    """

    names: tuple[str, ...]
    steps: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many combinations there are."""
        return math.prod(self.steps)

    def describe(self) -> str:
        """Return the product in words, as in `learning_rate 5 x activation 2 = 10`."""
        factors = " x ".join(
            f"{safe_text(name)} {steps}" for name, steps in zip(self.names, self.steps, strict=True)
        )
        return f"{factors} = {self.size:,} combinations" if factors else "1 combination"


def grid(domain: Domain, points: int | None = None) -> Grid:
    """Return the grid of a domain.

    Every choice is on it, and every whole number of a range of up to 10. Continua and longer
    ranges get steps, the ends of the range among them: 5 each, or, when `points` says how many
    points are wanted, as many as make the smallest grid of so many points, alike from axis to
    axis.

    >>> from deepwell.search import log, uniform
    >>> domain = Domain({"rate": log(1e-4, 1), "dropout": uniform(0, 0.5), "kind": ["a", "b"]})
    >>> grid(domain).describe()
    'rate 5 x dropout 5 x kind 2 = 50 combinations'
    >>> grid(domain, 24).describe()
    'rate 4 x dropout 3 x kind 2 = 24 combinations'

    Args:
        domain: what may be tried.
        points: how many points are wanted in all.

    Raises:
        UsageError: when the grid would have more than 10,000 points and more than four times as
            many as are wanted.
    """
    axes = domain.axes
    if points is None:
        steps = [STEPS if _stepped(axis) else axis.count or 1 for axis in axes]
    else:
        steps = _smallest(axes, points)
    found = Grid(tuple(axis.name for axis in axes), tuple(steps))
    if found.size > _most(points):
        raise UsageError(_too_large(found, axes, points))
    return found


def _most(points: int | None) -> int:
    """Return how large a grid may be: to be even it may be larger than wanted."""
    return max(LARGEST, 4 * (points or 0))


def size(domain: Domain, points: int | None) -> tuple[int, str]:
    """Return how many points the grid has, and what it is in words.

    Combinations that are forbidden, or that differ only in what does not exist, are not counted;
    where none is left, a finer grid is tried.
    """
    found = grid(domain, points)
    levels = _all_levels(domain, found)
    every = map(domain.decode, itertools.product(*levels))
    count = sum(1 for _ in _distinct(domain, every))
    fewer = f", {count:,} of which can be" if count < found.size else ""
    return max(count, 1), f"a grid of {found.describe()}{fewer}"


def _stepped(axis: Axis) -> bool:
    return axis.count is None or (axis.ordered and axis.count > _LISTED)


def _smallest(axes: Sequence[Axis], points: int) -> list[int]:
    """Return the steps of the smallest grid of so many points, as even as can be."""
    steps = [2 if _stepped(axis) else axis.count or 1 for axis in axes]
    while math.prod(steps) < points:
        able = [i for i, axis in enumerate(axes) if _stepped(axis) and steps[i] != axis.count]
        if not able:
            break
        steps[min(able, key=lambda i: steps[i])] += 1
    return steps


def sized(points: int | None) -> Propose:
    """Return the sampler of the grid that so many points ask for; see `grid`."""

    def propose(
        domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
    ) -> list[dict[str, Value]]:
        return _propose(domain, history, n, key, grid(domain, points))

    return propose


def propose(
    domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
) -> list[dict[str, Value]]:
    """Return the next `n` points of the grid with 5 steps for each continuum.

    They come in the order in which a Sobol sequence finds them, so that each part of the search
    covers the grid evenly; later calls go on where the history stops. After its last point the
    grid gets finer: between two steps of an axis comes another one.

    Args:
        domain: what may be tried.
        history: all that was tried so far; its scores do not matter.
        n: how many configurations are wanted.
        key: of the call; the part that all calls share decides on the order.

    Raises:
        UsageError: when the grid has more than 10,000 points, or none of them is allowed.
    """
    return _propose(domain, history, n, key, grid(domain))


def _propose(
    domain: Domain,
    history: Sequence[Observation],
    n: int,
    key: np.random.SeedSequence,
    current: Grid,
) -> list[dict[str, Value]]:
    uses = uses_of(domain, history)
    taken: list[dict[str, Value]] = []
    found: dict[Hashable, dict[str, Value]] = {}
    while len(taken) < n:
        for identity, values in _in_order(domain, current, key):
            found.setdefault(identity, values)
            if uses[identity] == 0:
                uses[identity] += 1
                taken.append(values)
                if len(taken) == n:
                    break
        finer = _finer(domain.axes, current)
        if finer is None:
            break
        if finer.size > max(4 * LARGEST, 4 * (len(history) + n)):
            known = [*history, *(Observation(values) for values in taken)]
            return taken + _between(domain, known, n - len(taken), key)
        current = finer
    return taken + _again(found, uses, n - len(taken))


def _between(
    domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
) -> list[dict[str, Value]]:
    """Return evenly spread points for a grid that cannot get finer and had too few allowed."""
    points = EvenPoints(sobol, len(domain.axes), key)
    return fresh(domain, history, n, unseen(domain, history, points))


def _again(
    found: dict[Hashable, dict[str, Value]], uses: Counter[Hashable], count: int
) -> list[dict[str, Value]]:
    """Return points of a grid that has been used up, those used least first."""
    if count and not found:
        raise nothing_allowed("no point of a grid over it is")
    taken: list[dict[str, Value]] = []
    waiting = [(uses[identity], place) for place, identity in enumerate(found)]
    heapq.heapify(waiting)
    points = list(found.values())
    for _ in range(count):
        used, place = waiting[0]
        heapq.heapreplace(waiting, (used + 1, place))
        taken.append(dict(points[place]))
    return taken


def _in_order(
    domain: Domain, current: Grid, key: np.random.SeedSequence
) -> Iterator[tuple[Hashable, dict[str, Value]]]:
    """Yield the allowed points of a grid, each once, in an order whose parts are even."""
    levels = _all_levels(domain, current)
    cells = _cells(current.steps, key)
    at = ([of[i] for of, i in zip(levels, cell, strict=True)] for cell in cells)
    return _distinct(domain, map(domain.decode, at))


def _distinct(
    domain: Domain, points: Iterable[dict[str, Value]]
) -> Iterator[tuple[Hashable, dict[str, Value]]]:
    """Yield the allowed ones of some points, each once, by their identities."""
    seen: set[Hashable] = set()
    for values in points:
        identity = domain.identity(values)
        if identity not in seen and domain.allowed(values):
            seen.add(identity)
            yield identity, values


def _cells(steps: tuple[int, ...], key: np.random.SeedSequence) -> Iterator[tuple[int, ...]]:
    """Yield every cell of a grid once, by the first visit of a sequence, the rest in any order."""
    size, visited = math.prod(steps), set[tuple[int, ...]]()
    points = EvenPoints(sobol, len(steps), key)
    for _ in range(_VISITS):
        for unit in points.next(size):
            cell = tuple(int(u * k) for u, k in zip(unit, steps, strict=True))
            if cell not in visited:
                visited.add(cell)
                yield cell
        if len(visited) == size:
            return
    left = [cell for cell in itertools.product(*map(range, steps)) if cell not in visited]
    for place in np.random.default_rng(shared(key)).permutation(len(left)):
        yield left[place]


def _all_levels(domain: Domain, current: Grid) -> list[list[float]]:
    return [_levels(axis, n) for axis, n in zip(domain.axes, current.steps, strict=True)]


def _levels(axis: Axis, steps: int) -> list[float]:
    """Return the places of the steps on an axis of the unit cube."""
    if steps == 1:
        return [0.5]
    even = [k / (steps - 1) for k in range(steps)]
    if axis.count is None:
        return even
    return [(math.floor(u * (axis.count - 1) + 0.5) + 0.5) / axis.count for u in even]


def _finer(axes: Sequence[Axis], current: Grid) -> Grid | None:
    """Return the grid with steps between those of the axis with the fewest; None at the end."""
    able = [i for i, axis in enumerate(axes) if _stepped(axis) and current.steps[i] != axis.count]
    if not able:
        return None
    least = min(able, key=lambda i: current.steps[i])
    steps = list(current.steps)
    most = axes[least].count
    finer = 2 * steps[least] - 1 if steps[least] > 1 else 2
    steps[least] = finer if most is None else min(finer, most)
    return Grid(current.names, tuple(steps))


def _too_large(found: Grid, axes: Sequence[Axis], points: int | None) -> str:
    """Return what to do about a grid of absurd size."""
    ways = ["search fewer hyperparameters", "take --search quasi-random, which is as even"]
    if points is None and math.prod(_smallest(axes, 1)) <= LARGEST:
        ways.insert(1, "say how many points it may have, as in --trials 64")
    told = ", ".join(ways[:-1]) + ", or " + ways[-1]
    return (
        f"a grid must have at most {_most(points):,} points, and {found.describe()} "
        f"are too many; {told}"
    )
