"""Numerical derivatives: the yardstick of every gradient check."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

STEP = 1e-5  # rounding 1e-16 / 1e-5 and curvature 1e-5^2 leave about ten digits


def numerical_gradient(
    cost: Callable[[Mapping[str, np.ndarray]], float],
    parameters: Mapping[str, np.ndarray],
    step: float = STEP,
) -> dict[str, np.ndarray]:
    """Return the two-sided derivatives `(J(w + e) - J(w - e)) / (2e)` of every entry.

    >>> cube = numerical_gradient(lambda p: float(p["w"][0] ** 3), {"w": np.ones(1)}, 0.01)
    >>> cube["w"].round(4).tolist()
    [3.0001]

    Args:
        cost: `{name: array} -> number`, in float64.
        parameters: name -> float64 array of any shape; left as they are.
        step: e, above 0.

    Returns:
        name -> array of the same shape.
    """
    at = {name: np.array(values, np.float64) for name, values in parameters.items()}
    slopes = {name: np.zeros_like(values) for name, values in at.items()}
    for name, values in at.items():
        for place in np.ndindex(values.shape):
            here = values[place]
            values[place] = here + step
            above = cost(at)
            values[place] = here - step
            slopes[name][place] = (above - cost(at)) / (2 * step)
            values[place] = here
    return slopes


def gradient_difference(
    numerical: Mapping[str, np.ndarray], analytic: Mapping[str, np.ndarray]
) -> float:
    """Return `||d_approx - d|| / (||d_approx|| + ||d||)` over all parameters as one vector.

    About 1e-7 or less is right, 1e-5 deserves a look, 1e-3 is wrong. Two zero vectors differ by 0.
    """
    one, other = (
        np.concatenate([np.ravel(part[name]).astype(np.float64) for name in sorted(numerical)])
        for part in (numerical, analytic)
    )
    size = np.linalg.norm(one) + np.linalg.norm(other)
    return float(np.linalg.norm(one - other) / size) if size > 0 else 0.0
