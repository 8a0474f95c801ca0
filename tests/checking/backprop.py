"""Networks with backpropagation by hand in NumPy, of pieces that can be replaced by wrong ones.

Every `Steps` field is one line of somebody's backward pass, right as it stands here. The tests
plant a bug by replacing one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Tree = dict[str, Any]
RNG = np.random.default_rng(7)
M = 6
X = RNG.normal(size=(M, 4))
LABELS = np.eye(3)[RNG.integers(0, 3, M)]
MASK = (RNG.random((M, 5)) < 0.7).astype(float)
KEEP = 0.7
L2, L1 = 0.05, 0.02


@dataclass(frozen=True)
class Steps:
    """The lines of the backward pass of `dense`."""

    output: Callable = lambda p, y: (p - y) / len(y)
    activation: Callable = lambda z, a: 1 - a**2
    mask: Callable = lambda da: da * MASK / KEEP
    weights: Callable = lambda before, dz: before.T @ dz
    weights_2: Callable = lambda before, dz: before.T @ dz
    bias: Callable = lambda dz: dz.sum(axis=0)
    back: Callable = lambda dz, w: dz @ w.T
    skip: Callable = lambda da, through: da + through
    norm: Callable = lambda dy, hat, sigma: (dy - dy.mean(0) - hat * (dy * hat).mean(0)) / sigma
    gamma: Callable = lambda dy, hat, z: (dy * hat).sum(0)
    penalty: Callable = lambda w: L2 * w
    penalty_1: Callable = lambda w: L1 * np.sign(w)
    penalty_bias: Callable = lambda b: 0.0
    finish: Callable = lambda grads: grads


def dense_parameters() -> Tree:
    """4 -> 5 (tanh, dropout) -> 5 (batch norm, tanh, residual) -> 3 (softmax), L2 and L1."""
    rng = np.random.default_rng(3)
    return {
        "w1": rng.normal(size=(4, 5)) / 2,
        "b1": rng.normal(size=5) / 5,
        "w2": rng.normal(size=(5, 5)) / 2,
        "gamma": 1 + rng.normal(size=5) / 5,
        "beta": rng.normal(size=5) / 5,
        "w3": rng.normal(size=(5, 3)) / 2,
        "b3": rng.normal(size=3) / 5,
    }


def _forward(t: Tree) -> Tree:
    z1 = X @ t["w1"] + t["b1"]
    a1 = np.tanh(z1)
    d1 = a1 * MASK / KEEP
    z2 = d1 @ t["w2"]
    sigma = np.sqrt(z2.var(0) + 1e-3)
    hat = (z2 - z2.mean(0)) / sigma
    y2 = t["gamma"] * hat + t["beta"]
    a2 = np.tanh(y2)
    r2 = a2 + d1
    z3 = r2 @ t["w3"] + t["b3"]
    e = np.exp(z3 - z3.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    return {"z1": z1, "a1": a1, "d1": d1, "z2": z2, "sigma": sigma, "hat": hat, "y2": y2,
            "a2": a2, "r2": r2, "p": p}  # fmt: skip


def dense_cost(t: Tree) -> float:
    p = _forward(t)["p"]
    penalty = L2 / 2 * sum((t[k] ** 2).sum() for k in ("w1", "w2", "w3"))
    return -(LABELS * np.log(p)).sum() / M + penalty + L1 * np.abs(t["w1"]).sum()


def dense_gradient(steps: Steps) -> Callable[[Tree], Tree]:
    def gradient(t: Tree) -> Tree:
        f = _forward(t)
        dz3 = steps.output(f["p"], LABELS)
        dr2 = steps.back(dz3, t["w3"])
        dy2 = dr2 * steps.activation(f["y2"], f["a2"])
        dz2 = steps.norm(dy2 * t["gamma"], f["hat"], f["sigma"])
        dd1 = steps.skip(steps.back(dz2, t["w2"]), dr2)
        dz1 = steps.mask(dd1) * steps.activation(f["z1"], f["a1"])
        return steps.finish(
            {
                "w1": steps.weights(X, dz1) + steps.penalty(t["w1"]) + steps.penalty_1(t["w1"]),
                "b1": steps.bias(dz1) + steps.penalty_bias(t["b1"]),
                "w2": steps.weights_2(f["d1"], dz2) + steps.penalty(t["w2"]),
                "gamma": steps.gamma(dy2, f["hat"], f["z2"]),
                "beta": dy2.sum(0),
                "w3": steps.weights(f["r2"], dz3) + steps.penalty(t["w3"]),
                "b3": steps.bias(dz3),
            }
        )

    return gradient


# A convolution along one axis, ReLU, max-pooling, and words looked up in a table.

SERIES = RNG.normal(size=(5, 12))
TARGET = RNG.normal(size=5)
WORDS = np.array([[0, 2, 2], [1, 2, 4], [0, 0, 5]])
SCORES = RNG.normal(size=3)


@dataclass(frozen=True)
class PoolSteps:
    """The lines of the backward pass of `pooled`."""

    output: Callable = lambda apart: 2 * apart / len(apart)
    route: Callable = lambda da, best: da[:, :, None] * np.eye(2)[best]
    relu: Callable = lambda z: z > 0
    kernel: Callable = lambda windows, dz: np.einsum("nlk,nl->k", windows, dz)
    finish: Callable = lambda grads: grads


def pooled_parameters() -> Tree:
    rng = np.random.default_rng(5)
    return {"kernel": rng.normal(size=3), "bias": 0.1, "w": rng.normal(size=5)}


def _pooled(t: Tree) -> tuple[np.ndarray, ...]:
    windows = np.lib.stride_tricks.sliding_window_view(SERIES, 3, axis=1)
    z = windows @ t["kernel"] + t["bias"]
    pairs = np.maximum(z, 0).reshape(5, 5, 2)
    best = pairs.argmax(-1)
    pool = pairs.max(-1)
    return windows, z, best, pool, pool @ t["w"] - TARGET


def pooled_cost(t: Tree) -> float:
    return float((_pooled(t)[-1] ** 2).mean())


def pooled_gradient(steps: PoolSteps) -> Callable[[Tree], Tree]:
    def gradient(t: Tree) -> Tree:
        windows, z, best, pool, apart = _pooled(t)
        d = steps.output(apart)
        dz = steps.route(d[:, None] * t["w"], best).reshape(5, 10) * steps.relu(z)
        return steps.finish(
            {"kernel": steps.kernel(windows, dz), "bias": float(dz.sum()), "w": pool.T @ d}
        )

    return gradient


@dataclass(frozen=True)
class TableSteps:
    """The lines of the backward pass of `looked_up`."""

    collect: Callable = lambda into, words, d: np.add.at(into, words, d)
    tied: Callable = lambda first, second: first + second
    finish: Callable = lambda grads: grads


def table_parameters() -> Tree:
    rng = np.random.default_rng(9)
    return {"table": rng.normal(size=(7, 4)), "mix": rng.normal(size=(4, 4)) / 2}


def _looked_up(t: Tree) -> tuple[np.ndarray, ...]:
    mean = t["table"][WORDS].mean(1)
    h = np.tanh(mean @ t["mix"])
    out = np.tanh(h @ t["mix"])  # the same weights twice
    return mean, h, out, out.sum(1) - SCORES


def table_cost(t: Tree) -> float:
    return float((_looked_up(t)[-1] ** 2).mean())


def table_gradient(steps: TableSteps) -> Callable[[Tree], Tree]:
    def gradient(t: Tree) -> Tree:
        mean, h, out, apart = _looked_up(t)
        d2 = (2 * apart / 3)[:, None] * (1 - out**2)
        d1 = (d2 @ t["mix"].T) * (1 - h**2)
        dmean = d1 @ t["mix"].T
        into = np.zeros_like(t["table"])
        steps.collect(into, WORDS, np.repeat(dmean[:, None] / 3, 3, axis=1))
        return steps.finish({"table": into, "mix": steps.tied(mean.T @ d1, h.T @ d2)})

    return gradient
