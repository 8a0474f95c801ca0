"""Ridge regression in closed form, its penalty chosen by leave-one-out.

    min_w,b |x w + b - y|^2 + a |w|^2

With centered x = U S V', the fit to row i without row i misses it by r_i / (1 - h_i), where r is
the residual of the whole fit and h_i = 1 / n + sum_j U_ij^2 s_j^2 / (s_j^2 + a) (Golub, Heath and
Wahba 1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def best_penalty(x: np.ndarray, y: np.ndarray, penalties: Sequence[float]) -> float:
    """Return the penalty whose leave-one-out squared error is least; ties go to the first.

    Args:
        x: (n, D) inputs.
        y: (n,) targets.
        penalties: above 0.
    """
    decompose: Any = np.linalg.svd  # its types are unknown for arrays of any type
    u, s, _ = decompose(x - x.mean(axis=0), full_matrices=False)
    centered = y - y.mean()
    projected = u.T @ centered
    errors: list[float] = []
    for penalty in penalties:
        shrink = s**2 / (s**2 + penalty)
        residual: Any = centered - u @ (shrink * projected)
        left = 1.0 - 1.0 / len(y) - (u**2) @ shrink
        errors.append(float(((residual / np.maximum(left, 1e-12)) ** 2).mean()))
    return penalties[int(np.argmin(errors))]


def ridge(x: np.ndarray, y: np.ndarray, penalty: float) -> tuple[np.ndarray, float]:
    """Return the weights (D,) and the bias of the fit.

    Args:
        x: (n, D) inputs.
        y: (n,) targets.
        penalty: above 0, so that the equations can be solved for any data.
    """
    middle = x.mean(axis=0)
    centered, target = x - middle, y - y.mean()
    solve: Any = np.linalg.solve
    if x.shape[1] <= len(x):
        normal = centered.T @ centered
        normal[np.diag_indices_from(normal)] += penalty
        weights = solve(normal, centered.T @ target)
    else:
        kernel = centered @ centered.T
        kernel[np.diag_indices_from(kernel)] += penalty
        weights = centered.T @ solve(kernel, target)
    return weights, float(y.mean() - middle @ weights)
