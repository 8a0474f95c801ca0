"""Steady rate of the native program on a population like benchmark B1.

Digits, 1,078 train and 359 dev rows; 1 to 3 layers of 32 to 128 ReLU units, dropout, L2, Adam,
batches of 64, 30 epochs. Prints networks a second, and useful floating-point operations a
core-second (which other work on the machine disturbs least) beside those of NumPy's matrix product
at 2048^3 and at the shapes used.

    python benchmarks/native_rate.py [networks] [threads] [repeats]
"""

import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # NumPy's own rate is measured on one core

import numpy as np

from deepwell._native import cores, simd
from deepwell.data._batches import epoch_order
from deepwell.networks._architecture import Architecture
from deepwell.training._native_program import NativeProgram
from deepwell.training._program import Chunk, Member, Structure, TrainingRows
from deepwell.training._state import initial_state

EPOCHS, BATCH, TRAIN, DEV = 30, 64, 1078, 359


def digits() -> TrainingRows:
    """Return digits, standardized, split by a fixed permutation."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))[: TRAIN + DEV]
    train, dev = order[:TRAIN], order[TRAIN:]
    center, spread = x[train].mean(0), x[train].std(0)
    x = (x - center) / np.where(spread > 0, spread, 1)
    return TrainingRows(x[train], y[train], np.ones(TRAIN), x[dev], y[dev], np.ones(DEV))


def population(count: int) -> list[Member]:
    """Return `count` members drawn from the space of B1."""
    rng = np.random.default_rng(1)
    members = []
    for seed in range(count):
        hidden = (int(rng.integers(32, 129)),) * int(rng.integers(1, 4))
        numbers = {
            "learning_rate": float(10 ** rng.uniform(-4, -1.5)),
            "decay_rate": 0.0,
            "momentum": 0.9,
            "beta1": float(1 - 10 ** rng.uniform(-3, -1)),
            "beta2": 0.999,
            "epsilon": 1e-8,
            "dropout": float(rng.uniform(0, 0.5)),
            "l2": float(10 ** rng.uniform(-6, -1)),
        }
        shape = Architecture(64, hidden, 10, "relu", 0.0, "softmax")
        members.append(Member(shape, "adam", "he", seed, numbers))
    return members


def useful_operations(members: list[Member]) -> float:
    """Return the operations of the matrix products that training and scoring need."""
    total = 0.0
    for member in members:
        shape = member.architecture
        forward = sum(n * m for n, m in shape.layer_shapes())
        total += 2.0 * EPOCHS * (TRAIN * shape.multiply_adds() + DEV * forward)
    return total


def product_rate(m: int, k: int, n: int) -> float:
    """Return NumPy's operations a core-second at one shape, without allocation."""
    rng = np.random.default_rng(2)
    a, b = rng.random((m, k), np.float32), rng.random((k, n), np.float32)
    out = np.empty((m, n), np.float32)
    repeats = max(1, int(1e9 / (2 * m * k * n)))
    best = np.inf
    for _ in range(7):
        began = time.process_time()
        for _ in range(repeats):
            np.dot(a, b, out=out)
        best = min(best, time.process_time() - began)
    return repeats * 2 * m * k * n / best


def main() -> None:
    """Measure and print."""
    given = [int(a) for a in sys.argv[1:]]
    count, threads, repeats = (given + [256, cores(), 5][len(given) :])[:3]
    rows, members = digits(), population(count)
    shared = Structure(64, (), 10, "softmax", "", "", BATCH, True, TRAIN, DEV, 17, "error")
    program = NativeProgram(shared, rows, lanes=count, threads=threads)
    began = time.perf_counter()
    states = [initial_state(member) for member in members]
    drawn = time.perf_counter() - began
    orders = [epoch_order(0, epoch, TRAIN, BATCH) for epoch in range(1, EPOCHS + 1)]
    seconds, core_seconds = [], []
    for _ in range(repeats):
        session = program.load(members, states)
        began, core_began = time.perf_counter(), time.process_time()
        for epoch, order in enumerate(orders, 1):
            info = session.advance(Chunk(order, epoch))
        seconds.append(time.perf_counter() - began)
        core_seconds.append(time.process_time() - core_began)
    useful = useful_operations(members) / 1e9
    print(f"{count} networks, {threads} threads, {simd()}, initial states {drawn:.2f} s")
    for name, of in (("best", np.min), ("median", np.median)):
        print(
            f"{name}: {count / of(seconds):.1f} networks/s, {useful / of(seconds):.1f} GFLOP/s, "
            f"{useful / of(core_seconds):.1f} GFLOP a core-second"
        )
    print(f"dev error at the end: best {np.nanmin(info.dev_score):.4f}")
    for shape in ((2048,) * 3, (64, 48, 48), (64, 80, 80), (64, 128, 128)):
        rate = product_rate(*shape) / 1e9
        share = useful / np.median(core_seconds) / rate
        print(f"GEMM {shape}: {rate:.1f} GFLOP a core-second; useful share {share:.0%}")


if __name__ == "__main__":
    main()
