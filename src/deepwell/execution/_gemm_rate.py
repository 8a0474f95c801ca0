"""The machine's rate of float32 matrix products: the yardstick of how well it was used.

Measured once a machine and remembered in the cache folder; for what is shown alone, no decision
of a study depends on it.
"""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from deepwell._jax._start import start, usable_cores

from ._speed import remember_rate, remembered_rate

HOST_SIZE = 512  # the rate of 2048 within 5 %, where measured, in products of a few milliseconds
DEVICE_SIZES = (2048, 4096, 8192)
_LEAST_SECONDS = 0.005  # of one product on a device, so that starting it costs next to nothing
_HOST_SECONDS = 0.05  # some 15 products of a core, at the end of every first fit on a machine
_DEVICE_SECONDS = 0.15


def gemm_share(program: str, multiply_adds: float, seconds: float) -> float | None:
    """Return the share of the machine's matrix rate that training reached.

    `share = 2 * multiply_adds / seconds / rate`. A remembered rate that training has surpassed was
    taken on a busy machine, and is measured once more.

    Args:
        program: `native` or `jax`, whose device is the yardstick.
        multiply_adds: useful ones of training and scoring.
        seconds: that they took.

    Returns:
        The share, above 0 and at most 1; None when nothing was trained, or when even the new
        measurement was surpassed or failed, so that the share is not known.
    """
    if multiply_adds <= 0 or seconds <= 0:
        return None
    reached = 2 * multiply_adds / seconds
    try:
        rate = gemm_rate(program)
        if reached > rate:
            rate = gemm_rate(program, anew=True)
    except (MemoryError, RuntimeError):  # a full device is no reason to lose a study
        return None
    return reached / rate if reached <= rate else None


def gemm_rate(program: str, *, anew: bool = False) -> float:
    """Return float32 operations a second of large matrix products on what a program runs on.

    Args:
        program: `native` is measured on all usable cores; `jax` on the accelerators that JAX uses,
            and on the cores where there are none.
        anew: measure even if the rate is remembered.

    Returns:
        Operations a second; a product of n x n matrices has 2 n^3 of them.
    """
    on_device = program == "jax" and start().platform != "cpu"
    name = _device_name() if on_device else _host_name()
    known = None if anew else remembered_rate(name)
    if known is not None:
        return known
    rate = device_gemm_rate() if on_device else host_gemm_rate()
    remember_rate(name, rate, runs=1)
    return rate


def host_gemm_rate(size: int = HOST_SIZE, seconds: float = _HOST_SECONDS) -> float:
    """Measure NumPy's matrix product on all usable cores at once, one thread on each.

    Each thread's rate is its median over products, in its own processor time: what else runs on the
    machine then takes no part of it.

    Args:
        size: n of the n x n matrices.
        seconds: wall time to measure for; every thread takes three products at least.

    Returns:
        The sum over the cores, in operations a second.

    Raises:
        MemoryError: when there is none for the matrices.
        RuntimeError: when a thread cannot start, or one that had to be waited for ended before.
    """
    from threadpoolctl import threadpool_limits

    cores = usable_cores()
    together = threading.Barrier(cores)
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(cores) as pool:
        try:
            rates = [pool.submit(_core_rate, size, seconds, together) for _ in range(cores)]
            return sum(rate.result() for rate in rates)
        except BaseException:
            together.abort()  # the pool waits for all that began, and they for one that cannot
            raise


def _core_rate(size: int, seconds: float, together: threading.Barrier) -> float:
    """Return this thread's rate while the others measure too."""
    try:
        a, b = _factors(size)
        out = np.empty_like(a)
        np.matmul(a, b, out=out)
    except BaseException:
        together.abort()
        raise
    together.wait()
    clock = _core_clock()
    end = time.perf_counter() + seconds
    spent: list[float] = []
    while len(spent) < 3 or time.perf_counter() < end:
        began = clock()
        np.matmul(a, b, out=out)
        spent.append(clock() - began)
    return 2 * size**3 / statistics.median(spent)


def _core_clock() -> Callable[[], float]:
    """Return the clock of a thread's own processor time, or of wall time where that is coarse."""
    fine = time.get_clock_info("thread_time").resolution <= 1e-5
    return time.thread_time if fine else time.perf_counter


def device_gemm_rate(
    sizes: Sequence[int] = DEVICE_SIZES, seconds: float = _DEVICE_SECONDS
) -> float:
    """Measure JAX's matrix product, at the precision that training uses, on one device.

    Args:
        sizes: n to try, ascending: the first whose product takes 5 ms is measured, or the last.
        seconds: to measure for; the fastest product counts.

    Returns:
        The rate of one device times their number.
    """
    start()
    import jax
    import jax.numpy as jnp

    multiply = jax.jit(jnp.matmul)

    def product(n: int) -> Callable[[], object]:
        a, b = (jax.device_put(factor, jax.devices()[0]) for factor in _factors(n))
        return lambda: multiply(a, b).block_until_ready()

    return _fastest(product, sizes, seconds) * len(jax.devices())


def _factors(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two matrices of ordinary numbers; what they are does not matter for the time."""
    a = np.linspace(-1, 1, n * n, dtype=np.float32).reshape(n, n)
    return a, np.ascontiguousarray(a.T)


def _fastest(
    product: Callable[[int], Callable[[], object]], sizes: Sequence[int], seconds: float
) -> float:
    """Return the operations a second of the fastest product at the first size that is telling."""
    began = time.perf_counter()
    untried = list(sizes)
    while True:
        size = untried.pop(0)
        run = product(size)
        run()  # starts threads, compiles
        best = _timed(run)
        if best >= _LEAST_SECONDS or not untried:
            break
    while time.perf_counter() - began < seconds:
        best = min(best, _timed(run))
    return 2 * size**3 / best


def _timed(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _host_name() -> str:
    parts = (_cpu_model(), f"{usable_cores()} cores", f"NumPy {np.__version__}")
    return ", ".join(("GEMM", *parts, _release()))


def _device_name() -> str:
    import jax

    devices = jax.devices()
    return ", ".join(
        ("GEMM", f"{len(devices)} x {devices[0].device_kind}", f"JAX {jax.__version__}", _release())
    )


def _release() -> str:
    return f"Deepwell {importlib.metadata.version('deepwell')}"


@functools.cache
def _cpu_model() -> str:
    """Return the processor's name where the system tells it, else its kind."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except (OSError, ValueError):
        pass
    return platform.processor() or platform.machine()
