"""Random search (Bergstra and Bengio 2012, Journal of Machine Learning Research 13).

25 random trials try 25 values of the hyperparameter that matters; a 5 x 5 grid tries 5.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from deepwell._base._hyperparameters import Value, complete
from deepwell.records import Trial
from deepwell.search.spaces._space import Space

_ENUMERATED = 10_000  # points of a finite space that are listed without a second thought
_TRIES = 100  # draws for each wanted point before a finite space counts as exhausted


def propose(
    space: Space, history: Sequence[Trial], n: int, key: np.random.SeedSequence
) -> list[dict[str, Value]]:
    """Return `n` configurations drawn independently, without repetition in a finite space.

    Args:
        space: what may be tried.
        history: all trials so far; they matter only in a finite space.
        n: how many configurations are wanted.
        key: where all randomness comes from.

    Returns:
        One dictionary a configuration, with a real value for every name of `space`. In a finite
        space the configurations that came least often so far come first, in random order.
    """
    generator = np.random.default_rng(key)
    size = space.cardinality()
    if size is None:
        return [space.decode(u) for u in generator.random((n, len(space.searched)))]
    if size <= max(_ENUMERATED, 4 * (len(history) + n)):
        return _least_used(space, history, n, generator)
    return _rejecting(space, history, n, generator)


def _least_used(
    space: Space, history: Sequence[Trial], n: int, generator: np.random.Generator
) -> list[dict[str, Value]]:
    points = _points(space)
    uses = dict.fromkeys(points, 0)
    for trial in history:
        identity = _identity(space, trial.spec.hyperparameters)
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


def _points(space: Space) -> dict[object, dict[str, Value]]:
    """Return every network of a finite space once: two points may mean the same network."""
    names = space.searched
    axes = [_middles(space[name].count() or 1) for name in names]
    points: dict[object, dict[str, Value]] = {}
    for unit in itertools.product(*axes):
        values = space.decode(unit)
        points.setdefault(_identity(space, complete(values)), values)
    return points


def _middles(count: int) -> list[float]:
    return [(k + 0.5) / count for k in range(count)]


def _rejecting(
    space: Space, history: Sequence[Trial], n: int, generator: np.random.Generator
) -> list[dict[str, Value]]:
    """Draw until the point is new: at most a quarter of the space is taken, so this ends soon."""
    seen = {_identity(space, trial.spec.hyperparameters) for trial in history}
    tries = _TRIES * n
    chosen: list[dict[str, Value]] = []
    while len(chosen) < n:
        values = space.decode(generator.random(len(space.searched)))
        identity = _identity(space, complete(values))
        tries -= 1
        if identity in seen and tries > 0:
            continue
        seen.add(identity)
        chosen.append(values)
    return chosen


def _identity(space: Space, completed: Mapping[str, Value]) -> object:
    """Return what two configurations share when they are the same network in this space."""
    names = (*space, "hidden_layers", "hidden_units", "conv_layers", "conv_channels")
    return tuple(completed[name] for name in names)
