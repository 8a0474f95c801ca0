"""Batch normalization (Ioffe & Szegedy 2015), for NumPy and JAX alike (`xp` is the array module).

    mu = sum_i s_i z_i          var = sum_i s_i (z_i - mu)^2
    z_norm = (z - mu) / sqrt(var + eps)
    z_tilde = gamma z_norm + beta

for each unit over the rows of a batch; s_i is the row's share of the batch's weight, 1/B where
all rows weigh the same, 0 where a short batch has no row, so a row of weight 2 counts as two.
"""

from __future__ import annotations

from typing import Any

Array = Any


def batch_moments(z: Array, share: Array) -> tuple[Array, Array]:
    """Return mu and var of each unit, (H,) each, for z (B, H) and shares (B,)."""
    mean = share @ z
    return mean, share @ (z - mean) ** 2


def normalized(
    z: Array, moments: tuple[Array, Array], scale: Array, shift: Array, epsilon: Array, xp: Any
) -> Array:
    """Return `gamma (z - mu) / sqrt(var + eps) + beta`, (B, H).

    >>> import numpy as np
    >>> z = np.array([[1.0], [4.0]])
    >>> mean, variance = batch_moments(z, np.array([0.5, 0.5]))
    >>> normalized(z, (mean, variance), np.sqrt(variance + 1e-5), mean, 1e-5, np)
    array([[1.],
           [4.]])

    Args:
        z: (B, H).
        moments: mu and var, (H,) each: those of the batch in training, those remembered else.
        scale: gamma, (H,).
        shift: beta, (H,).
        epsilon: added to the variance, above 0.
        xp: the array module.
    """
    mean, variance = moments
    return (z - mean) * (scale / xp.sqrt(variance + epsilon)) + shift


def averaged(old: Array, new: Array, momentum: Array, step: Array) -> Array:
    """Return the exponentially weighted average after another batch, free of bias from its start.

    `v_t = beta v_{t-1} + (1 - beta) theta_t` divided by `1 - beta^t`, kept in its corrected form:
    `v += (1 - beta) / (1 - beta^t) (theta - v)`, so the first batch counts in full.

    Args:
        old: the average so far, (H,).
        new: the batch's numbers, (H,).
        momentum: beta, in [0, 1).
        step: t, counted from 1.
    """
    return old + (1 - momentum) / (1 - momentum**step) * (new - old)
