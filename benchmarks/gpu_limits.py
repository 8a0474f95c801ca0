"""What a GPU can do: `python -m benchmarks.gpu_limits FOLDER`, a process of its own.

Products in float32 as JAX makes them by default, at 2048^3 and for a stack of members at the
shapes used; bandwidth by `a = b + s c` beyond the caches.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .limits import SQUARE, products

_MEMBERS = 256
_FLOATS = 256 * 1024**2
_TRIES = 5


def stacked_rate(networks: Sequence[Sequence[int]], batch: int) -> float:
    """Return operations a second over the products of the median network, 256 members at once."""
    import jax.numpy as jnp

    widths = sorted(networks, key=sum)[len(networks) // 2]
    work = seconds = 0.0
    for m, k, n, _ in products(widths, batch):
        a, b = jnp.ones((_MEMBERS, m, k), jnp.float32), jnp.ones((_MEMBERS, k, n), jnp.float32)
        seconds += _seconds(jnp.matmul, a, b)
        work += 2.0 * _MEMBERS * m * k * n
    return work / seconds


def _seconds(function: Callable[..., Any], *arguments: Any) -> float:
    """Return the best time of a compiled call, 20 in a row without waiting between them."""
    import jax

    compiled = jax.jit(function)
    jax.block_until_ready(compiled(*arguments))
    best = float("inf")
    for _ in range(_TRIES):
        began = time.perf_counter()
        jax.block_until_ready([compiled(*arguments) for _ in range(20)][-1])
        best = min(best, (time.perf_counter() - began) / 20)
    return best


def main() -> None:
    """Measure for the job in a folder and write `outcome.json` there."""
    import jax
    import jax.numpy as jnp

    folder = Path(sys.argv[1])
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    networks = [[job["inputs"], *c["hidden"], job["outputs"]] for c in job["configurations"]]
    square = jnp.ones((SQUARE, SQUARE), jnp.float32)
    b, c = jnp.ones(_FLOATS, jnp.float32), jnp.ones(_FLOATS, jnp.float32)
    triad = _seconds(lambda b, c: b + 1.5 * c, b, c)
    device = jax.devices()[0]
    outcome = {
        "blas": f"JAX on {device.device_kind}",
        "square": 2 * SQUARE**3 / _seconds(jnp.matmul, square, square),
        "at_shapes": stacked_rate(networks, job["batch_size"]),
        "bandwidth": 3 * b.nbytes / triad,
        "memory_bytes": (device.memory_stats() or {}).get("bytes_limit"),
    }
    (folder / "outcome.json").write_text(json.dumps(outcome), encoding="utf-8")


if __name__ == "__main__":
    main()
