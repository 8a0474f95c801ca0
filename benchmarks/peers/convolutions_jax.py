"""Convolutional networks in plain JAX: a jitted epoch of `lax.scan` over `lax.conv`, one by one."""

from __future__ import annotations

import itertools
import os
from typing import Any

import numpy as np
from job import Job, Outcome, error_of_outputs, serve
from pinned import Train, search_pinned

# jaxlib 0.10.2 fuses some reductions wrongly on CPU without this; it keeps its fast products.
os.environ["XLA_FLAGS"] = "--xla_cpu_experimental_ynn_fusion_type=individual_dot"


def search(job: Job) -> Outcome:
    """Train every second network on each core."""
    return search_pinned(job, ready)


def ready(job: Job) -> Train:
    """Return what trains one network; all share one compiled program."""
    import jax
    import jax.numpy as jnp
    import optax

    first = job.configurations[0]
    image = first["image"]
    x, x_dev = (jnp.asarray(part).reshape(-1, *image) for part in (job.x_train, job.x_dev))
    y, size = jnp.asarray(job.y_train), job.batch_size
    full, short = divmod(len(x), size)

    def outputs(p: Any, a: Any) -> Any:
        for kernel, bias in p[0]:
            z = jax.lax.conv_general_dilated(
                a, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
            a = jax.nn.relu(z + bias)
            window = (1, 2, 2, 1)
            a = jax.lax.reduce_window(a, -jnp.inf, jax.lax.max, window, window, "VALID")
        a = a.reshape(len(a), -1)
        for w, b in p[1][:-1]:
            a = jax.nn.relu(a @ w + b)
        return a @ p[1][-1][0] + p[1][-1][1]

    def cost(p: Any, batch: Any) -> Any:
        z = outputs(p, x[batch])
        return optax.softmax_cross_entropy_with_integer_labels(z, y[batch]).mean()

    @jax.jit
    def epoch(p: Any, state: Any, order: Any, rate: Any) -> Any:
        def step(carry: Any, batch: Any) -> Any:
            p, state = carry
            change, state = optax.adam(rate).update(jax.grad(cost)(p, batch), state)
            return (optax.apply_updates(p, change), state), None

        carry, _ = jax.lax.scan(step, (p, state), order[: full * size].reshape(full, size))
        return step(carry, order[full * size :])[0] if short else carry

    score = jax.jit(lambda p: outputs(p, x_dev))

    def train(index: int) -> float:
        rate, generator = (
            np.float32(job.configurations[index]["learning_rate"]),
            np.random.default_rng(index),
        )
        p = _start(first, job.outputs, generator)
        state = optax.adam(rate).init(p)
        for _ in range(job.epochs):
            p, state = epoch(p, state, generator.permutation(len(x)), rate)
        return error_of_outputs(np.asarray(score(p)), job.y_dev)

    return train


def _start(first: Any, outputs: int, generator: np.random.Generator) -> Any:
    """Return kernels and weights by He et al. 2015, and biases of 0."""
    height, width, channels = first["image"]
    kernels, weights = [], []
    for made in first["channels"]:
        shape = (3, 3, channels, made)
        drawn = generator.normal(0, (2 / (9 * channels)) ** 0.5, shape).astype(np.float32)
        kernels.append((drawn, np.zeros(made, np.float32)))
        height, width, channels = height // 2, width // 2, made
    for m, n in itertools.pairwise([height * width * channels, *first["hidden"], outputs]):
        drawn = generator.normal(0, (2 / m) ** 0.5, (m, n)).astype(np.float32)
        weights.append((drawn, np.zeros(n, np.float32)))
    return kernels, weights


if __name__ == "__main__":
    serve(search, ("jax", "optax", "numpy"))
