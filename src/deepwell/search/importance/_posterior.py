"""How large each effect may be, given the scores: draws from a Bayesian regression.

    y = sum over effects e of sum over functions k of c_ek f_ek + noise,
    c_ek ~ N(0, v_e w_ek),   sqrt(v_e) ~ half-Cauchy(0, a_e),   noise ~ N(0, s^2).

where a_e is 0.6 over the square root of the number of single effects, of interactions 0.15 over
that of theirs, in deviations of the scores. An effect's own scale v_e is learned, so that effects
which are not there shrink to nothing and take their functions with them (the half-Cauchy of Gelman
2006, Bayesian Analysis 1, written as two inverse gammas by Makalic and Schmidt 2016, IEEE Signal
Processing Letters 23). Gibbs sampling draws c, then v and s, in turn. With more functions than
scores c is drawn by n x n systems (Bhattacharya, Chakraborty and Mallick 2016, Biometrika 103).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

_DRAWS = 200
_BURN = 60
_SCALE = (0.6, 0.15)  # of all effects of one axis together, and of two, in deviations of the scores
_NOISE = (4.0, 0.8)  # scores that the prior of the noise is worth, and their sum of squares
_LEAST, _MOST = 1e-10, 1e4  # of a scale, beyond which nothing is learned


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws.

    Attributes:
        coefficients: (S, p) of the functions, for scores of deviation 1.
        noise: (S,) variance of the noise.
    """

    coefficients: np.ndarray
    noise: np.ndarray


def draw_posterior(
    functions: np.ndarray,
    scores: np.ndarray,
    owner: np.ndarray,
    weight: np.ndarray,
    of_two: np.ndarray,
    seed: int,
) -> Posterior:
    """Return draws of the coefficients.

    Args:
        functions: (n, p) values at the points tried, each averaging to 0 over them.
        scores: (n,) with mean 0 and mean square 1.
        owner: (p,) the effect that a function belongs to.
        weight: (p,) expected square of its coefficient where the effect has size 1.
        of_two: (E,) whether an effect is an interaction.
        seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    n, p = len(scores), len(owner)
    root = np.sqrt(weight)
    system = _System(functions * root, scores)
    sizes = np.bincount(owner)
    pairs = int(of_two.sum())
    each = (_SCALE[0] / math.sqrt(len(of_two) - pairs), _SCALE[1] / math.sqrt(max(1, pairs)))
    scale = np.where(of_two, each[1], each[0])
    size = np.full(len(sizes), 0.02)
    noise: float = 0.5
    drawn, noises = np.empty((_DRAWS, p)), np.empty(_DRAWS)
    for turn in range(-_BURN, _DRAWS):
        spread = np.sqrt(size)[owner]
        c = spread * system.draw(spread / math.sqrt(noise), math.sqrt(noise), generator)
        residual = system.residual(c)
        shape = 0.5 * (n + _NOISE[0])
        noise = (0.5 * residual + 0.5 * _NOISE[1]) / float(generator.gamma(shape))
        squares = np.bincount(owner, c * c)
        mixing = generator.gamma(1.0, size=len(sizes)) / (1.0 / scale**2 + 1.0 / size)
        size = (mixing + 0.5 * squares) / generator.gamma(0.5 * (sizes + 1.0))
        size = np.clip(size, _LEAST, _MOST)
        if turn >= 0:
            drawn[turn], noises[turn] = c * root, noise
    return Posterior(drawn, noises)


class _System:
    """A regression whose coefficients are drawn again and again with other scales."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        from scipy import linalg  # type: ignore[import-untyped]

        self._linalg: Any = linalg
        self._x, self._y = x, y
        self._wide = x.shape[1] > x.shape[0]
        if not self._wide:
            self._gram, self._xy = x.T @ x, x.T @ y

    def residual(self, c: np.ndarray) -> float:
        """Return the sum of squared residuals."""
        left = self._y - self._x @ c
        return float(left @ left)

    def draw(self, spread: np.ndarray, noise: float, generator: np.random.Generator) -> np.ndarray:
        """Return b ~ N(0, I) given that y = x (noise spread b) + N(0, noise^2).

        Args:
            spread: (p,) deviation of each coefficient over that of the noise.
            noise: deviation.
            generator: of the draws.
        """
        n, p = len(self._x), len(spread)
        z: np.ndarray = generator.standard_normal(p)
        if self._wide:
            design = self._x * spread
            matrix = design @ design.T
            matrix[np.diag_indices(n)] += 1.0
            off: np.ndarray = self._y / noise - design @ z - generator.standard_normal(n)
            root = self._root(matrix)
            return z + design.T @ self._solved(root, self._solved(root, off), "T")
        matrix = self._gram * np.outer(spread, spread)
        matrix[np.diag_indices(p)] += 1.0
        root = self._root(matrix)
        return self._solved(root, self._solved(root, spread * self._xy / noise) + z, "T")

    def _root(self, matrix: np.ndarray) -> np.ndarray:
        """Return L with L L' = matrix."""
        return self._linalg.cholesky(matrix, lower=True, check_finite=False, overwrite_a=True)

    def _solved(self, root: np.ndarray, right: np.ndarray, side: str = "N") -> np.ndarray:
        """Return L^-1 right, or of its transpose."""
        return self._linalg.solve_triangular(
            root, right, trans=side, lower=True, check_finite=False
        )
