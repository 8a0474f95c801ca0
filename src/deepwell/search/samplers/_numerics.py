"""What samplers need of SciPy's linear algebra and optimization, imported when it is used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

_BLOCK, _WIDE_BLOCK = 64, 128  # rows of a triangular matrix: with a vector, with a matrix


def cholesky(matrix: np.ndarray) -> np.ndarray | None:
    """Return the lower Cholesky factor L of a symmetric matrix; None where it is not definite."""
    factor, failed = _linalg().lapack.dpotrf(matrix, lower=1)
    return None if failed else np.tril(factor)


def inverse(factor: np.ndarray) -> np.ndarray:
    """Return (L L')^-1 of a lower Cholesky factor."""
    lower = np.tril(_linalg().lapack.dpotri(factor, lower=1)[0])
    return lower + np.tril(lower, -1).T


def inverse_factor(factor: np.ndarray) -> np.ndarray:
    """Return L^-1 of a lower Cholesky factor."""
    return np.tril(_linalg().lapack.dtrtri(factor, lower=1)[0])


def solved_lower(factor: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return L^-1 B of a lower Cholesky factor."""
    return _linalg().solve_triangular(factor, right, lower=True, check_finite=False)


def solved(factor: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return (L L')^-1 B of a lower Cholesky factor."""
    return _linalg().cho_solve((factor, True), right, check_finite=False)


def lower_product(lower: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return L B of a lower triangular matrix, (n, n) and (n, m), without its zeros."""
    product = np.empty_like(right)
    for start in range(0, len(lower), _WIDE_BLOCK):
        stop = min(start + _WIDE_BLOCK, len(lower))
        product[start:stop] = lower[start:stop, :stop] @ right[:stop]
    return product


def lower_products(lower: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return L b and L'(L b) of a lower triangular matrix, (n, n) and (n,), read only once."""
    product, back = np.empty_like(right), np.zeros_like(right)
    for start in range(0, len(lower), _BLOCK):
        stop = min(start + _BLOCK, len(lower))
        rows = lower[start:stop, :stop]
        product[start:stop] = rows @ right[:stop]
        back[:stop] += product[start:stop] @ rows
    return product, back


def minimized(
    function: Callable[[np.ndarray], tuple[float, np.ndarray]],
    start: np.ndarray,
    bounds: Sequence[tuple[float, float]],
    steps: int,
) -> tuple[np.ndarray, float]:
    """Return the lowest point that L-BFGS-B finds, and its value.

    Args:
        function: returns value and gradient.
        start: where to begin.
        bounds: of each coordinate.
        steps: most evaluations.
    """
    from scipy import optimize  # type: ignore[import-untyped]

    found = cast(Any, optimize).minimize(
        function, start, jac=True, method="L-BFGS-B", bounds=bounds,
        options={"maxfun": steps, "maxiter": steps},
    )  # fmt: skip
    return np.asarray(found.x), float(found.fun)


def load() -> None:
    """Import SciPy's linear algebra, so that its threads can be limited."""
    _linalg()


def _linalg() -> Any:
    from scipy import linalg  # type: ignore[import-untyped]

    return cast(Any, linalg)
