"""B1 and B2 by the JAX program on a CUDA device, in populations of 256, 4,096 and 16,384."""

from __future__ import annotations

import subprocess
import sys

from . import b1, b2
from .benchmark import Benchmark, Series

SIZES = {256: 3, 4_096: 2, 16_384: 1}
_MINUTES = 15.0

GPU = Benchmark(
    name="gpu",
    title="B1 and B2 on a GPU",
    cases=(b1.DIGITS, b2.FASHION),
    series=tuple(
        Series(case, tool, networks, repeats, _MINUTES)
        for networks, repeats in SIZES.items()
        for case in (b1.DIGITS.name, b2.FASHION.name)
        for tool in ("engine-jax", "fit-jax")
    ),
    targets=(),
    checks=(),
    minutes=45,
    limits="benchmarks.gpu_limits",
)

_LOOK = "import jax; print(jax.devices('gpu')[0].device_kind)"


def device() -> str:
    """Return the kind of GPU that JAX finds, or an empty string; JAX starts in another process."""
    ran = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=False)
    return ran.stdout.strip() if ran.returncode == 0 else ""
