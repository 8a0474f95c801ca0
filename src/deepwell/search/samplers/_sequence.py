"""Sequences that fill the unit cube evenly: each prefix does, and each axis too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwell.records import Observation
from deepwell.search.spaces._domain import Domain

from ._fresh import Draw, tried

if TYPE_CHECKING:
    from scipy.stats import qmc  # type: ignore[import-untyped]  # takes a second to load

Kind = Callable[[int, np.random.Generator], "qmc.QMCEngine"]


def sobol(axes: int, generator: np.random.Generator) -> qmc.QMCEngine:
    """Return a scrambled Sobol sequence (Owen 1998, Journal of Complexity 14)."""
    from scipy.stats import qmc  # type: ignore[import-untyped]

    engine: Any = qmc.Sobol
    return engine(axes, scramble=True, seed=generator)


def halton(axes: int, generator: np.random.Generator) -> qmc.QMCEngine:
    """Return a scrambled Halton sequence (Owen 2017, arXiv 1706.02808)."""
    from scipy.stats import qmc  # type: ignore[import-untyped]

    engine: Any = qmc.Halton
    return engine(axes, scramble=True, seed=generator)


class EvenPoints:
    """A sequence from a place on.

    All calls of a search read the same sequence: its scrambling comes from the part of the key
    that they share, the first word of its entropy.

    Args:
        kind: `sobol` or `halton`.
        axes: of the unit cube; may be 0.
        key: of the call.
        start: place of the first point, from 0.
    """

    def __init__(self, kind: Kind, axes: int, key: np.random.SeedSequence, start: int = 0) -> None:
        self._axes = axes
        self._waiting = np.zeros((0, axes))
        if axes == 0:
            return
        self._engine = kind(axes, np.random.default_rng(shared(key)))
        first = self._engine.random(1)  # alone: a first draw that is no power of two is warned of
        if start == 0:
            self._waiting = first
        elif start > 1:
            self._engine.fast_forward(start - 1)

    def next(self, count: int) -> np.ndarray:
        """Return the next points, (count, axes), each in [0, 1)."""
        if self._axes == 0:
            return np.zeros((count, 0))
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        if len(taken) == count:
            return taken
        return np.concatenate([taken, self._engine.random(count - len(taken))])


def shared(key: np.random.SeedSequence) -> np.random.SeedSequence:
    """Return the randomness that all calls of a search share: the first word of their keys."""
    return np.random.SeedSequence(int(np.ravel(np.asarray(key.entropy, object))[0]))


def unseen(domain: Domain, history: Sequence[Observation], points: EvenPoints) -> Draw:
    """Return the points of a sequence without those that an earlier call has taken.

    A call that passes points over takes others behind the place where the next call begins.
    """
    known = tried(domain, history)
    left = len(history)  # no more can have been taken from behind that place

    def draw(count: int) -> np.ndarray:
        nonlocal left
        kept: list[np.ndarray] = []
        while len(kept) < count:
            for unit in points.next(count - len(kept)):
                if left and domain.identity(domain.decode(unit)) in known:
                    left -= 1
                else:
                    kept.append(unit)
        return np.array(kept)

    return draw
