"""Numerical derivatives of a function of one number: the yardstick of every gradient check.

The error of the two-sided quotient is f'''(x) eps^2 / 6, that of the one-sided f''(x) eps / 2
(Taylor's theorem); both add rounding of about 1e-16 |f(x)| / eps.
"""

from __future__ import annotations

from collections.abc import Callable

from deepwell._base._constraints import Interval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

_STEP = Interval(0.0, float("inf"), low_closed=False)


def two_sided_derivative(f: Callable[[float], float], x: float, eps: float = 1e-5) -> float:
    """Return `(f(x + eps) - f(x - eps)) / (2 eps)`, whose error falls with eps^2.

    >>> round(two_sided_derivative(lambda theta: theta**3, 1.0, 0.01), 4)
    3.0001

    Args:
        f: number -> number, three times differentiable around `x`.
        x: where.
        eps: step, above 0; 1e-5 balances the two errors in float64 where x and f are near 1.

    Raises:
        UsageError: when `eps` is not above 0.
    """
    _check(eps)
    return (f(x + eps) - f(x - eps)) / (2 * eps)


def one_sided_derivative(f: Callable[[float], float], x: float, eps: float = 1e-8) -> float:
    """Return `(f(x + eps) - f(x)) / eps`, whose error falls with eps only.

    >>> round(one_sided_derivative(lambda theta: theta**3, 1.0, 0.01), 4)
    3.0301

    Args:
        f: number -> number, twice differentiable around `x`.
        x: where.
        eps: step, above 0; 1e-8 balances the two errors in float64 where x and f are near 1.

    Raises:
        UsageError: when `eps` is not above 0.
    """
    _check(eps)
    return (f(x + eps) - f(x)) / eps


def _check(eps: object) -> None:
    if not _STEP.accepts(eps):
        raise UsageError(f"`eps` must be {_STEP.describe()}, got {safe_text(repr(eps))}")
