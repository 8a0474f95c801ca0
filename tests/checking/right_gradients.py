"""Losses whose gradient is right, among them all that a careless check calls wrong.

Kinks at the point and near it, gradients that are 0, sizes from 1e-12 to 1e12, low precision,
conventions at ties, functions that cannot be compiled or batched.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from backprop import Steps, dense_cost, dense_gradient, dense_parameters

RNG = np.random.default_rng(21)
X = RNG.normal(size=(20, 6))
Y = RNG.integers(0, 3, 20)
T = RNG.normal(size=20)
IMAGES = RNG.normal(size=(4, 8, 8, 2))
SPARSE = X * (X > 0.5)  # rows and columns with zeros: sums exactly 0


@dataclass(frozen=True)
class Right:
    """A loss in JAX whose gradient is right.

    Attributes:
        name: of the case.
        loss: `(params, *args) -> number`.
        params: where.
        args: what else it takes; functions are called for it when the test runs.
        error: largest relative error that is expected; that of great gradients by default.
    """

    name: str
    loss: Callable[..., Any]
    params: Any
    args: tuple[Any, ...] = ()
    error: float = 1e-7
    options: dict[str, Any] = field(default_factory=dict)


def layers(*sizes: int, scale: float = 1.0, bias: float = 0.0, dtype: Any = np.float64) -> list:
    rng = np.random.default_rng(sum(sizes))
    return [
        {
            "w": (scale * rng.normal(size=(a, b)) / np.sqrt(a)).astype(dtype),
            "b": (bias * rng.normal(size=b)).astype(dtype),
        }
        for a, b in itertools.pairwise(sizes)
    ]


def forward(params: Any, x: Any, activation: Callable = jnp.tanh) -> Any:
    *hidden, last = params
    for layer in hidden:
        x = activation(x @ layer["w"] + layer["b"])
    return x @ last["w"] + last["b"]


def softmax(params: Any, x: Any, y: Any, activation: Callable = jnp.tanh) -> Any:
    logs = jax.nn.log_softmax(forward(params, x, activation))
    return -logs[jnp.arange(len(y)), y].mean()


def squared(params: Any, x: Any, t: Any, activation: Callable = jnp.tanh) -> Any:
    return ((forward(params, x, activation)[:, 0] - t) ** 2).mean()


def maxout(z: Any) -> Any:
    return z.reshape(*z.shape[:-1], -1, 2).max(-1)


def maxout_loss(params: Any, x: Any, y: Any) -> Any:
    h = maxout(x @ params[0]["w"] + params[0]["b"])
    return softmax(params[1:], h, y, maxout) if len(params) > 2 else softmax(params[1:], h, y)


def batch_normed(z: Any, gamma: Any, beta: Any) -> Any:
    return gamma * (z - z.mean(0)) / jnp.sqrt(z.var(0) + 1e-5) + beta


def norm_loss(p: Any, x: Any, y: Any) -> Any:
    z = x @ p["w1"] + p["b1"]  # the bias does nothing before the norm: gradient 0
    h = jax.nn.relu(batch_normed(z, p["gamma"], p["beta"]))
    return softmax([{"w": p["w2"], "b": p["b2"]}], h, y)


def norm_parameters() -> dict[str, Any]:
    first, second = layers(6, 8, 3)
    return {
        "w1": first["w"], "b1": first["b"], "gamma": np.ones(8), "beta": np.zeros(8),
        "w2": second["w"], "b2": second["b"],
    }  # fmt: skip


def convolution(x: Any, kernel: Any) -> Any:
    return jax.lax.conv_general_dilated(
        x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def max_pool(z: Any) -> Any:
    return jax.lax.reduce_window(z, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def convolved(p: Any, x: Any) -> Any:
    z = max_pool(jax.nn.relu(convolution(x, p["kernel"]) + p["bias"]))
    return ((z.mean((1, 2)) @ p["w"]) ** 2).mean()


def convolution_parameters() -> dict[str, Any]:
    rng = np.random.default_rng(4)
    return {
        "kernel": rng.normal(size=(3, 3, 2, 4)) / 3, "bias": np.zeros(4), "w": rng.normal(size=4)
    }  # fmt: skip


def residual(params: Any, x: Any, y: Any) -> Any:
    first, *blocks, last = params
    h = jax.nn.relu(x @ first["w"] + first["b"])
    for block in blocks:
        h = h + jax.nn.relu(h @ block["w"] + block["b"])
    return softmax([last], h, y)


def embedded(p: Any, words: Any) -> Any:
    return ((p["table"][words].mean(1) @ p["w"]) ** 2).mean()


def attention(p: Any, x: Any) -> Any:
    q, k, v = x @ p["q"], x @ p["k"], x @ p["v"]
    return (jax.nn.softmax(q @ k.T / 2) @ v).std()


def scanned(p: Any, x: Any) -> Any:
    def step(h: Any, row: Any) -> tuple[Any, None]:
        return jnp.tanh(h @ p["over"] + row @ p["into"]), None

    h, _ = jax.lax.scan(step, jnp.zeros(4), x)
    return (h**2).sum()


def dropped(params: Any, x: Any, y: Any, key: Any) -> Any:
    first, last = params
    h = jax.nn.relu(x @ first["w"] + first["b"])
    h = h * jax.random.bernoulli(key, 0.6, h.shape) / 0.6
    return softmax([last], h, y)


def branches_on_values(w: Any, x: Any) -> Any:
    z = (x @ w).sum()
    return z**2 if z > 0 else jnp.exp(z)


def calls_back(w: Any) -> Any:
    told = jax.pure_callback(
        lambda: np.float64(2.0), jax.ShapeDtypeStruct((), jnp.result_type(float))
    )
    return (told * w**2).sum()


def refuses_float64(w: Any, x: Any) -> Any:
    z = jax.lax.dot_general(x.astype(jnp.float32), w, (((1,), (0,)), ((), ())))
    if w.dtype != jnp.float32:
        raise TypeError("this code computes in float32")
    return (z**2).mean()


def with_aux(w: Any) -> Any:
    return (w**2).sum(), {"size": w.size}


def sums_of_squares(tree: Any) -> Any:
    return sum((leaf**2).sum() for leaf in jax.tree.leaves(tree))


@jax.custom_vjp
def right_rule(z: Any) -> Any:
    return jax.nn.softplus(z)


right_rule.defvjp(
    lambda z: (jax.nn.softplus(z), z), lambda z, g: (g * jax.nn.sigmoid(z),)
)  # fmt: skip


def dead(params: Any, x: Any, y: Any) -> Any:
    return softmax([{**params[0], "b": params[0]["b"] - 100}, params[1]], x, y, jax.nn.relu)


def perfect(params: Any, x: Any) -> Any:
    return ((x @ params["w"] + params["b"] - x @ np.ones(6) - 2) ** 2).mean()


def hinge(w: Any, x: Any, t: Any) -> Any:
    return jnp.maximum(0, 1 - jnp.sign(t) * (x @ w)).mean()


ACTIVATIONS: dict[str, Callable] = {
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
    "hard_tanh": jax.nn.hard_tanh,
    "softplus by a right rule of one's own": right_rule,
    "a wave": jnp.sin,
}
W6 = RNG.normal(size=6)

RIGHT = [
    *[
        Right(f"softmax network, {name}", partial(softmax, activation=f), layers(6, 8, 3), (X, Y))
        for name, f in ACTIVATIONS.items()
    ],
    *[
        Right(f"regression, {name}, biases drawn", partial(squared, activation=ACTIVATIONS[name]),
              layers(6, 9, 5, 1, bias=0.3), (X, T))
        for name in ("relu", "leaky_relu", "hard_tanh")
    ],
    Right("ReLU, rows of zeros on the kink", partial(softmax, activation=jax.nn.relu),
          layers(6, 8, 3), (np.where(np.arange(20)[:, None] < 8, 0.0, X), Y)),
    Right("leaky ReLU, all rows zero", partial(softmax, activation=jax.nn.leaky_relu),
          layers(6, 8, 3), (0 * X, Y)),
    Right("ReLU, sparse rows", partial(softmax, activation=jax.nn.relu), layers(6, 20, 20, 3),
          (SPARSE, Y)),
    Right("ReLU, weights all 0", partial(softmax, activation=jax.nn.relu),
          layers(6, 8, 3, scale=0.0), (X, Y), 1e-6),
    Right("ReLU, 8 layers", partial(softmax, activation=jax.nn.relu),
          layers(6, *[10] * 8, 3, scale=1.4), (X, Y)),
    Right("ReLU, 3,000 rows near kinks", partial(squared, activation=jax.nn.relu),
          layers(2, 30, 1, bias=1.0), (RNG.normal(size=(3000, 2)), RNG.normal(size=3000))),
    Right("dead ReLUs", dead, layers(6, 8, 3), (X, Y), 1e-6),
    Right("maxout", maxout_loss, layers(6, 8)[:1] + layers(4, 3), (X, Y)),
    Right("maxout, pieces tied", maxout_loss, layers(6, 8, scale=0.0)[:1] + layers(4, 3), (X, Y)),
    Right("maxout, rows of zeros", maxout_loss, layers(6, 8)[:1] + layers(4, 3), (0 * X, Y)),
    Right("max-pooling", convolved, convolution_parameters(), (IMAGES,)),
    Right("max-pooling, black images tie", convolved, convolution_parameters(),
          (IMAGES * (np.arange(4) > 1)[:, None, None, None],)),
    Right("max-pooling, constant images tie", convolved, convolution_parameters(),
          (np.ones_like(IMAGES),)),
    Right("batch norm, biases before it", norm_loss, norm_parameters(), (X, Y)),
    Right("batch norm, a constant column", norm_loss, norm_parameters(),
          (np.column_stack([X[:, :5], np.ones(20)]), Y)),
    Right("residual network", residual, layers(6, 8, 8, 8, 3), (X, Y)),
    Right("attention", attention, {k: RNG.normal(size=(6, 4)) for k in "qkv"}, (X,)),
    Right("recurrent, by scan", scanned,
          {"over": RNG.normal(size=(4, 4)) / 2, "into": RNG.normal(size=(6, 4))}, (X,),
          1e-6),
    Right("embedding, rows never looked up", embedded,
          {"table": RNG.normal(size=(50, 4)), "w": RNG.normal(size=4)},
          (RNG.integers(0, 9, (5, 3)),)),
    Right("dropout, its key an argument", dropped, layers(6, 30, 3),
          (X, Y, partial(jax.random.key, 5))),
    Right("dropout, an old kind of key", dropped, layers(6, 30, 3),
          (X, Y, partial(jax.random.PRNGKey, 3))),
    Right("L2 penalty", lambda p, x, y: softmax(p, x, y) + 0.1 * sums_of_squares(p),
          layers(6, 8, 3), (X, Y)),
    Right("L1 penalty, weights at its kink",
          lambda w, x, t: ((x @ w - t) ** 2).mean() + 0.3 * jnp.abs(w).sum(),
          np.where(np.arange(6) < 3, 0.0, W6), (X, T)),
    Right("L1 penalty, all weights 0",
          lambda p, x, t: squared(p, x, t) + 0.01 * sum(jnp.abs(v["w"]).sum() for v in p),
          layers(6, 5, 1, scale=0.0), (X, T)),
    Right("absolute error, fitted exactly", lambda w, x: jnp.abs(x @ w - x @ np.ones(6)).mean(),
          np.ones(6), (X,)),
    Right("hinge loss", hinge, W6, (X, T)),
    Right("Huber loss", lambda w, x, t: jnp.where(abs(x @ w - t) < 1, (x @ w - t) ** 2 / 2,
                                                  abs(x @ w - t) - 0.5).mean(), W6, (X, T)),
    Right("perfect fit", perfect, {"w": np.ones(6), "b": 2.0}, (X,)),
    Right("all but perfect fit", perfect, {"w": np.ones(6) + 1e-9, "b": 2.0}, (X,), 1e-5),
    Right("at a minimum", lambda w: ((w - 1) ** 2).sum() + 5.0, np.ones(3)),
    Right("constant", lambda w: 3.0 + 0 * w.sum(), np.ones(3)),
    Right("depends on some parameters only", lambda p: (p["a"] ** 2).sum(),
          {"a": np.ones(3), "b": np.ones((2, 2)), "c": np.zeros(4)}),
    Right("one number", lambda w: jnp.exp(w) - w**3, 0.7),
    Right("one number at 0", lambda w: jnp.sin(w), 0.0),
    Right("an empty block beside others", sums_of_squares, {"none": np.zeros((0, 3)), "w": W6}),
    Right("numbers, tuples, None and whole numbers",
          lambda p: p[0] ** 2 + (p[1]["w"] ** 3).sum() * p[1]["times"],
          (1.5, {"w": np.ones(2), "times": 3, "nothing": None})),
    Right("parameters of size 1e-9", lambda w: jnp.sin(1e9 * w).sum(), 1e-9 * W6),
    Right("parameters of size 1e9", lambda w: jnp.sin(1e-9 * w).sum(), 1e9 * W6),
    Right("blocks of sizes 1e-8 and 1e8",
          lambda p: jnp.cos(p["small"] * 1e8).sum() * jnp.sin(p["large"] * 1e-8).sum(),
          {"small": 1e-8 * W6, "large": 1e8 * W6}),
    Right("one block with entries of sizes 1e-6 to 1e6",
          lambda w: jnp.sin(w / 10.0 ** jnp.array([-6, -3, -1, 0, 3, 6])).sum(),
          W6 * 10.0 ** np.array([-6, -3, -1, 0, 3, 6]), (), 1e-6),
    Right("cost of size 1e-12", lambda p, x, y: 1e-12 * softmax(p, x, y), layers(6, 8, 3), (X, Y)),
    Right("cost of size 1e12", lambda p, x, y: 1e12 * softmax(p, x, y), layers(6, 8, 3), (X, Y)),
    Right("small beside a large constant", lambda w: 1e6 + (w**2).sum(), W6, (), 1e-5),
    Right("inputs of size 1e4", softmax, layers(6, 8, 3, scale=1e-4), (1e4 * X, Y), 1e-6),
    Right("saturated", softmax, layers(6, 8, 3, scale=30.0), (X, Y), 1e-5),
    Right("near the end of a domain", lambda w: -jnp.log(w).sum(), np.array([1e-6, 0.5, 2.0])),
    Right("steep", lambda w: jnp.exp(30 * w).sum(), W6),
    Right("strongly curved, nearly flat here", lambda w: (1e4 * w**4).sum() + w.sum() * 1e-3,
          W6 / 50, (), 1e-6),
    Right("a norm away from 0", lambda w: jnp.linalg.norm(w), W6),
    Right("sorted and selected", lambda w: jnp.sort(w)[-2] * 2 + jnp.median(w), W6),
    Right("logarithm of a sum of exponentials", lambda w: jax.nn.logsumexp(50 * w), W6),
    Right("complex weights", lambda w: jnp.abs(jnp.vdot(w, w) + w[0] ** 2) ** 2,
          W6[:3] + 1j * W6[3:]),
    Right("a spectrum", lambda w: (jnp.abs(jnp.fft.rfft(w)) ** 2 * jnp.arange(4)).sum(), W6),
    Right("float32 parameters", softmax, layers(6, 8, 3, dtype=np.float32),
          (X.astype(np.float32), Y)),
    Right("bfloat16 parameters", softmax, layers(6, 8, 3, dtype=jnp.bfloat16), (X, Y)),
    Right("float16 parameters and data", softmax, layers(6, 8, 3, dtype=np.float16),
          (X.astype(np.float16), Y)),
    Right("float32 inside", lambda p, x, y: softmax(
        jax.tree.map(lambda v: v.astype(jnp.float32), p), x.astype(jnp.float32), y),
          layers(6, 8, 3), (X, Y), 1e-2),
    Right("float32 inside, ReLU", lambda p, x, y: softmax(
        jax.tree.map(lambda v: v.astype(jnp.float32), p), x.astype(jnp.float32), y, jax.nn.relu),
          layers(6, 8, 3), (X, Y), 1e-2),
    Right("float32 data term, float64 penalty", lambda p, x, y: softmax(
        jax.tree.map(lambda v: v.astype(jnp.float32), p), x.astype(jnp.float32), y).astype(float)
          + 0.01 * sums_of_squares(p), layers(6, 8, 3), (X, Y), 1e-2),
    Right("refuses float64", refuses_float64, W6.astype(np.float32), (X.astype(np.float32),), 1e-2),
    Right("cannot be compiled: branches on values", branches_on_values, W6, (X,)),
    Right("cannot be batched: calls back to Python", calls_back, W6),
    Right("compiled by its author", jax.jit(softmax), layers(6, 8, 3), (X, Y)),
    Right("returns more than the cost", with_aux, W6, (), 1e-7, {"has_aux": True}),
    Right("4,000 parameters, ReLU", partial(softmax, activation=jax.nn.relu), layers(6, 60, 60, 3),
          (X, Y)),
]  # fmt: skip


@dataclass(frozen=True)
class RightByHand:
    """A cost and a gradient in NumPy that are right."""

    name: str
    cost: Callable[[Any], Any]
    gradient: Callable[[Any], Any]
    theta: Any
    error: float = 1e-7


def relu_cost(t: Any) -> float:
    return float(((np.maximum(X @ t["w"] + t["b"], 0) @ t["v"] - T) ** 2).mean())


def relu_gradient(t: Any) -> Any:
    z = X @ t["w"] + t["b"]
    a = np.maximum(z, 0)
    d = 2 * (a @ t["v"] - T) / len(T)
    dz = d[:, None] * t["v"] * (z > 0)
    return {"w": X.T @ dz, "b": dz.sum(0, keepdims=True), "v": a.T @ d}


RELU = {"w": RNG.normal(size=(6, 5)), "b": np.zeros((1, 5)), "v": RNG.normal(size=5)}


class KeepsItsForward:
    """Forward keeps what backward uses, as courses teach it."""

    def cost(self, t: Any) -> float:
        self.apart = X @ t[0] + t[1] - T
        return float((self.apart**2).mean())

    def gradient(self, t: Any) -> Any:
        return [2 * X.T @ self.apart / len(T), 2 * self.apart.mean()]


KEEPS = KeepsItsForward()


def changes_in_place(t: Any) -> float:
    t *= 2
    return float((t**2).sum() / 4)


RIGHT_BY_HAND = [
    RightByHand("dense with dropout, batch norm, penalties", dense_cost, dense_gradient(Steps()),
                dense_parameters()),
    RightByHand("ReLU", relu_cost, relu_gradient, RELU),
    RightByHand("ReLU, weights all 0", relu_cost, relu_gradient,
                {k: np.zeros_like(v) for k, v in RELU.items()}),
    RightByHand("ReLU in float32",
                lambda t: np.float32(relu_cost({k: v.astype(np.float32) for k, v in t.items()})),
                lambda t: {k: v.astype(np.float32) for k, v in relu_gradient(t).items()}, RELU,
                1e-2),
    RightByHand("gradient in float32", relu_cost,
                lambda t: {k: v.astype(np.float32) for k, v in relu_gradient(t).items()}, RELU),
    RightByHand("keeps its forward pass", KEEPS.cost, KEEPS.gradient, [W6, 0.5]),
    RightByHand("one vector", lambda w: (w**4).sum(), lambda w: 4 * w**3, W6),
    RightByHand("one number", lambda w: w**3, lambda w: 3 * w**2, 1.0),
    RightByHand("a cost in an array of one entry", lambda w: (w**2).sum(keepdims=True),
                lambda w: 2 * w, W6),
    RightByHand("changes its argument in place", changes_in_place, lambda w: 2 * w, W6),
    RightByHand("absolute values at 0", lambda w: np.abs(w).sum(), np.sign,
                np.array([0.0, 1.0, -2.0])),
    RightByHand("warns outside its domain", lambda w: -np.log(w).sum(), lambda w: -1 / w,
                np.array([1e-9, 1.0]), 1e-6),
]  # fmt: skip
