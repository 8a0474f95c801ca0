"""The score as a function of the unit cube, with what is not known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.search.spaces._domain import Axis

from ._any_effect import chance_of_none
from ._compared import Compared
from ._posterior import Posterior, draw_posterior
from ._terms import Terms, functions, terms_of

_INTERACTING = 8  # axes whose interactions are looked at: the most important ones


@dataclass(frozen=True, eq=False)
class Surface:
    """Draws of the function that scores follow, noise apart.

    Attributes:
        axes: of the cube.
        terms: what it is made of.
        posterior: draws, for scores less `middle` over `deviation`.
        centers: (p,) means of the functions over what was tried.
        middle: mean of the scores.
        deviation: of the scores, above 0.
        shares: (d,) how often each axis matters.
        p_value: chance of scores that follow the axes as much as these where they do not at all.
    """

    axes: tuple[Axis, ...]
    terms: Terms
    posterior: Posterior
    centers: np.ndarray
    middle: float
    deviation: float
    shares: np.ndarray
    p_value: float

    def at(self, units: np.ndarray, active: np.ndarray) -> np.ndarray:
        """Return (S, n) draws of the score at some points."""
        values = functions(self.terms, self.axes, units, active) - self.centers
        return self.middle + self.deviation * (self.posterior.coefficients @ values.T)

    def noise(self) -> np.ndarray:
        """Return (S,) draws of the deviation of a single score around the function."""
        return self.deviation * np.sqrt(self.posterior.noise)

    def parts(self) -> np.ndarray:
        """Return (S, E) draws of each effect's variance over the cube, for scores of variance 1."""
        squares = self.posterior.coefficients**2
        effects = len(self.terms.axes)
        member = np.zeros((len(self.terms.owner), effects))
        member[np.arange(len(member)), self.terms.owner] = 1.0
        matters = [float(np.prod(self.shares[list(which)])) for which in self.terms.axes]
        return squares @ member * np.array(matters)


def fit_surface(axes: Sequence[Axis], tried: Compared, seed: int = 0) -> Surface:
    """Return the function that follows from what was tried.

    Of more than eight axes, those that matter most alone are looked at in pairs.

    Args:
        axes: of the cube, at least one.
        tried: with scores that differ.
        seed: of the draws.
    """
    interacting = range(len(axes))
    if len(axes) > _INTERACTING:
        alone = _fitted(axes, tried, terms_of(axes, ()), seed)
        interacting = np.argsort(-alone.parts().mean(axis=0), kind="stable")[:_INTERACTING].tolist()
    return _fitted(axes, tried, terms_of(axes, interacting), seed)


def _fitted(axes: Sequence[Axis], tried: Compared, terms: Terms, seed: int) -> Surface:
    values = functions(terms, axes, tried.units, tried.active)
    centers = values.mean(axis=0)
    middle, deviation = float(tried.scores.mean()), float(tried.scores.std())
    scores = (tried.scores - middle) / deviation
    posterior = draw_posterior(
        values - centers, scores, terms.owner, terms.weight, terms.of_two, seed
    )
    of_two = terms.of_two[terms.owner]
    return Surface(
        axes=tuple(axes),
        terms=terms,
        posterior=posterior,
        centers=centers,
        middle=middle,
        deviation=deviation,
        shares=tried.active.mean(axis=0),
        p_value=chance_of_none(values - centers, scores, terms.weight, of_two, seed),
    )
