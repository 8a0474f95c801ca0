"""The max-norm constraint (Srivastava et al. 2014, section 5.1)."""

from __future__ import annotations

from typing import Any


def within_norm(w: Any, limit: Any, xp: Any) -> Any:
    """Return weights (..., n_out) of which those that come into a unit have norm <= limit.

    A longer vector is scaled down to the limit, after the update. It holds for hidden and output
    units, and for the channels of a convolution, whose kernels are (k, k, channels in, channels
    out); biases do not count. A limit of 0 is none.
    """
    norm = xp.sqrt((w * w).sum(axis=tuple(range(w.ndim - 1))))
    exceeds = (limit > 0) & (norm > limit)
    return w * xp.where(exceeds, limit / xp.where(exceeds, norm, 1), 1)
