"""The max-norm constraint (Srivastava et al. 2014, section 5.1)."""

from __future__ import annotations

from typing import Any


def within_norm(w: Any, limit: Any, xp: Any) -> Any:
    """Return weights (n_in, n_out) whose columns, a unit's incoming weights, have norm <= limit.

    A longer column is scaled down to the limit, after the update. It holds for hidden and output
    units; biases do not count. A limit of 0 is none.
    """
    norm = xp.sqrt((w * w).sum(axis=0))
    exceeds = (limit > 0) & (norm > limit)
    return w * xp.where(exceeds, limit / xp.where(exceeds, norm, 1), 1)
