"""Bugs planted into backpropagation by hand: the wrong line, and the error that should be named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from backprop import (
    KEEP,
    L2,
    MASK,
    M,
    PoolSteps,
    Steps,
    TableSteps,
    Tree,
    dense_cost,
    dense_gradient,
    dense_parameters,
    pooled_cost,
    pooled_gradient,
    pooled_parameters,
    table_cost,
    table_gradient,
    table_parameters,
)


@dataclass(frozen=True)
class Family:
    """A network by hand: its cost, its backward pass from steps, and its parameters."""

    cost: Callable[[Tree], float]
    gradient: Callable[[Any], Callable[[Tree], Tree]]
    parameters: Callable[[], Tree]
    steps: Any


DENSE = Family(dense_cost, dense_gradient, dense_parameters, Steps())
POOLED = Family(pooled_cost, pooled_gradient, pooled_parameters, PoolSteps())
TABLE = Family(table_cost, table_gradient, table_parameters, TableSteps())


@dataclass(frozen=True)
class Planted:
    """A bug: the steps that are wrong; the blocks whose gradient it spoils; what should be told.

    `told` holds the kind of cause for some of these blocks; None where no cause must be claimed.
    """

    name: str
    family: Family
    wrong: dict[str, Callable]
    blames: str
    told: dict[str, str | None]

    @property
    def steps(self) -> Any:
        return replace(self.family.steps, **self.wrong)


ALL = "w1 b1 w2 gamma beta w3 b3"


def without(name: str) -> Callable[[Tree], Tree]:
    return lambda grads: {**grads, name: np.zeros_like(grads[name])}


def changed(name: str, change: Callable) -> Callable[[Tree], Tree]:
    return lambda grads: {**grads, name: change(grads[name])}


def with_last_row_left_out(w: np.ndarray) -> np.ndarray:
    out = w.copy()
    out[-1] = 0
    return out


def momentum() -> Callable[[Tree], Tree]:
    kept: Tree = {}

    def finish(grads: Tree) -> Tree:
        for name, g in grads.items():
            kept[name] = 0.9 * kept.get(name, 0) + 0.1 * g
        return dict(kept)

    return finish


def never_reset() -> Callable[[Tree], Tree]:
    kept: Tree = {}

    def finish(grads: Tree) -> Tree:
        kept["w3"] = kept.get("w3", 0) + grads["w3"]
        return {**grads, "w3": kept["w3"]}

    return finish


def overwrite(into: np.ndarray, words: np.ndarray, d: np.ndarray) -> None:
    into[words] = d  # a word that occurs twice counts once


def clipped(grads: Tree) -> Tree:
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    return {k: g * min(1, 0.1 / norm) for k, g in grads.items()}


PLANTED = [
    Planted("wrong sign of the output's slope", POOLED,
            {"output": lambda apart: -2 * apart / len(apart)}, "kernel bias w",
            {"kernel": "sign", "w": "sign"}),
    Planted("the 2 of the square forgotten", POOLED, {"output": lambda apart: apart / len(apart)},
            "kernel bias w", {"kernel": "factor", "bias": "factor", "w": "factor"}),
    Planted("sum over the rows in place of the mean", POOLED, {"output": lambda apart: 2 * apart},
            "kernel bias w", {"kernel": "factor", "w": "factor"}),
    Planted("mean taken twice", POOLED, {"output": lambda apart: 2 * apart / len(apart) ** 2},
            "kernel bias w", {"kernel": "factor"}),
    Planted("mean missing before penalties", DENSE, {"output": lambda p, y: p - y}, ALL,
            {"gamma": "factor", "beta": "factor", "b3": "factor", "w1": None}),
    Planted("output's slope with its sign turned", DENSE, {"output": lambda p, y: (y - p) / M},
            ALL, {"b1": "sign", "b3": "sign"}),
    Planted("softmax backward as if outputs were apart", DENSE,
            {"output": lambda p, y: (p - y) * p * (1 - p) / M}, ALL, {"b3": None}),
    Planted("activation's slope from z in place of a", DENSE,
            {"activation": lambda z, a: 1 - z**2}, "w1 b1 w2 gamma beta", {"w1": None}),
    Planted("slope of another activation", DENSE, {"activation": lambda z, a: a * (1 - a)},
            "w1 b1 w2 gamma beta", {}),
    Planted("activation's slope forgotten", DENSE, {"activation": lambda z, a: 1.0},
            "w1 b1 w2 gamma beta", {}),
    Planted("square weight passed back without transposing", DENSE,
            {"back": lambda dz, w: dz @ (w if w.shape[0] == w.shape[1] else w.T)}, "w1 b1",
            {"b1": None}),
    Planted("square weight's gradient transposed", DENSE,
            {"finish": changed("w2", np.transpose)}, "w2", {"w2": "transposed"}),
    Planted("weight's gradient filled row by row in place of column by column", DENSE,
            {"finish": changed("w1", lambda g: g.reshape(g.shape[::-1]).T)}, "w1",
            {"w1": "transposed"}),
    Planted("penalty missing", DENSE, {"penalty": lambda w: 0.0}, "w1 w2 w3",
            {"w1": "l2", "w2": "l2", "w3": "l2"}),
    Planted("penalty without its half", DENSE, {"penalty": lambda w: 2 * L2 * w}, "w1 w2 w3",
            {"w2": "l2"}),
    Planted("penalty with the wrong sign", DENSE, {"penalty": lambda w: -L2 * w}, "w1 w2 w3",
            {"w3": "l2"}),
    Planted("a penalty on a bias that the cost has not", DENSE,
            {"penalty_bias": lambda b: L2 * b}, "b1", {"b1": "l2"}),
    Planted("L1 penalty missing", DENSE, {"penalty_1": lambda w: 0.0}, "w1", {"w1": "l1"}),
    Planted("L1 penalty as if it were L2", DENSE, {"penalty_1": lambda w: w}, "w1", {}),
    Planted("one layer cut off", DENSE, {"finish": without("w1")}, "w1", {"w1": "cut"}),
    Planted("one bias cut off", DENSE, {"finish": without("b3")}, "b3", {"b3": "cut"}),
    Planted("last row left out", DENSE, {"finish": changed("w3", with_last_row_left_out)}, "w3",
            {"w3": "slice"}),
    Planted("entries shifted by one", DENSE, {"finish": changed("beta", lambda g: np.roll(g, 1))},
            "beta", {"beta": "shifted"}),
    Planted("columns shifted by one, a border lost", DENSE,
            {"finish": changed("w2", lambda g: np.pad(g[:, :-1], ((0, 0), (1, 0))))}, "w2",
            {"w2": "shifted"}),
    Planted("batch norm without the mean's term", DENSE,
            {"norm": lambda dy, hat, s: (dy - hat * (dy * hat).mean(0)) / s}, "w1 b1 w2",
            {"w2": None}),
    Planted("batch norm without the variance's term", DENSE,
            {"norm": lambda dy, hat, s: (dy - dy.mean(0)) / s}, "w1 b1 w2", {}),
    Planted("batch norm as a constant scale", DENSE, {"norm": lambda dy, hat, s: dy / s},
            "w1 b1 w2", {}),
    Planted("gamma's gradient from what was not normalized", DENSE,
            {"gamma": lambda dy, hat, z: (dy * z).sum(0)}, "gamma", {"gamma": None}),
    Planted("dropout's mask not applied backward", DENSE, {"mask": lambda da: da / KEEP},
            "w1 b1", {}),
    Planted("dropout's scale not applied backward", DENSE, {"mask": lambda da: da * MASK},
            "w1 b1", {"b1": "factor"}),
    Planted("residual path forgotten", DENSE, {"skip": lambda da, through: da}, "w1 b1", {}),
    Planted("residual path alone", DENSE, {"skip": lambda da, through: through}, "w1 b1", {}),
    Planted("bias gradient not summed", DENSE,
            {"bias": lambda dz: dz}, "b1 b3", {"b1": "form", "b3": "form"}),
    Planted("bias gradient of the first row", DENSE, {"bias": lambda dz: dz[0]}, "b1 b3", {}),
    Planted("bias gradient as a mean", DENSE, {"bias": lambda dz: dz.mean(0)}, "b1 b3",
            {"b1": "factor", "b3": "factor"}),
    Planted("bias gradient with one axis too many", DENSE,
            {"bias": lambda dz: dz.sum(0, keepdims=True)}, "b1 b3", {"b1": "form"}),
    Planted("gradients of two blocks swapped", DENSE,
            {"finish": lambda g: {**g, "gamma": g["beta"], "beta": g["gamma"]}}, "gamma beta",
            {"gamma": "swapped", "beta": "swapped"}),
    Planted("momentum in place of the gradient", DENSE, {"finish": momentum()}, ALL,
            {"w1": "changes between calls"}),
    Planted("a sum that is never set to 0", DENSE, {"finish": never_reset()}, "w3",
            {"w3": "changes between calls"}),
    Planted("learning rate multiplied in", DENSE,
            {"finish": changed("w3", lambda g: 0.01 * g)}, "w3", {"w3": "factor"}),
    Planted("clipped", DENSE, {"finish": clipped}, ALL, {"w3": "factor", "b1": "factor"}),
    Planted("not a number", DENSE, {"finish": changed("w1", lambda g: g * np.nan)}, "w1",
            {"w1": "not finite"}),
    Planted("a constant added", DENSE, {"finish": changed("beta", lambda g: g + 0.01)}, "beta",
            {"beta": "constant"}),
    Planted("one entry a little wrong", DENSE,
            {"finish": changed("w2", lambda g: g + 1e-4 * np.eye(5)[1] * np.eye(5)[:, [3]])}, "w2",
            {}),
    Planted("convolution's kernel in reverse order", POOLED,
            {"kernel": lambda windows, dz: np.einsum("nlk,nl->k", windows, dz)[::-1]}, "kernel",
            {"kernel": "flipped"}),
    Planted("convolution's first window left out", POOLED,
            {"kernel": lambda windows, dz: np.einsum("nlk,nl->k", windows[:, 1:], dz[:, 1:])},
            "kernel", {}),
    Planted("max-pooling routed to both", POOLED,
            {"route": lambda da, best: np.repeat(da[:, :, None], 2, axis=2)}, "kernel bias", {}),
    Planted("max-pooling routed to the loser", POOLED,
            {"route": lambda da, best: da[:, :, None] * np.eye(2)[1 - best]}, "kernel bias", {}),
    Planted("ReLU's slope forgotten", POOLED, {"relu": lambda z: z > -np.inf}, "kernel bias", {}),
    Planted("ReLU's slope the wrong way round", POOLED, {"relu": lambda z: z <= 0}, "kernel bias",
            {}),
    Planted("words that occur twice counted once", TABLE, {"collect": overwrite}, "table", {}),
    Planted("shared weights: first use forgotten", TABLE,
            {"tied": lambda first, second: second}, "mix", {}),
    Planted("shared weights: mean of both uses", TABLE,
            {"tied": lambda first, second: (first + second) / 2}, "mix", {"mix": "factor"}),
]  # fmt: skip
