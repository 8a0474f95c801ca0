"""What every learning-rate schedule must hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from deepwell._base._hyperparameters import complete
from deepwell.optimization._decay import Time

from ._require import in_jax, require, require_close

_EPOCHS, _PER_EPOCH = 12, 5


def check_schedule(
    decay: Callable[[Mapping[str, Any], Time, Any], Any],
    numbers: Mapping[str, float] | None = None,
) -> None:
    """Check a schedule `(numbers, time, xp) -> factor of the rate`; raises `AssertionError`.

    - the factor of every step is a finite number of at least 0, and not 0 in every one;
    - it keeps the type and the shape of the time, one number a step, each by itself;
    - it says the same in JAX as in NumPy, to 1e-12 in float64.

    >>> from deepwell.optimization import DECAYS
    >>> check_schedule(DECAYS["cosine"])

    Args:
        decay: the schedule.
        numbers: hyperparameters of its own, and values that differ from the defaults.
    """
    import jax.numpy as jnp

    given = complete({"epochs": _EPOCHS})
    values = {n: float(v) for n, v in given.items() if isinstance(v, int | float)}
    values.update(numbers or {})
    steps = np.arange(1.0, _EPOCHS * _PER_EPOCH + 1)
    for kind in (np.float32, np.float64):
        typed = {name: kind(value) for name, value in values.items()}
        time = _time(steps.astype(kind), kind)
        factors = np.asarray(decay(typed, time, np))
        require(
            factors.shape == steps.shape and factors.dtype == kind,
            f"a schedule must give one {kind.__name__} a step, got {factors.dtype} of shape "
            f"{factors.shape} for {len(steps)} steps",
        )
        require(
            np.isfinite(factors).all() and (factors >= 0).all() and factors.any(),
            "the factors of a schedule must be finite, at least 0 and not all 0",
        )
        alone = np.asarray(decay(typed, _time(steps[7:8].astype(kind), kind), np))
        require_close(alone, factors[7:8], 1e-6, "a step's factor must not depend on other steps")
    at = _time(steps, np.float64)
    said = in_jax(
        lambda n, e, s, p: decay(n, Time(e, s, p), jnp), values, at.epoch, at.step, at.per_epoch
    )
    require_close(said, factors, 1e-12, "a schedule must say the same in JAX and NumPy")


def _time(steps: np.ndarray, kind: Any) -> Time:
    return Time((steps - 1) // _PER_EPOCH + 1, steps, kind(_PER_EPOCH))
