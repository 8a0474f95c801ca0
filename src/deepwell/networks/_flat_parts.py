"""Where an activation is flat: where its slope is less than 5 % of the greatest it can have.

A unit that stays there passes next to no gradient on: it is saturated. Sigmoid and tanh are flat
at both ends, ReLU, ELU, GELU and SiLU at the lower one; the identity and maxout are flat nowhere,
and leaky ReLU below 0 only where its slope there is that small.
"""

from __future__ import annotations

import math

import numpy as np

from ._architecture import Architecture

FLAT = 0.05  # of the greatest slope
_NEVER = math.inf

# g' / max g' = FLAT: for the sigmoid s(1 - s) = FLAT / 4, for tanh 1 - t^2 = FLAT.
_TANH = math.atanh(math.sqrt(1.0 - FLAT))
_BOTH_ENDS = {"tanh": _TANH, "sigmoid": 2.0 * _TANH}
# Roots of |g'(z)| = FLAT max g' furthest below 0, beyond which it only falls.
_LOWER_END = {"gelu": -2.278560693803474, "silu": -3.929897316096665}


def flat_part(architecture: Architecture) -> tuple[float, float] | None:
    """Return (low, high): the activation is flat where z <= low or z >= high; None for nowhere.

    >>> flat_part(Architecture(4, (8,), 3, "relu"))
    (0.0, inf)
    """
    name, slope = architecture.activation, architecture.slope
    if name in _BOTH_ENDS:
        return -_BOTH_ENDS[name], _BOTH_ENDS[name]
    if name == "relu" or (name == "leaky_relu" and abs(slope) < FLAT * max(1.0, abs(slope))):
        return 0.0, _NEVER
    if name in _LOWER_END:
        return _LOWER_END[name], _NEVER
    if name == "elu":  # slope e^z below 0
        greatest = max(1.0, slope)
        return (math.log(FLAT * greatest / slope) if slope > FLAT * greatest else 0.0), _NEVER
    return None


def is_flat(architecture: Architecture, z: np.ndarray) -> np.ndarray | None:
    """Return whether each z lies in a flat part, or None where there is none; NaN does not."""
    part = flat_part(architecture)
    return None if part is None else (z <= part[0]) | (z >= part[1])
