"""Gradient noise (Neelakantan et al. 2015): normal, of variance `eta / (1 + t)^0.55` at step t.

Drawn by the coordinate hash: the number for weight (i, j) of an array depends on the member's
seed, the step, the array and the coordinates alone. Array 2l holds the weights of layer l and
2l + 1 its biases, a single row. A word becomes a uniform number on a grid of 2^23 that float32
holds exactly, and that a normal one by Giles' approximation of the inverse error function
(2010, table 5; relative error 4e-7, largest size 5.3), the same operations in every program.
"""

from __future__ import annotations

import math
from typing import Any

_FALL = 0.55
_CENTRAL = (2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
            -0.00125372503, -0.00417768164, 0.246640727, 1.50140941)  # fmt: skip
_TAIL = (-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
         -0.0076224613, 0.00943887047, 1.00167406, 2.83297682)  # fmt: skip


def noise_deviation(eta: Any, step: Any, xp: Any) -> Any:
    """Return the noise's standard deviation at a step counted from 1 (t = step - 1)."""
    return xp.sqrt(eta / step**_FALL)


def normal_of(words: Any, kind: Any, xp: Any) -> Any:
    """Return a standard normal number for each 32-bit word.

    Args:
        words: uint32.
        kind: float type to compute in.
        xp: the array module.
    """
    x = ((words >> 9).astype(kind) + 0.5) * 2.0**-22 - 1  # (-1, 1), exact in float32
    w = -xp.log((1 - x) * (1 + x))
    far = w >= 5
    near = _polynomial(_CENTRAL, w - 2.5)
    tail = _polynomial(_TAIL, xp.sqrt(w) - 3)
    return math.sqrt(2) * x * xp.where(far, tail, near)


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    total = coefficients[0] + 0 * x
    for c in coefficients[1:]:
        total = total * x + c
    return total
