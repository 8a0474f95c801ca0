"""Penalties on weights; biases are left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def l2_penalty(weights: Sequence[Any], l2: Any) -> Any:
    """Return `l2/2 * sum ||W||_F^2`, whose gradient is `l2 * W`; `l2` is lambda/m."""
    total = 0.0
    for w in weights:
        total = total + (w * w).sum()
    return 0.5 * l2 * total


def l2(lam: float, m: int) -> float:
    """Return the hyperparameter `l2` for the course's form `lam/(2m) sum ||W||_F^2`.

    Args:
        lam: regularization strength, at least 0.
        m: nominal batch size (the train rows for batch descent), never a short last batch.

    >>> l2(0.5, 100)
    0.005
    """
    return lam / m
