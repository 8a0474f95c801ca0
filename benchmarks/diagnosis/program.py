"""A training program of a user's own: plain JAX functions and a plain loop.

Each part is a pure function that a fault may replace. The last argument of all, `amount`, is how
severe a fault is: a number that healthy parts ignore, so that three severities are one program to
compile. Parameters are a tuple of `{"w": (in, out), "b": (out,)}`, first layer first.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

Params = tuple[dict[str, jax.Array], ...]


@dataclass(frozen=True)
class Program:
    """What a user wrote.

    Attributes:
        sizes: inputs, units of each hidden layer, outputs.
        kind: `classification` or `regression`.
        init: (key, sizes, amount) -> parameters.
        forward: (parameters, x, key, training, amount) -> what each layer hands on, raw outputs
            last.
        loss: (raw outputs, y, parameters, amount) -> number.
        gradient: of (parameters -> number) at parameters; a custom rule of layers is a fault of it.
        update: (gradients, moments, parameters, step, rate, amount) -> moments, parameters.
        augment: (x, key, amount) -> x.
        predict: like forward, for scoring.
        keeps_best: whether the parameters of the best dev score are kept.
        epochs, batch: of the loop.
        words: what can be read off the program: activation, optimizer, loss, output.
    """

    sizes: tuple[int, ...]
    kind: str
    init: Callable[..., Params]
    forward: Callable[..., list[jax.Array]]
    loss: Callable[..., jax.Array]
    update: Callable[..., tuple[Any, Params]]
    augment: Callable[..., jax.Array]
    predict: Callable[..., list[jax.Array]]
    keeps_best: bool = True
    epochs: int = 40
    batch: int = 32
    words: tuple[tuple[str, str], ...] = ()


def he(key: jax.Array, sizes: tuple[int, ...], amount: jax.Array) -> Params:
    """Weights of variance 2 / inputs, biases of 0."""
    keys = jax.random.split(key, len(sizes) - 1)
    shapes = itertools.pairwise(sizes)
    return tuple(
        {"w": jax.random.normal(k, (a, b)) * jnp.sqrt(2 / a), "b": jnp.zeros(b)}
        for k, (a, b) in zip(keys, shapes, strict=True)
    )


def relu_network(
    params: Params, x: jax.Array, key: jax.Array, training: bool, amount: jax.Array
) -> list[jax.Array]:
    """ReLU layers and a linear output."""
    handed = []
    for layer in params[:-1]:
        x = jax.nn.relu(x @ layer["w"] + layer["b"])  # (B, H)
        handed.append(x)
    return [*handed, x @ params[-1]["w"] + params[-1]["b"]]


def cross_entropy(out: jax.Array, y: jax.Array, params: Params, amount: jax.Array) -> jax.Array:
    """Mean of -log softmax at the class."""
    return -jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], axis=1).mean()


def squared(out: jax.Array, y: jax.Array, params: Params, amount: jax.Array) -> jax.Array:
    """Mean squared error."""
    return ((out[:, 0] - y) ** 2).mean()


def adam(
    grads: Params, moments: Any, params: Params, step: jax.Array, rate: jax.Array, amount: jax.Array
) -> tuple[Any, Params]:
    """Kingma and Ba's rule, bias corrected."""
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], grads)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, moments[1], grads)
    a, b = 1 - 0.9**step, 1 - 0.999**step
    moved = jax.tree.map(
        lambda p, m, v: p - rate * (m / a) / (jnp.sqrt(v / b) + 1e-8), params, first, second
    )
    return (first, second), moved


def momentum(
    grads: Params, moments: Any, params: Params, step: jax.Array, rate: jax.Array, amount: jax.Array
) -> tuple[Any, Params]:
    """Descent with a velocity of 0.9."""
    velocity = jax.tree.map(lambda v, g: 0.9 * v + g, moments[0], grads)
    return (velocity, moments[1]), jax.tree.map(lambda p, v: p - rate * v, params, velocity)


def as_it_is(x: jax.Array, key: jax.Array, amount: jax.Array) -> jax.Array:
    """Augment nothing."""
    return x


def scores(kind: str, out: jax.Array, y: jax.Array) -> jax.Array:
    """Return the error rate, or the RMSE."""
    if kind == "regression":
        return jnp.sqrt(((out[:, 0] - y) ** 2).mean())
    return (out.argmax(axis=1) != y).mean()


def objective(program: Program, key: jax.Array, amount: jax.Array) -> Callable[..., jax.Array]:
    """Return what training descends: (parameters, x, y) -> number."""

    def cost(params: Params, x: jax.Array, y: jax.Array) -> jax.Array:
        out = program.forward(params, x, key, True, amount)[-1]
        return program.loss(out, y, params, amount)

    return cost


@functools.partial(jax.jit, static_argnums=0)
def trained(
    program: Program, rows: dict[str, jax.Array], rate: jax.Array, amount: jax.Array, key: jax.Array
) -> dict[str, Any]:
    """Return curves, parameters at the start, best and last, and norms by epoch.

    Args:
        program: the user's.
        rows: `x`, `y`, `x_dev`, `y_dev`.
        rate: learning rate.
        amount: of its fault; 0 for none.
        key: of start, order and masks.
    """
    start_key, order_key = jax.random.split(key)
    params = program.init(start_key, program.sizes, amount)
    zeros = jax.tree.map(jnp.zeros_like, params)
    count = len(rows["y"]) // program.batch
    begin = (params, (zeros, zeros), jnp.zeros(()), params, jnp.inf)

    def step(carry: Any, chosen: tuple[jax.Array, jax.Array]) -> tuple[Any, Any]:
        params, moments, number = carry
        places, mask_key = chosen
        x = program.augment(rows["x"][places], jax.random.fold_in(mask_key, 1), amount)
        cost, grads = jax.value_and_grad(objective(program, mask_key, amount))(
            params, x, rows["y"][places]
        )
        moments, moved = program.update(grads, moments, params, number + 1, rate, amount)
        norms = [jnp.stack(_norms(tree)) for tree in (grads, _less(moved, params))]
        return (moved, moments, number + 1), (cost, *norms)

    def epoch(carry: Any, key: jax.Array) -> tuple[Any, Any]:
        params, moments, number, best, lowest = carry
        order = jax.random.permutation(key, len(rows["y"]))[: count * program.batch]
        chosen = (order.reshape(count, program.batch), jax.random.split(key, count))
        (params, moments, number), (costs, grads, steps) = jax.lax.scan(
            step, (params, moments, number), chosen
        )
        out = program.predict(params, rows["x_dev"], key, False, amount)[-1]
        dev = scores(program.kind, out, rows["y_dev"])
        dev_cost = program.loss(out, rows["y_dev"], params, amount)
        better = dev < lowest
        best = jax.tree.map(lambda new, old: jnp.where(better, new, old), params, best)
        told = {"train_cost": costs.mean(), "dev_cost": dev_cost, "dev_score": dev,
                "gradient_norm": grads[-1], "update_norm": steps[-1],
                "weight_norm": jnp.stack(_norms(params))}  # fmt: skip
        return (params, moments, number, best, jnp.minimum(dev, lowest)), told

    ended, told = jax.lax.scan(epoch, begin, jax.random.split(order_key, program.epochs))
    kept = ended[3] if program.keeps_best else ended[0]
    return {**told, "start": params, "best": kept, "last": ended[0]}


def _norms(params: Params) -> list[jax.Array]:
    return [jnp.sqrt((layer["w"] ** 2).sum() + (layer["b"] ** 2).sum()) for layer in params]


def _less(new: Params, old: Params) -> Params:
    return jax.tree.map(lambda a, b: a - b, new, old)
