"""Expected improvement, by its logarithm so that it has a slope where it is tiny.

With m and s the posterior's mean and standard deviation, b the best and z = (b - m) / s,

    EI = s h(z),   h(z) = phi(z) + z Phi(z),   log EI = log s + log h(z).

Far below the best log h is -z^2/2 - log(2 pi)/2 + log(1 - |z| M(z)) with Mills' ratio
M(z) = sqrt(pi / 2) erfcx(|z| / sqrt 2). Beyond |z| = 100, where 1 - |z| M loses its digits, it is
its series 1/z^2 - 3/z^4 + 15/z^6 - ...

Source: Ament, Daulton, Eriksson, Balandat and Bakshy 2023, "Unexpected improvements to expected
improvement for Bayesian optimization", section 4.1.
"""

from __future__ import annotations

import math

import numpy as np

_LOG_ROOT_2_PI = 0.5 * math.log(2.0 * math.pi)


def log_h(z: np.ndarray) -> np.ndarray:
    """Return log(phi(z) + z Phi(z)), exact to rounding for any z above -1e150."""
    from scipy.special import erfcx, ndtr  # type: ignore[import-untyped]

    near, far = z > -1.0, z < -100.0
    at = np.where(near, z, 0.0)
    plain = np.log(np.exp(-0.5 * at * at - _LOG_ROOT_2_PI) + at * ndtr(at))
    x = np.where(near | far, 1.0, -z)
    mills = x * math.sqrt(0.5 * math.pi) * erfcx(x * math.sqrt(0.5))
    y = 1.0 / np.where(far, z, 100.0) ** 2
    series = np.log(y) + np.log1p(-y * (3.0 - y * (15.0 - 105.0 * y)))
    tail = np.where(far, series, np.log1p(-mills))
    return np.where(near, plain, -0.5 * z * z - _LOG_ROOT_2_PI + tail)


def log_expected_improvement(
    mean: np.ndarray, sd: np.ndarray, best: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log EI and its derivatives by mean and by standard deviation, (m,) each.

    Args:
        mean: of the posterior, (m,).
        sd: its standard deviation, (m,), above 0.
        best: what is to be improved on: lower is better.
    """
    from scipy.special import log_ndtr  # type: ignore[import-untyped]

    z = (best - mean) / sd
    h = log_h(z)
    by_mean = -np.exp(log_ndtr(z) - h) / sd
    by_sd = np.exp(-0.5 * z * z - _LOG_ROOT_2_PI - h) / sd
    return h + np.log(sd), by_mean, by_sd
