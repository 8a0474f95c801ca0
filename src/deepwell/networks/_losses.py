"""Losses from the network's raw outputs, stable at any size, for NumPy and JAX alike.

Each gives one loss a row; the cost is their weighted mean over the batch. Label smoothing by e
(Szegedy et al. 2016) trains classes towards `(1 - e) y + e / C`, with y one one among zeros; it
does nothing to the squared error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deepwell._base._registry import Registry

Array = Any


@dataclass(frozen=True)
class Loss:
    """A cost of raw outputs.

    Attributes:
        name: `softmax`, `logistic` or `squared`.
        rows: `(outputs (B, O), y (B,), xp, smoothing=0) -> (B,)`, one loss a row.
        slope: `(outputs (B, O), y (B,), xp, smoothing=0) -> (B, O)`, the gradient of each row's
            loss at its outputs; written out, since differentiating `rows` compiles to several
            times the work.
        predict: `(outputs (B, O), xp) -> predictions`: probabilities (B, C) for classes, values
            (B,) in the target's standardized unit for regression.
    """

    name: str
    rows: Callable[..., Array]
    slope: Callable[..., Array]
    predict: Callable[[Array, Any], Array]


def softmax_rows(outputs: Array, y: Array, xp: Any, smoothing: Any = 0.0) -> Array:
    """Return the cross-entropy `log sum_j exp(z_j) - sum_j q_j z_j`; q is y, or y smoothed."""
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    picked = xp.where(y[:, None] == xp.arange(outputs.shape[1]), shifted, 0.0).sum(axis=1)
    if not _is_zero(smoothing):
        picked = picked + smoothing * (shifted.mean(axis=1) - picked)
    return xp.log(xp.exp(shifted).sum(axis=1)) - picked


def softmax_slope(outputs: Array, y: Array, xp: Any, smoothing: Any = 0.0) -> Array:
    """Return `yhat - q`, q with y as one one among zeros, or y smoothed."""
    one = xp.where(y[:, None] == xp.arange(outputs.shape[1]), 1.0, 0.0)
    if not _is_zero(smoothing):
        one = one + smoothing * (1.0 / outputs.shape[1] - one)
    return softmax(outputs, xp) - one


def softmax(outputs: Array, xp: Any) -> Array:
    """Return `exp(z_i) / sum_j exp(z_j)` along the last axis, shifted by the largest z.

    >>> import numpy as np
    >>> softmax(np.array([[5.0, 2.0, -1.0, 3.0]]), np).round(3)
    array([[0.842, 0.042, 0.002, 0.114]])
    """
    raised = xp.exp(outputs - outputs.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def hardmax(outputs: Array, xp: Any) -> Array:
    """Return a one at the largest output of each row (the first of equal ones), zeros else.

    >>> import numpy as np
    >>> hardmax(np.array([[0.3, 0.2, 0.1, 0.4]]), np)
    array([[0., 0., 0., 1.]])
    """
    places = xp.arange(outputs.shape[-1])
    return xp.where(outputs.argmax(axis=-1)[..., None] == places, 1.0, 0.0)


def logistic_rows(outputs: Array, y: Array, xp: Any, smoothing: Any = 0.0) -> Array:
    """Return the binary cross-entropy `max(z, 0) - z y + log(1 + e^-|z|)` of one logit a row.

    Its differentiated form is `yhat - y` also at z = 0, where the slopes of max and |z| are a
    choice: a network that starts at zero stands there with every row.
    """
    z, y = outputs[:, 0], _smoothed(y, smoothing)
    positive = z > 0
    top, below = xp.where(positive, z, 0.0), xp.where(positive, -z, z)
    return top - z * y + xp.log1p(xp.exp(below))


def logistic_slope(outputs: Array, y: Array, xp: Any, smoothing: Any = 0.0) -> Array:
    """Return `yhat - y`."""
    return logistic(outputs, xp)[:, 1:] - _smoothed(y, smoothing)[:, None]


def _smoothed(y: Array, smoothing: Any) -> Array:
    """Return the share of class 1 that a binary label stands for."""
    return y if _is_zero(smoothing) else y + smoothing * (0.5 - y)


def _is_zero(smoothing: Any) -> bool:
    """Whether smoothing is known to be off, so that it costs nothing."""
    return isinstance(smoothing, float) and smoothing == 0.0


def logistic(outputs: Array, xp: Any) -> Array:
    """Return the probabilities of class 0 and class 1 from one logit a row, shape (B, 2).

    `e^-|z| / (1 + e^-|z|)` is the smaller one, right to the last digit however small it is.
    """
    z = outputs[:, 0]
    raised = xp.exp(-xp.abs(z))
    smaller, larger = raised / (1.0 + raised), 1.0 / (1.0 + raised)
    pair = [xp.where(z > 0, smaller, larger), xp.where(z > 0, larger, smaller)]
    return xp.stack(pair, axis=1)


def squared_rows(outputs: Array, y: Array, xp: Any, smoothing: Any = 0.0) -> Array:
    """Return the squared error `(yhat - y)^2` of one output a row."""
    return (outputs[:, 0] - y) ** 2


def squared_slope(outputs: Array, y: Array, xp: Any, smoothing: Any = 0.0) -> Array:
    """Return `2 (yhat - y)`."""
    return 2.0 * (outputs[:, :1] - y[:, None])


def linear(outputs: Array, xp: Any) -> Array:
    """Return the one output of each row as it is."""
    return outputs[:, 0]


LOSSES: Registry[Loss] = Registry(
    "loss",
    {
        "softmax": Loss("softmax", softmax_rows, softmax_slope, softmax),
        "logistic": Loss("logistic", logistic_rows, logistic_slope, logistic),
        "squared": Loss("squared", squared_rows, squared_slope, linear),
    },
)
