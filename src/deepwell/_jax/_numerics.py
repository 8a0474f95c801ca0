"""Refuse to train on wrong arithmetic: a check that some releases of JAX fail on CPU."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
from pathlib import Path

import numpy as np

from deepwell._base._errors import StudyError

from ._start import Runtime, cache_folder, start

_ROWS = 32_769  # one more than 2^15: the size at which the faulty fusion shows
_RELATIVE = 1e-4


@functools.cache
def check_numerics() -> float:
    """Return the largest relative error of fused reductions, after checking that it is small.

    The sums `sum_k (I r)_k^2` over the rows r of a (32769, 3) float32 array, compiled, are
    compared with NumPy in float64. A machine, release and flag setting that passed once is
    remembered in the cache folder; the check then costs nothing. Where JAX was running before
    Deepwell, the flags in force are not known and the check always runs.

    Raises:
        StudyError: when the arithmetic is wrong.
    """
    runtime = start()
    passed = _marker(runtime)
    if not runtime.joined and _there(passed):
        return 0.0
    error = measure()
    if not error <= _RELATIVE:
        raise StudyError(
            f"jaxlib {runtime.jaxlib} computes wrong numbers on this machine (relative error "
            f"{error:.1g} in a fused reduction); start Deepwell before any other JAX code, "
            "or install another jaxlib"
        )
    if runtime.joined:
        return error
    try:
        passed.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        passed.touch()
    except OSError:
        pass  # no cache: the check runs again next time
    return error


def measure() -> float:
    """Return the largest relative error of a compiled, vectorized matrix-vector-square-sum."""
    import jax
    import jax.numpy as jnp

    def squared_length(row):
        return jnp.sum((jnp.eye(3, dtype=jnp.float32) @ row) ** 2)

    rows = np.arange(_ROWS * 3, dtype=np.float32).reshape(_ROWS, 3) / 7
    right = (rows.astype(np.float64) ** 2).sum(axis=1)
    got = np.asarray(jax.jit(jax.vmap(squared_length))(rows), dtype=np.float64)
    return float(np.max(np.abs(got - right) / np.maximum(right, 1.0)))


def _marker(runtime: Runtime) -> Path:
    settings = "|".join(
        (runtime.jaxlib, os.environ.get("XLA_FLAGS", ""), platform.machine(), platform.processor())
    )
    digest = hashlib.sha256(settings.encode()).hexdigest()[:16]
    return cache_folder() / f"numerics-{digest}"


def _there(marker: Path) -> bool:
    try:
        return marker.exists()
    except OSError:  # a folder that this user may not search
        return False
