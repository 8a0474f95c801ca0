"""Where learning curves are going: falling families fitted to them, with their uncertainty.

Families (Domhan et al. 2015, IJCAI, table 1, use these and others):

    power         y(t) = c + a t^-b
    exponential   y(t) = c + a exp(-(t - 1) / tau)

For one b or tau the curve is a straight line in the family's shape, so that the fit and its
uncertainty have closed forms; a grid of shapes, weighed by how well each explains the curve,
stands for the rest. All curves of equal length share the shapes, so a population is fitted at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_POWERS = np.array([0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5])
_DECAYS = 8  # values of tau, from 1 epoch to the last one, at even ratios
_TINY = 1e-12  # of a curve's own variance: the least that is left unexplained

LEAST = 6
"""Epochs that a curve must have: two numbers and a shape are fitted to them."""


@dataclass(frozen=True)
class Forecast:
    """What curves are expected to be at an epoch: a mixture of Student's t, one for each shape.

    Attributes:
        weight: (N, S), of each shape, with the sum 1.
        mean: (N, S).
        scale: (N, S), of a new score around it, what is not known of the curve included.
        noise: (N,), standard deviation of a score around the curve.
        degrees: of freedom.
    """

    weight: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    noise: np.ndarray
    degrees: int

    def center(self) -> np.ndarray:
        """Return the mean of the mixture, (N,)."""
        return np.sum(self.weight * self.mean, axis=1)

    def spread(self) -> np.ndarray:
        """Return the standard deviation of the mixture, (N,)."""
        wide = self.scale**2 * self.degrees / (self.degrees - 2)
        off = (self.mean - self.center()[:, None]) ** 2
        return np.sqrt(np.sum(self.weight * (wide + off), axis=1))

    def below(self, limit: np.ndarray, widen: float = 1.0) -> np.ndarray:
        """Return the probability (N,) that a new score is below a limit (N,).

        Args:
            limit: of each curve.
            widen: factor on the scales.
        """
        from scipy.special import stdtr  # type: ignore[import-untyped]

        z = (limit[:, None] - self.mean) / (widen * self.scale)
        return np.sum(self.weight * stdtr(float(self.degrees), z), axis=1)


def forecast(curves: np.ndarray, at: np.ndarray, last: int) -> Forecast:
    """Return what curves are expected to be at an epoch.

    Flat priors on c and a, 1 / sigma on the noise: with X the (n, 2) matrix of 1 and the shape,
    and r^2 the sum of squared residuals, the marginal likelihood of a shape is proportional to
    |X'X|^-1/2 (r^2)^-(n-2)/2, and a new score has Student's t with n - 2 degrees of freedom.

    Args:
        curves: (N, n) scores of epochs 1 to n, at least `LEAST` of them.
        at: (N,) the epoch that is asked about, of each curve.
        last: epochs of a full trial, which the slowest shapes take.
    """
    n = curves.shape[1]
    seen, asked = _shapes(np.arange(1.0, n + 1), last), _shapes(at.astype(float), last)
    mean_shape = seen.mean(axis=1)  # (S,)
    off = seen - mean_shape[:, None]  # (S, n)
    power = np.sum(off**2, axis=1)  # |X'X| / n
    mean = curves.mean(axis=1)
    centered = curves - mean[:, None]
    slope = centered @ off.T / power  # (N, S)
    total = np.sum(centered**2, axis=1)
    left = np.maximum(total[:, None] - slope**2 * power, _TINY * total[:, None] + 1e-300)
    log_weight = -0.5 * np.log(power) - 0.5 * (n - 2) * np.log(left)
    log_weight -= log_weight.max(axis=1, keepdims=True)
    weight = np.exp(log_weight)
    weight /= weight.sum(axis=1, keepdims=True)
    ahead = asked.T - mean_shape  # (N, S)
    variance = left / (n - 2)
    return Forecast(
        weight,
        mean[:, None] + slope * ahead,
        np.sqrt(variance * (1.0 + 1.0 / n + ahead**2 / power)),
        np.sqrt(np.sum(weight * variance, axis=1)),
        n - 2,
    )


def _shapes(t: np.ndarray, last: int) -> np.ndarray:
    """Return each shape at these epochs, (S, n), 1 at the first epoch and falling to 0."""
    taus = np.geomspace(1.0, max(2.0, float(last)), _DECAYS)
    powers = t[None, :] ** -_POWERS[:, None]
    decays = np.exp(-(t[None, :] - 1.0) / taus[:, None])
    return np.concatenate([powers, decays])
