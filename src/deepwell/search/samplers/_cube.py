"""A domain and what is known of it, as points of the unit cube."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepwell.records import Observation
from deepwell.search.spaces._domain import Domain

from ._features import Features, features_of

_LOOKED = 128  # points by which a domain is found to have axes that do not always matter


@dataclass(frozen=True)
class Cube:
    """A domain and its history; points that may not be tried in it are left out.

    Attributes:
        domain: what may be tried.
        features: of its axes, for a kernel.
        conditional: whether some axes do not matter beside some values of others.
        scored: points with a score, (n, d).
        scores: of them, (n,); infinite where there is none to be had.
        shares: of the full epochs behind the scores, (n,), in (0, 1].
        pending: points whose scores are out, (p, d).
    """

    domain: Domain
    features: Features
    conditional: bool
    scored: np.ndarray
    scores: np.ndarray
    shares: np.ndarray
    pending: np.ndarray

    @property
    def tried(self) -> np.ndarray:
        """All points, (n + p, d)."""
        return np.concatenate([self.scored, self.pending])

    @property
    def dimension(self) -> int:
        """How many axes there are."""
        return len(self.features.counts)

    def active(self, units: np.ndarray) -> np.ndarray:
        """Return which axes matter at points (m, d): (m, d) bool."""
        if not self.conditional:
            return np.ones(units.shape, bool)
        rows = [self.domain.active(self.domain.decode(unit)) for unit in units]
        return np.array(rows, bool).reshape(units.shape)

    def snapped(self, units: np.ndarray) -> np.ndarray:
        """Return points (m, d) as the domain has them.

        Discrete axes lie in the middle of their value's share, axes that do not matter at 1/2, so
        that they add nothing to a distance.
        """
        units = self.features.snapped(units)
        return np.where(self.active(units), units, 0.5) if self.conditional else units

    def allowed(self, unit: np.ndarray) -> bool:
        """Return whether a point may be tried."""
        return self.domain.allowed(self.domain.decode(unit))

    def ranked(self) -> np.ndarray:
        """Return the places of the scored points, the best first.

        More epochs come before fewer, and a score before none: what failed may have had no epoch
        to take a share of.
        """
        return np.lexsort((self.scores, -self.shares, ~np.isfinite(self.scores)))


def cube_of(domain: Domain, history: Sequence[Observation]) -> Cube:
    """Return a domain and what a history tells of it.

    The share of a score's epochs is 1 where the trial was finished, else that of the most epochs
    that any trial had.
    """
    full = max((tried.epochs for tried in history), default=0)
    d = len(domain.axes)
    scored: list[np.ndarray] = []
    scores: list[float] = []
    shares: list[float] = []
    pending: list[np.ndarray] = []
    for tried in history:
        unit = domain.place(tried.values)
        if unit is None:
            continue
        if tried.pending:
            pending.append(unit)
            continue
        scored.append(unit)
        scores.append(tried.score)
        shares.append(1.0 if tried.finished or not tried.epochs else tried.epochs / full)
    cube = Cube(
        domain,
        features_of(domain.axes, shared=min(shares, default=1.0) < 1.0),
        _conditional(domain),
        np.array(scored).reshape(len(scored), d),
        np.array(scores, np.float64),
        np.array(shares, np.float64),
        np.array(pending).reshape(len(pending), d),
    )
    return replace(cube, scored=cube.snapped(cube.scored), pending=cube.snapped(cube.pending))


def _conditional(domain: Domain) -> bool:
    """Return whether an axis of the domain does not matter at some of many points."""
    points = np.random.default_rng(0).random((_LOOKED, len(domain.axes)))
    return not all(domain.active(domain.decode(u)).all() for u in points)
