"""How a suite says what does not hold: one sentence in an `AssertionError`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def require(holds: object, sentence: str) -> None:
    """Raise `AssertionError` with the sentence unless it holds.

    Unlike the statement `assert`, this also works where Python runs with `-O`.
    """
    if not holds:
        raise AssertionError(sentence)


def require_close(one: Any, other: Any, tolerance: float, sentence: str) -> None:
    """Raise unless both agree to `tolerance`, relative to the largest entry; NaN agrees not."""
    a, b = np.asarray(one, np.float64), np.asarray(other, np.float64)
    require(a.shape == b.shape, f"{sentence}: shapes {a.shape} and {b.shape}")
    if not a.size:
        return
    scale = max(float(np.abs(b).max()), 1e-300)
    difference = float(np.abs(a - b).max()) / scale
    require(difference <= tolerance, f"{sentence}: they differ by {difference:.1e} of the largest")


def in_jax(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function returns when JAX compiles it, in the arguments' own types."""
    import jax

    from deepwell._jax._start import start

    start()
    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, jax.jit(function)(*arguments))
