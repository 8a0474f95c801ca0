"""Penalties on weights, which add to the cost's gradient; biases are left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

_ZERO = 1e-6  # a weight smaller than this counts as none


def l2_penalty(weights: Sequence[Any], l2: Any) -> Any:
    """Return `l2/2 * sum ||W||_F^2`, whose gradient is `l2 * W`; `l2` is lambda/m."""
    total = 0.0
    for w in weights:
        total = total + (w * w).sum()
    return 0.5 * l2 * total


def l1_penalty(weights: Sequence[Any], l1: Any) -> Any:
    """Return `l1 * sum |W|`, whose subgradient is `l1 * sgn(W)`; `l1` is lambda/m."""
    total = 0.0
    for w in weights:
        total = total + abs(w).sum()
    return l1 * total


def l1_slope(w: Any, l1: Any, xp: Any) -> Any:
    """Return the subgradient `l1 * sgn(w)` with sgn(0) = 0, so that a weight at 0 stays there."""
    return l1 * xp.sign(w)


def l2(lam: float, m: int) -> float:
    """Return the hyperparameter `l2` for the course's form `lam/(2m) sum ||W||_F^2`.

    Args:
        lam: regularization strength, at least 0.
        m: nominal batch size (the train rows for batch descent), never a short last batch.

    >>> l2(0.5, 100)
    0.005
    """
    return lam / m


def l1(lam: float, m: int) -> float:
    """Return the hyperparameter `l1` for the course's form `lam/m sum |W|`.

    Args:
        lam: regularization strength, at least 0.
        m: nominal batch size (the train rows for batch descent), never a short last batch.

    >>> l1(0.5, 100)
    0.005
    """
    return lam / m


def weight_sparsity(weights: Iterable[np.ndarray]) -> float:
    """Return the share of weights whose size is below 1e-6, 0 to 1; 0 without weights.

    >>> weight_sparsity([np.array([[0.0, 2.0], [1e-7, -1.0]])])
    0.5

    Args:
        weights: the weight matrices, without biases.
    """
    small = total = 0
    for w in weights:
        small += int((np.abs(w) < _ZERO).sum())
        total += w.size
    return small / total if total else 0.0
