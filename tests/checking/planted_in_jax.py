"""Bugs planted into JAX: slopes of one's own that are wrong, each beside the right one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

RNG = np.random.default_rng(11)
X = RNG.normal(size=(8, 5)).astype(np.float32)
Y = RNG.integers(0, 3, 8)
WORDS = np.array([[0, 2, 2], [1, 2, 4], [0, 0, 5], [5, 1, 1]])
IMAGES = RNG.normal(size=(3, 6, 6, 2)).astype(np.float32)


def parameters() -> dict[str, Any]:
    rng = np.random.default_rng(13)
    draw = rng.normal

    def array(values: Any) -> np.ndarray:
        return np.asarray(values, np.float32)

    return {
        "first": {"w": array(draw(size=(5, 6)) / 2), "b": array(draw(size=6) / 4)},
        "second": {"w": array(draw(size=(6, 6)) / 2), "b": array(draw(size=6) / 4)},
        "last": {"w": array(draw(size=(6, 3)) / 2), "b": array(draw(size=3) / 4)},
    }


def with_rule(f: Callable, backward: Callable) -> Callable:
    """Return `f` with `backward(inputs, slope) -> one slope an input` as its gradient."""
    rule = jax.custom_vjp(f)
    rule.defvjp(lambda *x: (f(*x), x), lambda x, g: tuple(backward(x, g)))
    return rule


def softmax_loss(z: Any, y: Any) -> Any:
    return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1).mean()


def affine(x: Any, w: Any, b: Any) -> Any:
    return x @ w + b


def network(
    activation: Callable = jnp.tanh,
    second: Callable = affine,
    loss: Callable = softmax_loss,
    between: Callable = lambda h: h,
    penalty: Callable = lambda p: 0.05 * sum((p[k]["w"] ** 2).sum() for k in p),
) -> Callable:
    """Return the loss of a network of three layers; each piece can be another."""

    def cost(p: Any, x: Any, y: Any) -> Any:
        h = activation(x @ p["first"]["w"] + p["first"]["b"])
        h = jnp.tanh(second(between(h), p["second"]["w"], p["second"]["b"]))
        z = h @ p["last"]["w"] + p["last"]["b"]
        return loss(z, y) + penalty(p)

    return cost


def layer_norm(h: Any) -> Any:
    apart = h - h.mean(-1, keepdims=True)
    return apart / jnp.sqrt((apart**2).mean(-1, keepdims=True) + 1e-3)


def half_layer_norm(x: Any, g: Any) -> Any:
    (h,) = x
    hat, sigma = layer_norm(h), jnp.sqrt(h.var(-1, keepdims=True) + 1e-3)
    return [(g - hat * (g * hat).mean(-1, keepdims=True)) / sigma]


def masked(h: Any) -> Any:
    return h * jax.random.bernoulli(jax.random.key(3), 0.6, h.shape) / 0.6


def l2_of_all(p: Any) -> Any:
    return 0.05 * sum((p[k]["w"] ** 2).sum() for k in p)


def exact_gelu(z: Any) -> Any:
    return jax.nn.gelu(z, approximate=False)


def about_gelu(z: Any) -> Any:
    return jax.nn.gelu(z, approximate=True).sum()


def without_gradient(f: Callable) -> Callable:
    return with_rule(f, lambda x, g: [jax.tree.map(jnp.zeros_like, part) for part in x])


def twice(activation: Callable) -> Callable:
    """Return the activation by `custom_jvp`, with a slope twice too large."""
    rule = jax.custom_jvp(activation)

    @rule.defjvp
    def along(x: Any, t: Any) -> Any:
        value, change = jax.jvp(activation, x, t)
        return value, 2 * change

    return rule


@dataclass(frozen=True)
class PlantedInJax:
    """A loss with a bug, the same loss without, what it spoils and what should be told of it."""

    name: str
    wrong: Callable
    right: Callable
    blames: tuple[str, ...]
    told: dict[str, str | None]


def in_network(
    name: str, piece: str, wrong: Callable, right: Callable, blames: tuple[str, ...], **told: Any
) -> PlantedInJax:
    told = {key.replace("_", "/"): kind for key, kind in told.items()}
    return PlantedInJax(name, network(**{piece: wrong}), network(**{piece: right}), blames, told)


SECOND = ("second/b", "second/w")
LAST = ("last/b", "last/w")
FIRST = ("first/b", "first/w")
ALL = (*FIRST, *LAST, *SECOND)  # in the order of sorted keys

PLANTED = [
    in_network("activation's slope twice too large", "activation", twice(jnp.tanh), jnp.tanh, FIRST,
               first_b="factor", first_w="factor"),
    in_network("activation's slope forgotten", "activation",
               with_rule(jnp.tanh, lambda x, g: [g]), jnp.tanh, FIRST, first_b=None),
    in_network("activation's slope with its sign turned", "activation",
               with_rule(jnp.tanh, lambda x, g: [-g * (1 - jnp.tanh(x[0]) ** 2)]), jnp.tanh, FIRST,
               first_b="sign"),
    in_network("ReLU's slope where the input is below 0", "activation",
               with_rule(jax.nn.relu, lambda x, g: [g * (x[0] < 0)]), jax.nn.relu, FIRST),
    in_network("GELU with the slope of its approximation", "activation",
               with_rule(exact_gelu, lambda x, g: [g * jax.grad(about_gelu)(x[0])]),
               exact_gelu, FIRST),
    in_network("stop_gradient left in", "between", jax.lax.stop_gradient, lambda h: h, FIRST),
    in_network("slope forgets the transpose", "second",
               with_rule(affine, lambda x, g: [g @ x[1], x[0].T @ g, g.sum(0)]), affine, FIRST),
    in_network("weight's slope transposed", "second",
               with_rule(affine, lambda x, g: [g @ x[1].T, g.T @ x[0], g.sum(0)]), affine,
               ("second/w",)),
    in_network("bias's slope a mean", "second",
               with_rule(affine, lambda x, g: [g @ x[1].T, x[0].T @ g, g.mean(0)]), affine,
               ("second/b",), second_b="factor"),
    in_network("bias's slope of the first row", "second",
               with_rule(affine, lambda x, g: [g @ x[1].T, x[0].T @ g, g[0]]), affine,
               ("second/b",), second_b=None),
    in_network("last column of the weights' slope left out", "second",
               with_rule(affine, lambda x, g: [
                   g @ x[1].T, (x[0].T @ g).at[:, -1].set(0), g.sum(0)]),
               affine, ("second/w",), second_w="slice"),
    in_network("a layer's slopes 0", "second",
               with_rule(affine, lambda x, g: [g @ x[1].T, 0 * x[1], 0 * x[2]]), affine, SECOND,
               second_b="cut"),
    in_network("a layer's slopes shifted", "second",
               with_rule(affine, lambda x, g: [g @ x[1].T, x[0].T @ g, jnp.roll(g.sum(0), 1)]),
               affine, ("second/b",), second_b="shifted"),
    in_network("layer norm without the mean's term", "between",
               with_rule(layer_norm, half_layer_norm), layer_norm, FIRST, first_b=None),
    in_network("dropout's mask not applied backward", "between",
               with_rule(masked, lambda x, g: [g / 0.6]), masked, FIRST),
    in_network("slope clipped on the way", "between",
               with_rule(lambda h: h, lambda x, g: [jnp.clip(g, -0.01, 0.01)]), lambda h: h, FIRST),
    in_network("slope not a number", "between",
               with_rule(lambda h: h, lambda x, g: [g / 0.0]), lambda h: h, FIRST,
               first_w="not finite"),
    in_network("loss's slope without the mean", "loss",
               with_rule(softmax_loss, lambda x, g: [
                   g * (jax.nn.softmax(x[0]) - jax.nn.one_hot(x[1], 3)),
                   np.zeros(x[1].shape, jax.dtypes.float0)]),
               softmax_loss, ALL, last_b="factor", second_b="factor", first_b="factor",
               last_w="factor"),
    in_network("softmax's slope as if outputs were apart", "loss",
               with_rule(softmax_loss, lambda x, g: [
                   g * (jax.nn.softmax(x[0]) - jax.nn.one_hot(x[1], 3)) * jax.nn.softmax(x[0]) / 8,
                   np.zeros(x[1].shape, jax.dtypes.float0)]),
               softmax_loss, ALL, last_b=None),
    in_network("penalty without a slope", "penalty", without_gradient(l2_of_all), l2_of_all,
               ("first/w", "last/w", "second/w"), first_w="l2", last_w="l2", second_w="l2"),
]  # fmt: skip


# Losses of other forms, each with a right and a wrong piece.


def recurrent(step: Callable) -> Callable:
    """Return the loss of a recurrent network over the columns of x."""

    def cost(p: Any, x: Any) -> Any:
        h, _ = jax.lax.scan(
            lambda h, column: (step(h, column, p), None), jnp.zeros((len(x), 4), x.dtype), x.T
        )
        return (h.sum(1) ** 2).mean()

    return cost


def remembers(h: Any, column: Any, p: Any) -> Any:
    return jnp.tanh(h @ p["over"] + column[:, None] * p["into"])


def forgets(h: Any, column: Any, p: Any) -> Any:
    return remembers(jax.lax.stop_gradient(h), column, p)


def recurrent_parameters() -> dict[str, Any]:
    rng = np.random.default_rng(2)
    return {"into": rng.normal(size=4), "over": rng.normal(size=(4, 4)) / 2}


def convolved(convolution: Callable) -> Callable:
    def cost(p: Any, x: Any) -> Any:
        z = jax.nn.relu(convolution(x, p["kernel"]) + p["bias"])
        return (z.max(axis=(1, 2)) ** 2).mean()

    return cost


def convolution(x: Any, kernel: Any) -> Any:
    return jax.lax.conv_general_dilated(
        x.astype(kernel.dtype), kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def kernel_reversed(x: Any, g: Any) -> Any:
    dx, dk = jax.vjp(convolution, *x)[1](g)
    return dx, dk[::-1, ::-1]


def convolution_parameters() -> dict[str, Any]:
    rng = np.random.default_rng(4)
    return {"bias": rng.normal(size=3), "kernel": rng.normal(size=(3, 3, 2, 3)) / 3}


def looked_up(table_rows: Callable) -> Callable:
    def cost(p: Any, words: Any) -> Any:
        return (jnp.tanh(table_rows(p["table"], words).mean(1) @ p["w"]) ** 2).mean()

    return cost


def rows_of(table: Any, words: Any) -> Any:
    return table[words]


def overwritten(x: Any, g: Any) -> Any:
    table, words = x
    return jnp.zeros_like(table).at[words].set(g), np.zeros(words.shape, jax.dtypes.float0)


def table_parameters() -> dict[str, Any]:
    rng = np.random.default_rng(6)
    return {"table": rng.normal(size=(7, 4)), "w": rng.normal(size=4)}


@dataclass(frozen=True)
class Elsewhere:
    """A planted bug with parameters and arguments of its own."""

    bug: PlantedInJax
    parameters: Callable[[], Any]
    args: tuple[Any, ...]


ELSEWHERE = [
    Elsewhere(
        PlantedInJax("recurrent network that forgets its past", recurrent(forgets),
                     recurrent(remembers), ("into", "over"), {}),
        recurrent_parameters, (X,),
    ),
    Elsewhere(
        PlantedInJax("convolution's kernel in reverse order",
                     convolved(with_rule(convolution, kernel_reversed)), convolved(convolution),
                     ("kernel",), {}),
        convolution_parameters, (IMAGES,),
    ),
    Elsewhere(
        PlantedInJax("words that occur twice counted once",
                     looked_up(with_rule(rows_of, overwritten)), looked_up(rows_of), ("table",),
                     {}),
        table_parameters, (WORDS,),
    ),
]  # fmt: skip
