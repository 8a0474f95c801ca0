"""Functions of the unit cube whose Sobol indices are known, as histories of a search."""

import numpy as np

from deepwell.records import Observation
from deepwell.search import Domain, uniform

ISHIGAMI_SHARES = {
    # Ishigami and Homma 1990 with a = 7, b = 0.1: variances by hand, over V = 13.8446.
    "x0": 0.31391,
    "x1": 0.44241,
    "x2": 0.0,
    "x0 x x1": 0.0,
    "x0 x x2": 0.24368,
    "x1 x x2": 0.0,
}


def ishigami(u: np.ndarray) -> np.ndarray:
    """Sin x0 + 7 sin^2 x1 + 0.1 x2^4 sin x0, with x = pi (2 u - 1)."""
    x = np.pi * (2 * u - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def g_function(u: np.ndarray, a: np.ndarray) -> np.ndarray:
    """Sobol's g: the product of (|4 u - 2| + a) / (1 + a)."""
    return np.prod((np.abs(4 * u - 2) + a) / (1 + a), axis=1)


def g_shares(a: np.ndarray) -> dict[str, float]:
    """V_j = 1 / (3 (1 + a_j)^2), V_jk = V_j V_k, V = prod(1 + V_j) - 1."""
    v = 1 / (3 * (1 + a) ** 2)
    whole = np.prod(1 + v) - 1
    shares = {f"x{j}": v[j] / whole for j in range(len(a))}
    for j in range(len(a)):
        shares |= {f"x{j} x x{k}": v[j] * v[k] / whole for k in range(j + 1, len(a))}
    return shares


def cube(d: int) -> Domain:
    """The unit cube itself."""
    return Domain({f"x{j}": uniform(0, 1) for j in range(d)})


def history(domain: Domain, units: np.ndarray, scores: np.ndarray) -> list[Observation]:
    """Return what was tried."""
    return [
        Observation(domain.decode(u), float(score), finished=True)
        for u, score in zip(units, scores, strict=True)
    ]
