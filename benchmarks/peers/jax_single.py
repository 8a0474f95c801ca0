"""Plain JAX, one architecture at a time: a jitted epoch by `lax.scan`, one pinned process a core.

Only the steady rate is told: each architecture's program is compiled outside the clock.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import time
from typing import Any

import numpy as np
from job import Job, Outcome, error_of_outputs, serve

NUMBERS = ("learning_rate", "beta1", "beta2", "epsilon", "dropout", "l2")
# jaxlib 0.10.2 fuses some reductions wrongly on CPU without this; it keeps its fast products.
os.environ["XLA_FLAGS"] = "--xla_cpu_experimental_ynn_fusion_type=individual_dot"


def search(job: Job) -> Outcome:
    """Train every second network on each of two cores, or as many as there are."""
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    cores = sorted(os.sched_getaffinity(0))[: job.workers]
    workers = [
        context.Process(target=_work, args=(job, place, cores[place], len(cores), results))
        for place in range(len(cores))
    ]
    for worker in workers:
        worker.start()
    scores, seconds = [1.0] * len(job.configurations), [0.0] * len(cores)
    for _ in job.configurations:
        index, score, took = results.get()
        scores[index] = score
        seconds[index % len(cores)] += took
    for worker in workers:
        worker.join()
    mean = sum(seconds) / len(seconds)
    return Outcome(scores, steady=(len(scores), mean))


def _work(job: Job, place: int, core: int, cores: int, results: Any) -> None:
    os.sched_setaffinity(0, {core})  # before JAX starts its threads
    epoch, score, start = _program(job)
    compiled: set[tuple[int, ...]] = set()
    for index in range(place, len(job.configurations), cores):
        c = job.configurations[index]
        seed = job.seed * len(job.configurations) + index
        numbers = {name: np.float32(c[name]) for name in NUMBERS}
        if tuple(c["hidden"]) not in compiled:  # compiles both, outside the clock
            compiled.add(tuple(c["hidden"]))
            carry = start(c["hidden"], seed, numbers)
            score(epoch(carry, np.arange(len(job.x_train)), numbers)[0]).block_until_ready()
        began = time.perf_counter()
        carry, generator = start(c["hidden"], seed, numbers), np.random.default_rng(seed)
        for _ in range(job.epochs):
            carry = epoch(carry, generator.permutation(len(job.x_train)), numbers)
        outputs = np.asarray(score(carry[0]))
        results.put((index, error_of_outputs(outputs, job.y_dev), time.perf_counter() - began))


def _program(job: Job) -> tuple[Any, Any, Any]:
    """Return functions that train an epoch, give the dev outputs, and start a network.

    JAX compiles them once for each architecture; rates and penalties are data.
    """
    import jax
    import jax.numpy as jnp
    import optax

    x, y, x_dev = (jnp.asarray(part) for part in (job.x_train, job.y_train, job.x_dev))
    rows, size = len(x), min(job.batch_size, len(x))
    full, short = divmod(rows, size)

    def adam(numbers: Any) -> Any:
        return optax.adam(
            numbers["learning_rate"], numbers["beta1"], numbers["beta2"], numbers["epsilon"]
        )

    def outputs(p: Any, a: Any, keep: Any = None, key: Any = None) -> Any:
        for layer, (w, b) in enumerate(p[:-1]):
            a = jax.nn.relu(a @ w + b)
            if key is not None:
                kept = jax.random.bernoulli(jax.random.fold_in(key, layer), keep, a.shape)
                a = jnp.where(kept, a / keep, 0.0)
        return a @ p[-1][0] + p[-1][1]

    def cost(p: Any, batch: Any, numbers: Any, key: Any) -> Any:
        drops = any(c["dropout"] > 0 for c in job.configurations)
        z = outputs(p, x[batch], 1 - numbers["dropout"], key if drops else None)
        if job.loss == "softmax":
            mean = optax.softmax_cross_entropy_with_integer_labels(z, y[batch]).mean()
        else:
            mean = optax.sigmoid_binary_cross_entropy(z[:, 0], y[batch]).mean()
        return mean + 0.5 * numbers["l2"] * sum((w * w).sum() for w, _ in p)

    @jax.jit
    def epoch(carry: Any, order: Any, numbers: Any) -> Any:
        def step(carry: Any, batch: Any) -> Any:
            p, state, key = carry
            key, mine = jax.random.split(key)
            gradient = jax.grad(cost)(p, batch, numbers, mine)
            change, state = adam(numbers).update(gradient, state)
            return (optax.apply_updates(p, change), state, key), None

        carry, _ = jax.lax.scan(step, carry, order[: full * size].reshape(full, size))
        return step(carry, order[full * size :])[0] if short else carry

    def start(hidden: list[int], seed: int, numbers: Any) -> Any:
        generator = np.random.default_rng(seed)
        p = []
        for m, n in itertools.pairwise([x.shape[1], *hidden, job.outputs]):
            drawn = generator.normal(0, (2 / m) ** 0.5, (m, n)).astype(np.float32)
            p.append((jnp.asarray(drawn), jnp.zeros(n, np.float32)))
        return p, adam(numbers).init(p), jax.random.key(seed)

    return epoch, jax.jit(lambda p: outputs(p, x_dev)), start


if __name__ == "__main__":
    serve(search, ("jax", "optax", "numpy"))
