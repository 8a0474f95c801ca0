"""Gradient clipping, by value and by global norm (Pascanu, Mikolov & Bengio 2013)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def clipped_by_value(gradient: Any, limit: Any, xp: Any) -> Any:
    """Return `max(-limit, min(limit, g))` entry by entry; a limit of 0 is none."""
    bound = xp.where(limit > 0, limit, xp.inf)
    return xp.minimum(xp.maximum(gradient, -bound), bound)


def norm_scale(gradients: Iterable[Any], limit: Any, xp: Any) -> Any:
    """Return the factor `min(1, limit / ||g||)` over all gradients; a limit of 0 is none.

    Args:
        gradients: of all weights and biases, which make one vector.
        limit: its largest norm.
        xp: the array module.
    """
    squares = sum((g * g).sum() for g in gradients)
    norm = xp.sqrt(squares)
    exceeds = (limit > 0) & (norm > limit)
    return xp.where(exceeds, limit / xp.where(exceeds, norm, 1), 1)
