"""Exponentially weighted averages, with and without bias correction."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from deepwell._base._constraints import Interval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

_SHARE = Interval(0.0, 1.0, high_closed=False)


def exponential_average(
    values: ArrayLike, beta: float, *, bias_correction: bool = False
) -> np.ndarray:
    """Return the exponentially weighted average of a series up to each of its values.

    `v_t = beta v_{t-1} + (1 - beta) theta_t` with `v_0 = 0`, and with bias correction
    `v_t / (1 - beta^t)`: without it the first averages are too near to 0. About
    `average_window(beta)` values take part.

    Args:
        values: theta, shape (T, ...); each series along the first axis is averaged by itself.
        beta: weight of the past, in [0, 1).
        bias_correction: whether to divide by `1 - beta^t`.

    Returns:
        (T, ...) float64.

    Raises:
        UsageError: when `beta` is out of its range or there is no series of numbers.

    >>> exponential_average([40, 49], 0.98).round(3).tolist()
    [0.8, 1.764]
    >>> exponential_average([40, 49], 0.98, bias_correction=True).round(3).tolist()
    [40.0, 44.545]
    """
    _check(beta)
    try:
        theta = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        theta = np.zeros(())
    if theta.ndim == 0:
        raise UsageError(
            f"`values` must be a series of numbers, got {safe_text(repr(values))}; "
            "pass a list or an array with the times along its first axis"
        )
    averages = np.empty_like(theta)
    v = np.zeros_like(theta[0]) if len(theta) else theta
    left = 1.0  # beta^t
    for t, value in enumerate(theta):
        v = beta * v + (1.0 - beta) * value
        left *= beta
        averages[t] = v / (1.0 - left) if bias_correction else v
    return averages


def average_window(beta: float) -> float:
    """Return about how many values an average takes part of, `1 / (1 - beta)`.

    The value that many steps ago has about 1/e of the newest one's weight: `0.9^10 = 0.349`.

    >>> [round(average_window(beta)) for beta in (0.5, 0.9, 0.98)]
    [2, 10, 50]

    Raises:
        UsageError: when `beta` is not in [0, 1).
    """
    _check(beta)
    return 1.0 / (1.0 - beta)


def _check(beta: float) -> None:
    if not _SHARE.accepts(beta):
        raise UsageError(
            f"`beta` must be {_SHARE.describe()}, got {safe_text(repr(beta))}; "
            "0.9 averages about 10 values"
        )
