"""Random search (Bergstra and Bengio 2012, Journal of Machine Learning Research 13).

25 random trials try 25 values of the hyperparameter that matters; a 5 x 5 grid tries 5.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Sequence

import numpy as np

from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search.spaces._domain import Domain

_ENUMERATED = 10_000  # points of a finite domain that are listed without a second thought
_TRIES = 100  # draws for each wanted point before a finite domain counts as exhausted


def propose(
    domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
) -> list[dict[str, Value]]:
    """Return `n` configurations drawn independently, without repetition in a finite domain.

    Args:
        domain: what may be tried.
        history: all that was tried so far; it matters only in a finite domain.
        n: how many configurations are wanted.
        key: where all randomness comes from.

    Returns:
        One dictionary a configuration, with a real value for every name of `domain`. In a finite
        space the configurations that came least often so far come first, in random order.
    """
    generator = np.random.default_rng(key)
    size = domain.cardinality()
    if size is None:
        return [domain.decode(u) for u in generator.random((n, len(domain.searched)))]
    if size <= max(_ENUMERATED, 4 * (len(history) + n)):
        return _least_used(domain, history, n, generator)
    return _rejecting(domain, history, n, generator)


def _least_used(
    domain: Domain, history: Sequence[Observation], n: int, generator: np.random.Generator
) -> list[dict[str, Value]]:
    points = _points(domain)
    uses = dict.fromkeys(points, 0)
    for tried in history:
        identity = domain.identity(tried.values)
        if identity in uses:
            uses[identity] += 1
    chosen: list[dict[str, Value]] = []
    while len(chosen) < n:
        least = min(uses.values())
        fresh = [identity for identity, count in uses.items() if count == least]
        for place in generator.permutation(len(fresh))[: n - len(chosen)]:
            uses[fresh[place]] += 1
            chosen.append(dict(points[fresh[place]]))
    return chosen


def _points(domain: Domain) -> dict[Hashable, dict[str, Value]]:
    """Return every network of a finite domain once: two of the cube may mean the same network."""
    names = domain.searched
    axes = [_middles(domain[name].count() or 1) for name in names]
    points: dict[Hashable, dict[str, Value]] = {}
    for unit in itertools.product(*axes):
        values = domain.decode(unit)
        points.setdefault(domain.identity(values), values)
    return points


def _middles(count: int) -> list[float]:
    return [(k + 0.5) / count for k in range(count)]


def _rejecting(
    domain: Domain, history: Sequence[Observation], n: int, generator: np.random.Generator
) -> list[dict[str, Value]]:
    """Draw until the point is new: at most a quarter of the space is taken, so this ends soon."""
    seen = {domain.identity(tried.values) for tried in history}
    tries = _TRIES * n
    chosen: list[dict[str, Value]] = []
    while len(chosen) < n:
        values = domain.decode(generator.random(len(domain.searched)))
        identity = domain.identity(values)
        tries -= 1
        if identity in seen and tries > 0:
            continue
        seen.add(identity)
        chosen.append(values)
    return chosen
