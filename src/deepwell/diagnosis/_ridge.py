"""Ridge regression in closed form, its penalty chosen by leave-one-out.

    min_w,b sum_i v_i (x_i w + b - y_i)^2 + a |w|^2

for rows of weight v_i, 1 by default. It is the plain fit of the centered rows times sqrt(v_i). With
those x = U S V', the fit to row i without row i misses it by r_i / (1 - h_i), where r is the
residual of the whole fit and h_i = v_i / sum v + sum_j U_ij^2 s_j^2 / (s_j^2 + a) (Golub, Heath
and Wahba 1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def best_penalty(
    x: np.ndarray, y: np.ndarray, penalties: Sequence[float], weight: np.ndarray | None = None
) -> float:
    """Return the penalty whose leave-one-out squared error is least; ties go to the first.

    Args:
        x: (n, D) inputs.
        y: (n,) targets.
        penalties: above 0.
        weight: (n,) of the rows, at least 0; ones when not given.
    """
    x, y, share = _centered(x, y, weight)[:3]
    decompose: Any = np.linalg.svd  # its types are unknown for arrays of any type
    u, s, _ = decompose(x, full_matrices=False)
    projected = u.T @ y
    errors: list[float] = []
    for penalty in penalties:
        shrink = s**2 / (s**2 + penalty)
        residual: Any = y - u @ (shrink * projected)
        left = 1.0 - share - (u**2) @ shrink
        errors.append(float(((residual / np.maximum(left, 1e-12)) ** 2).mean()))
    return penalties[int(np.argmin(errors))]


def ridge(
    x: np.ndarray, y: np.ndarray, penalty: float, weight: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """Return the weights (D,) and the bias of the fit.

    Args:
        x: (n, D) inputs.
        y: (n,) targets.
        penalty: above 0, so that the equations can be solved for any data.
        weight: (n,) of the rows, at least 0; ones when not given.
    """
    centered, target, _, middle, mean = _centered(x, y, weight)
    solve: Any = np.linalg.solve
    if x.shape[1] <= len(x):
        normal = centered.T @ centered
        normal[np.diag_indices_from(normal)] += penalty
        weights = solve(normal, centered.T @ target)
    else:
        kernel = centered @ centered.T
        kernel[np.diag_indices_from(kernel)] += penalty
        weights = centered.T @ solve(kernel, target)
    return weights, float(mean - middle @ weights)


def _centered(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """Return centered x and y times sqrt(v), each row's share of the weight, and the means."""
    if weight is None:
        middle, mean = x.mean(axis=0), float(y.mean())
        return x - middle, y - mean, np.full(len(y), 1.0 / len(y)), middle, mean
    share = weight / weight.sum()
    middle, mean = share @ x, float(share @ y)
    root = np.sqrt(weight)
    return (x - middle) * root[:, None], (y - mean) * root, share, middle, mean
