"""Activation functions, each a few lines, for NumPy and JAX alike (`xp` is the array module).

`slope` is the hyperparameter of the family member that has one: `leaky_slope` of leaky ReLU,
`elu_scale` of ELU; the others ignore it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deepwell._base._registry import Registry

Array = Any


@dataclass(frozen=True)
class Activation:
    """A non-linearity `a = g(z)`, applied to every element.

    Attributes:
        name: as in search spaces.
        apply: `(z, slope, xp) -> a`, all of the same shape; maxout's z is (B, H, k).
        slope_name: hyperparameter that `slope` stands for, or an empty string.
        zero_at_zero: whether g(0) = 0; where it is not, padded units are masked after it.
        takes_pieces: whether each unit has several z, along the last axis.
        rising: whether g never falls, so that the largest of g is g of the largest.
    """

    name: str
    apply: Callable[[Array, Array, Any], Array]
    slope_name: str = ""
    zero_at_zero: bool = True
    takes_pieces: bool = False
    rising: bool = True


def sigmoid(z: Array, slope: Array, xp: Any) -> Array:
    """Return 1 / (1 + e^-z), computed as (1 + tanh(z/2)) / 2, which cannot overflow."""
    return 0.5 * (1.0 + xp.tanh(0.5 * z))


def tanh(z: Array, slope: Array, xp: Any) -> Array:
    """Return (e^z - e^-z) / (e^z + e^-z)."""
    return xp.tanh(z)


def relu(z: Array, slope: Array, xp: Any) -> Array:
    """Return max(z, 0), with slope 0 at 0."""
    return xp.where(z > 0, z, xp.zeros_like(z))


def leaky_relu(z: Array, slope: Array, xp: Any) -> Array:
    """Return z above 0 and slope * z below."""
    return xp.where(z > 0, z, slope * z)


def elu(z: Array, slope: Array, xp: Any) -> Array:
    """Return z above 0 and a (e^z - 1) below, a = `slope` (Clevert et al. 2016, equation 15)."""
    positive = z > 0
    below = slope * xp.expm1(xp.where(positive, 0.0, z))  # keeps the unused branch finite
    return xp.where(positive, z, below)


def gelu(z: Array, slope: Array, xp: Any) -> Array:
    """Return z * Phi(z), Phi the normal distribution (Hendrycks & Gimpel 2016)."""
    return 0.5 * z * (1.0 + _erf(xp)(z / math.sqrt(2.0)))


def silu(z: Array, slope: Array, xp: Any) -> Array:
    """Return z * sigmoid(z) (Elfwing et al. 2018)."""
    return z * sigmoid(z, slope, xp)


def identity(z: Array, slope: Array, xp: Any) -> Array:
    """Return z: a network of such layers is linear."""
    return z


def maxout(z: Array, slope: Array, xp: Any) -> Array:
    """Return the largest of each unit's pieces, z (B, H, k) -> (B, H) (Goodfellow et al. 2013).

    Of equal pieces the first takes the gradient.
    """
    a = z[..., 0]
    for piece in range(1, z.shape[-1]):
        other = z[..., piece]
        a = xp.where(other > a, other, a)
    return a


def _erf(xp: Any) -> Callable[[Array], Array]:
    if xp.__name__ == "numpy":
        from scipy.special import erf

        return erf
    from jax.scipy.special import erf as jax_erf

    return jax_erf


ACTIVATIONS: Registry[Activation] = Registry(
    "activation",
    {
        a.name: a
        for a in (
            Activation("sigmoid", sigmoid, zero_at_zero=False),
            Activation("tanh", tanh),
            Activation("relu", relu),
            Activation("leaky_relu", leaky_relu, slope_name="leaky_slope"),
            Activation("elu", elu, slope_name="elu_scale"),
            Activation("gelu", gelu, rising=False),
            Activation("silu", silu, rising=False),
            Activation("identity", identity),
            Activation("maxout", maxout, takes_pieces=True),
        )
    },
)
