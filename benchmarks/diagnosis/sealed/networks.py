"""Networks of the sealed half's faulty programs: what a user wrote in place of ReLU layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.diagnosis.program import Params, relu_network


def _layers(params: Params, x: Any, hidden: Callable[[Any, dict[str, Any]], Any]) -> list[Any]:
    """Return what each layer hands on; the output is linear."""
    handed = []
    for layer in params[:-1]:
        x = hidden(x, layer)
        handed.append(x)
    return [*handed, x @ params[-1]["w"] + params[-1]["b"]]


def _sum(x: Any, layer: dict[str, Any]) -> Any:
    return x @ layer["w"] + layer["b"]


def shrunk_layers(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """Layers of tanh at a slope below 1.

    A slope of 0.5 when mild, 0.3 when medium, 0.1 when severe, in eight layers.
    """
    return _layers(params, x, lambda x, layer: jnp.tanh(amount * _sum(x, layer)))


def pruned(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """ReLU layers under the mask of an earlier pruning: the last units are always 0.

    91 % of the units of a layer when mild, 95 % when medium, all when severe.
    """

    def masked(x: Any, layer: dict[str, Any]) -> Any:
        z = jax.nn.relu(_sum(x, layer))
        width = z.shape[1]
        return jnp.where(jnp.arange(width) < jnp.round((1 - amount) * width), z, 0.0)

    return _layers(params, x, masked)


def steep(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """Layers of tanh of so many times the sum: all but flat.

    10 times when mild, 50 when medium, 400 when severe.
    """
    return _layers(params, x, lambda x, layer: jnp.tanh(amount * _sum(x, layer)))


def bounded(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """Values that pass a tanh, and so cannot leave a range around 0.

    Within 1 deviation of the target when mild, 0.5 when medium, 0.1 when severe.
    """
    *hidden, out = relu_network(params, x, key, training, amount)
    return [*hidden, amount * jnp.tanh(out / amount)]


def reshaped(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """First hidden layer turned and reshaped where it should be turned back: rows are mixed.

    40 % of its units when mild, 70 % when medium, all when severe.
    """
    first = jax.nn.relu(_sum(x, params[0]))
    hit = jnp.arange(first.shape[1]) < amount * first.shape[1]
    first = jnp.where(hit, first.T.reshape(first.shape), first)
    return [first, *relu_network(params[1:], first, key, training, amount)]


@jax.custom_vjp
def _tanh(z: Any, amount: Any) -> Any:
    return jnp.tanh(z)


def _tanh_back(kept: tuple[Any, Any], g: Any) -> tuple[Any, Any]:
    z, amount = kept
    right, wrong = 1 - jnp.tanh(z) ** 2, 1 - z**2
    return g * ((1 - amount) * right + amount * wrong), 0.0 * amount


_tanh.defvjp(lambda z, amount: (jnp.tanh(z), (z, amount)), _tanh_back)


def tanh_of_slope(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """A tanh of one's own whose slope, 1 - tanh(z)^2, is taken as 1 - z^2.

    30 % of the slope when mild, 60 % when medium, all when severe.
    """
    return _layers(params, x, lambda x, layer: _tanh(_sum(x, layer), amount))


@jax.custom_vjp
def _turned_back(w: Any, amount: Any) -> Any:
    return w


def _turned_rule(amount: Any, g: Any) -> tuple[Any, Any]:
    return (1 - amount) * g + amount * jnp.roll(g, 1, axis=-1), 0.0 * amount


_turned_back.defvjp(lambda w, amount: (w, amount), _turned_rule)


def next_units(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """A rule of a layer's own that is off by one: a unit gets the gradient of its neighbor.

    70 % of it in both hidden layers when mild, 90 % when medium, all when severe.
    """
    hidden = jax.tree.map(lambda p: _turned_back(p, amount), params[:-1])
    return relu_network((*hidden, params[-1]), x, key, training, amount)


def unscaled(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """Dropout that scales neither in training nor in prediction: sums are larger in use.

    30 % of the units are dropped when mild, 60 % when medium, 85 % when severe.
    """
    handed = []
    for number, layer in enumerate(params[:-1]):
        x = jax.nn.relu(_sum(x, layer))
        if training:
            kept = jax.random.bernoulli(jax.random.fold_in(key, number), 1 - amount, x.shape)
            x = jnp.where(kept, x, 0.0)
        handed.append(x)
    return [*handed, x @ params[-1]["w"] + params[-1]["b"]]


def _normalized(z: Any) -> Any:
    return (z - z.mean(axis=0)) / jnp.sqrt(z.var(axis=0) + 1e-5)


def batch_normalized(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """ReLU layers of sums that are normalized over the batch."""
    return _layers(
        params, x, lambda x, layer: jax.nn.relu(_normalized(x @ layer["w"]) + layer["b"])
    )


def never_updated(params: Params, x: Any, key: Any, training: bool, amount: Any) -> list[Any]:
    """The same with running statistics, which are what they were at the start: 0 and 1.

    40 % of what normalizes is of the start when mild, 70 % when medium, all when severe.
    """

    def used(x: Any, layer: dict[str, Any]) -> Any:
        z = x @ layer["w"]
        return jax.nn.relu(amount * z + (1 - amount) * _normalized(z) + layer["b"])

    return _layers(params, x, used)
