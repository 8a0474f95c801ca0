"""Losses from the network's raw outputs, stable at any size, for NumPy and JAX alike.

Each gives one loss a row; the cost is their weighted mean over the batch.
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
        rows: `(outputs (B, O), y (B,), xp) -> (B,)`, one loss a row.
        predict: `(outputs (B, O), xp) -> predictions`: probabilities (B, C) for classes, values
            (B,) in the target's standardized unit for regression.
    """

    name: str
    rows: Callable[[Array, Array, Any], Array]
    predict: Callable[[Array, Any], Array]


def softmax_rows(outputs: Array, y: Array, xp: Any) -> Array:
    """Return the cross-entropy `log sum_j exp(z_j) - z_y`; its gradient at z is `yhat - y`."""
    top = outputs.max(axis=1, keepdims=True)
    log_sum = xp.log(xp.exp(outputs - top).sum(axis=1)) + top[:, 0]
    picked = xp.where(y[:, None] == xp.arange(outputs.shape[1]), outputs, 0.0).sum(axis=1)
    return log_sum - picked


def softmax(outputs: Array, xp: Any) -> Array:
    """Return `exp(z_i) / sum_j exp(z_j)` along the last axis, shifted by the largest z.

    >>> import numpy as np
    >>> softmax(np.array([[5.0, 2.0, -1.0, 3.0]]), np).round(3)
    array([[0.842, 0.042, 0.002, 0.114]])
    """
    raised = xp.exp(outputs - outputs.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def logistic_rows(outputs: Array, y: Array, xp: Any) -> Array:
    """Return the binary cross-entropy `max(z, 0) - z y + log(1 + e^-|z|)` of one logit a row."""
    z = outputs[:, 0]
    return xp.maximum(z, 0.0) - z * y + xp.log1p(xp.exp(-xp.abs(z)))


def logistic(outputs: Array, xp: Any) -> Array:
    """Return the probabilities of class 0 and class 1 from one logit a row, shape (B, 2)."""
    z = outputs[:, 0]
    return xp.stack([0.5 * (1.0 + xp.tanh(-0.5 * z)), 0.5 * (1.0 + xp.tanh(0.5 * z))], axis=1)


def squared_rows(outputs: Array, y: Array, xp: Any) -> Array:
    """Return the squared error `(yhat - y)^2` of one output a row."""
    return (outputs[:, 0] - y) ** 2


def linear(outputs: Array, xp: Any) -> Array:
    """Return the one output of each row as it is."""
    return outputs[:, 0]


LOSSES: Registry[Loss] = Registry(
    "loss",
    {
        "softmax": Loss("softmax", softmax_rows, softmax),
        "logistic": Loss("logistic", logistic_rows, logistic),
        "squared": Loss("squared", squared_rows, linear),
    },
)
