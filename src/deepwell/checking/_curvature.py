"""The ends of the Hessian's spectrum: what tells a minimum from a saddle and a plateau.

Lanczos' method (Lanczos 1950; Golub & Van Loan, Matrix Computations, section 10.1) builds a small
tridiagonal matrix from products of the Hessian with vectors, each the cost of two gradients
(Pearlmutter 1994); its extreme eigenvalues converge to those of the Hessian first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import eigh_tridiagonal

from deepwell._base._constraints import IntegerInterval, Interval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell._jax._start import start

from ._flat import Cost, flat

_STEPS = IntegerInterval(2, 10_000)
_TOLERANCE = Interval(0.0, float("inf"), low_closed=False)
_SEED = 20


@dataclass(frozen=True)
class Curvature:
    """What the cost looks like around a point.

    Attributes:
        kind: `slope` where the gradient is not small; else `minimum`, `maximum`, `saddle`, or
            `plateau` where nothing bends.
        largest, smallest: the ends of the Hessian's eigenvalues.
        residuals: of both, an upper bound of how far the next true eigenvalue lies.
        up, down: (n,) unit vectors along which the cost bends most up, and most down or least up.
        gradient_norm: length of the gradient.
        cost: at the point.
    """

    kind: str
    largest: float
    smallest: float
    residuals: tuple[float, float]
    up: np.ndarray
    down: np.ndarray
    gradient_norm: float
    cost: float


def curvature(
    cost: Cost,
    w: Any,
    *,
    data: Any = None,
    steps: int = 60,
    gradient_tolerance: float = 1e-3,
    flat_below: float = 1e-6,
) -> Curvature:
    """Measure the top and the bottom eigenvalue of a cost's Hessian at a point, in float64.

    >>> around = curvature(lambda w: w[0] ** 2 - 2 * w[1] ** 2, [0.0, 0.0])
    >>> around.kind, round(around.largest, 9), round(around.smallest, 9)
    ('saddle', 2.0, -4.0)

    Args:
        cost: `(w) -> number`, or `(w, data) -> number` where data are given, in `jax.numpy`.
        w: the point: arrays, lists, tuples, dictionaries of numbers.
        data: what else the cost needs.
        steps: products with the Hessian at most; n of them, n the number of parameters, give
            every eigenvalue.
        gradient_tolerance: length of the gradient up to which the point counts as stationary.
        flat_below: size of an eigenvalue that counts as 0, as a share of the largest one, or as
            it is where all are smaller.

    Raises:
        UsageError: when an argument is out of its range, or cost or gradient are not finite here.
    """
    _check("steps", steps, _STEPS)
    _check("gradient_tolerance", gradient_tolerance, _TOLERANCE)
    _check("flat_below", flat_below, _TOLERANCE)
    start()
    with jax.enable_x64(True):
        of_vector, at, rows = flat(cost, w, data)
        value, slope = _value_and_slope(of_vector, at, rows)
        norm = float(jnp.linalg.norm(slope))
        if not (np.isfinite(float(value)) and np.isfinite(norm)):
            raise UsageError("cost and gradient must be finite at `w`; choose another point")
        first = np.random.default_rng(_SEED).normal(size=at.size)
        many = min(steps, at.size)
        diagonal, beside, basis = _lanczos(of_vector, many, at, rows, first)
    values, vectors = _spectrum(np.asarray(diagonal), np.asarray(beside), np.asarray(basis))
    ends = values[-1], values[0]
    left = float(np.asarray(beside)[len(values) - 1])
    last = len(values) - 1
    rows = np.asarray(basis)[: len(values)]
    return Curvature(
        kind="slope" if norm > gradient_tolerance else _kind(*ends, flat_below),
        largest=float(ends[0]),
        smallest=float(ends[1]),
        residuals=(abs(left * float(vectors[-1, last])), abs(left * float(vectors[-1, 0]))),
        up=rows.T @ vectors[:, last],
        down=rows.T @ vectors[:, 0],
        gradient_norm=norm,
        cost=float(value),
    )


@partial(jax.jit, static_argnums=0)
def _value_and_slope(cost: Any, at: Any, data: Any) -> Any:
    return jax.value_and_grad(cost)(at, data)


@partial(jax.jit, static_argnums=(0, 1))
def _lanczos(cost: Any, steps: int, at: Any, data: Any, first: Any) -> Any:
    """Return diagonal (k,), what stands beside it (k,) and basis (k, n) after k steps.

    Each new vector is made orthogonal to all before it, twice: rounding would else bring found
    eigenvalues back as copies.
    """
    slope = jax.grad(cost)

    def bent(v: Any) -> Any:
        return jax.jvp(lambda w: slope(w, data), (at,), (v,))[1]

    def step(carry: Any, i: Any) -> Any:
        basis, v = carry
        basis = basis.at[i].set(v)
        r = bent(v)
        alpha = v @ r
        for _ in range(2):
            r = r - basis.T @ (basis @ r)
        beta = jnp.linalg.norm(r)
        scale = jnp.maximum(jnp.abs(alpha), 1.0) * jnp.finfo(r.dtype).eps * 8
        new = jnp.where(beta > scale, r / jnp.where(beta > 0, beta, 1.0), 0.0)
        return (basis, new), (alpha, jnp.where(beta > scale, beta, 0.0))

    basis = jnp.zeros((steps, at.size), at.dtype)
    carry = basis, jnp.asarray(first / jnp.linalg.norm(first), at.dtype)
    (basis, _), (diagonal, beside) = jax.lax.scan(step, carry, jnp.arange(steps))
    return diagonal, beside, basis


def _spectrum(
    diagonal: np.ndarray, beside: np.ndarray, basis: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues, rising, and eigenvectors before the basis was complete."""
    ended = np.flatnonzero(beside[:-1] == 0.0)
    size = int(ended[0]) + 1 if len(ended) else len(diagonal)
    found: Any = eigh_tridiagonal(diagonal[:size], beside[: size - 1])
    return found


def _kind(largest: float, smallest: float, flat_below: float) -> str:
    """Return what a stationary point with these ends of the spectrum is."""
    zero = flat_below * max(abs(largest), abs(smallest), 1.0)
    if max(abs(largest), abs(smallest)) <= flat_below:
        return "plateau"
    if largest > zero and smallest < -zero:
        return "saddle"
    if smallest < -zero:
        return "maximum"
    return "minimum"


def _check(name: str, value: object, constraint: IntegerInterval | Interval) -> None:
    if not constraint.accepts(value):
        got = safe_text(repr(value))
        raise UsageError(f"`{name}` must be {constraint.describe()}, got {got}")
