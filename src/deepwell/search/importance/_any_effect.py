"""Does any hyperparameter make a difference at all: a permutation test.

    T = sum over functions k of w_k (sum over trials of f_k y)^2,

the score test of a variance component (Lin 1997, Biometrika 84), is compared with its values for
scores dealt out to the trials anew, which no hyperparameter can have made. Its chance of a false
alarm is therefore exact, however many functions there are for few trials.
"""

from __future__ import annotations

import numpy as np

_PERMUTATIONS = 199
_OF_TWO = 0.1  # weight of an interaction beside a single hyperparameter's effect


def chance_of_none(
    functions: np.ndarray, scores: np.ndarray, weight: np.ndarray, of_two: np.ndarray, seed: int
) -> float:
    """Return the p-value of what the scores show, 1/200 at least.

    Args:
        functions: (n, p) values at the points tried, each averaging to 0 over them.
        scores: (n,) with mean 0.
        weight: (p,) of the functions, those of an effect adding up to 1.
        of_two: (p,) whether a function is of an interaction.
        seed: of the permutations.
    """
    generator = np.random.default_rng(seed)
    dealt = [scores, *(generator.permutation(scores) for _ in range(_PERMUTATIONS))]
    sums = functions.T @ np.column_stack(dealt)  # (p, 200)
    reached = (weight * np.where(of_two, _OF_TWO, 1.0)) @ sums**2
    return float((reached >= reached[0] * (1.0 - 1e-12)).mean())
