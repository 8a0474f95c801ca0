"""What the machine can do, measured in the same run: matrix products and memory bandwidth.

Meant to be run as a process of its own with one BLAS thread: `python -m benchmarks.limits FOLDER`.
Rates of products are operations a core-second, which other work on the machine disturbs least.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

SQUARE = 2048
_SAMPLES = 12
_TRIAD_FLOATS = 32 * 1024**2  # 128 MiB an array: beyond any cache
Product = tuple[int, int, int, str]


def products(widths: Sequence[int], batch: int) -> list[Product]:
    """Return the matrix products of one training step, (m, k, n, which operand is transposed).

    Forward (B, in) (in, out); to the weights (in, B) (B, out); to the inputs (B, out) (out, in),
    which the first layer does not need.
    """
    found: list[Product] = []
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(widths)):
        found += [(batch, n_in, n_out, ""), (n_in, batch, n_out, "a")]
        if layer:
            found.append((batch, n_out, n_in, "b"))
    return found


def product_rate(product: Product, wanted_seconds: float = 0.01, tries: int = 4) -> float:
    """Return operations a core-second of NumPy's product at one shape, the best of some tries."""
    m, k, n, transposed = product
    generator = np.random.default_rng(2)
    a = generator.random((k, m) if transposed == "a" else (m, k), np.float32)
    b = generator.random((n, k) if transposed == "b" else (k, n), np.float32)
    a, b = (a.T if transposed == "a" else a), (b.T if transposed == "b" else b)
    out = np.empty((m, n), np.float32)
    first = min(_core_seconds(lambda: np.dot(a, b, out=out), 1) for _ in range(3))
    repeats = max(1, int(wanted_seconds / max(first, 1e-7)))
    best = min(_core_seconds(lambda: np.dot(a, b, out=out), repeats) for _ in range(tries))
    return 2 * m * k * n / best


def rate_at(networks: Iterable[Sequence[int]], batch: int) -> float:
    """Return the operations a core-second over all products of a sample of networks.

    Args:
        networks: widths from input to output; 12 of them, spread over their sizes, are measured.
        batch: B.
    """
    ordered = sorted(networks, key=lambda widths: sum(2 * m * k for m, k in _pairs(widths)))
    places = np.linspace(0, len(ordered) - 1, min(_SAMPLES, len(ordered))).astype(int)
    shapes = [p for place in places for p in products(ordered[place], batch)]
    rates = {shape: product_rate(shape) for shape in set(shapes)}
    work = [2.0 * m * k * n for m, k, n, _ in shapes]
    return sum(work) / sum(w / rates[s] for w, s in zip(work, shapes, strict=True))


def bandwidth(threads: int) -> float:
    """Return bytes a second of `a = b + s c` over arrays beyond the caches, all cores together.

    NumPy makes it in two passes, `a = s c` and `a = a + b`: 5 reads and writes of each number.
    """
    parts = [np.ones((3, _TRIAD_FLOATS // threads), np.float32) for _ in range(threads)]

    def triad(part: np.ndarray) -> None:
        a, b, c = part
        np.multiply(c, np.float32(1.5), out=a)
        np.add(a, b, out=a)

    best = np.inf
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(5):
            began = time.perf_counter()
            list(pool.map(triad, parts))
            best = min(best, time.perf_counter() - began)
    return sum(5 * part[0].nbytes for part in parts) / best


def blas() -> str:
    """Return the library behind NumPy's products, as NumPy tells it."""
    told: dict[str, Any] = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{told.get('name', 'unknown')} {told.get('version', '')}".strip()


def _pairs(widths: Sequence[int]) -> list[tuple[int, int]]:
    return list(itertools.pairwise(widths))


def _core_seconds(work: Callable[[], object], repeats: int) -> float:
    began = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - began) / repeats


def main() -> None:
    """Measure for the job in a folder and write `outcome.json` there."""
    folder = Path(sys.argv[1])
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    networks = [[job["inputs"], *c["hidden"], job["outputs"]] for c in job["configurations"]]
    outcome = {
        "blas": blas(),
        "square": product_rate((SQUARE, SQUARE, SQUARE, ""), tries=5),
        "at_shapes": rate_at(networks, job["batch_size"]),
        "bandwidth": bandwidth(job["workers"]),
    }
    (folder / "outcome.json").write_text(json.dumps(outcome), encoding="utf-8")


if __name__ == "__main__":
    main()
