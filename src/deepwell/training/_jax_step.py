"""One member in JAX: an update step, the steps of a chunk, the end of an epoch.

Pure functions of one member's padded arrays; `_jax_program.py` maps them over lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from deepwell._jax._generator import Words, fold
from deepwell.networks._activations import ACTIVATIONS
from deepwell.networks._dropout import inverted_dropout
from deepwell.networks._losses import LOSSES
from deepwell.networks._mlp import outputs
from deepwell.optimization._decay import DECAYS
from deepwell.optimization._registry import OPTIMIZERS

from ._program import Outcome, Structure
from ._scores import score_function
from ._state import parameter_names

Arrays = dict[str, jax.Array]


@dataclass(frozen=True)
class Rows:
    """The data on a device, padded; a pytree.

    Attributes:
        x_train: (n_pad, D); y_train, weight_train: (n_pad,), weight 0 on padding.
        x_dev: (k_pad, D); y_dev, weight_dev: (k_pad,).
    """

    x_train: Any
    y_train: Any
    weight_train: Any
    x_dev: Any
    y_dev: Any
    weight_dev: Any


jax.tree_util.register_dataclass(
    Rows,
    data_fields=["x_train", "y_train", "weight_train", "x_dev", "y_dev", "weight_dev"],
    meta_fields=[],
)


@dataclass(frozen=True)
class Steps:
    """What one call does, traced: no value here shapes the program; a pytree.

    Attributes:
        order: (steps, B) int32 rows of each batch.
        count: how many of these steps to take.
        epoch: counted from 1.
        ends_epoch: whether the dev set is scored after them.
    """

    order: Any
    count: Any
    epoch: Any
    ends_epoch: Any


jax.tree_util.register_dataclass(
    Steps, data_fields=["order", "count", "epoch", "ends_epoch"], meta_fields=[]
)


def member_chunk(
    structure: Structure,
) -> Callable[[Arrays, Arrays, Rows, Steps], tuple[Arrays, Arrays]]:
    """Return `(numbers, state, rows, steps) -> (state, info)` for one member of `structure`."""
    layers = len(structure.hidden) + 1
    names = parameter_names(layers)
    train_step = _train_step(structure, names)
    score_epoch = _score_epoch(structure, names)

    def chunk(numbers: Arrays, state: Arrays, rows: Rows, steps: Steps):
        running = state["outcome"] == Outcome.RUNNING

        def more(carry):
            index, held = carry
            return (index < steps.count) & (held["outcome"] == Outcome.RUNNING)

        def body(carry):
            index, held = carry
            return index + 1, train_step(numbers, held, rows, steps, index)

        _, state = jax.lax.while_loop(more, body, (jnp.int32(0), state))
        scored = running & steps.ends_epoch & (state["outcome"] == Outcome.RUNNING)
        return jax.lax.cond(
            scored,
            lambda held: score_epoch(numbers, held, rows, steps.epoch),
            lambda held: (held, _unscored(held, structure.dtype)),
            state,
        )

    return chunk


def _train_step(structure: Structure, names: list[str]):
    loss = LOSSES[structure.loss]
    optimizer = OPTIMIZERS[structure.optimizer]
    weighted = network(structure)

    def cost(parameters: Arrays, numbers: Arrays, x, y, weight, key: Words):
        total = jnp.maximum(weight.sum(), jnp.finfo(structure.dtype).tiny)
        mean = (loss.rows(weighted(parameters, numbers, x, key), y, jnp) * weight).sum() / total
        return mean, total

    def step(numbers: Arrays, state: Arrays, rows: Rows, steps: Steps, index):
        batch = steps.order[index]  # (B,)
        x = rows.x_train.at[batch].get(mode="promise_in_bounds")
        y = rows.y_train.at[batch].get(mode="promise_in_bounds")
        weight = rows.weight_train.at[batch].get(mode="promise_in_bounds")
        count = state["step"] + 1
        parameters = {name: state[name] for name in names}
        key = fold(Words(numbers["key"][0], numbers["key"][1]), count)
        (mean, total), gradients = jax.value_and_grad(cost, has_aux=True)(
            parameters, numbers, x, y, weight, key
        )
        local = {**numbers, "learning_rate": decayed_rate(numbers, steps.epoch)}
        t = count.astype(structure.dtype)
        new = dict(state)
        for name in names:
            gradient = gradients[name]
            if name.startswith("weights/"):
                gradient = gradient + numbers["l2"] * parameters[name]
            slots = tuple(state[f"{slot}/{name}"] for slot in optimizer.slots)
            change, slots = optimizer.change(gradient, slots, local, t, jnp)
            new[name] = parameters[name] + change
            new.update({f"{s}/{name}": v for s, v in zip(optimizer.slots, slots, strict=True)})
        new["step"] = count
        new["cost_sum"] = state["cost_sum"] + mean * total
        new["weight_sum"] = state["weight_sum"] + total
        new["outcome"] = jnp.where(jnp.isfinite(mean), state["outcome"], Outcome.DIVERGED)
        return new

    return step


def network(structure: Structure):
    """Return `(parameters, numbers, x, key or None) -> outputs`; a key switches dropout on."""
    layers = len(structure.hidden) + 1
    activation = ACTIVATIONS[structure.activation]

    def apply(parameters: Arrays, numbers: Arrays, x: jax.Array, key: Words | None):
        def drop(layer: int, a: jax.Array) -> jax.Array:
            assert key is not None
            return inverted_dropout(a, key, layer, numbers["drop_below"], numbers["drop_scale"])

        return outputs(
            [parameters[f"weights/{layer}"] for layer in range(layers)],
            [parameters[f"biases/{layer}"] for layer in range(layers)],
            x,
            activation,
            numbers["slope"],
            [numbers[f"mask/{layer}"] for layer in range(layers - 1)],
            drop if structure.drops and key is not None else None,
        )

    return apply


def decayed_rate(numbers: Mapping[str, Any], epoch: Any) -> jax.Array:
    """Return the learning rate of an epoch: each member's own schedule, chosen by its code."""
    alpha, rate = numbers["learning_rate"], numbers["decay_rate"]
    t = epoch.astype(alpha.dtype)
    return jnp.stack([decay(alpha, rate, t) for decay in DECAYS.values()])[numbers["decay"]]


def _score_epoch(structure: Structure, names: list[str]):
    loss = LOSSES[structure.loss]
    score = score_function(structure.score, structure.loss)
    apply = network(structure)

    def score_epoch(numbers: Arrays, state: Arrays, rows: Rows, epoch):
        parameters = {name: state[name] for name in names}
        z = apply(parameters, numbers, rows.x_dev, None)
        weight = rows.weight_dev
        cost = (loss.rows(z, rows.y_dev, jnp) * weight).sum() / weight.sum()
        # A network too far gone to have a cost has no score either; NaN is never better.
        got = jnp.where(jnp.isfinite(cost), score(z, rows.y_dev, weight), jnp.nan)
        best = (got < state["best_score"]) | (
            (got == state["best_score"]) & jnp.isfinite(got) & (cost < state["best_cost"])
        )
        new = dict(state)
        for name in names:
            new[f"best/{name}"] = jnp.where(best, parameters[name], state[f"best/{name}"])
        new["best_score"] = jnp.where(best, got, state["best_score"])
        new["best_cost"] = jnp.where(best, cost, state["best_cost"])
        new["best_epoch"] = jnp.where(best, epoch, state["best_epoch"])
        new["stale"] = jnp.where(best, 0, state["stale"] + 1)
        tired = (numbers["patience"] > 0) & (new["stale"] >= numbers["patience"])
        outcome = jnp.where(tired, Outcome.EARLY_STOPPED, state["outcome"])
        new["outcome"] = jnp.where(jnp.isfinite(cost), outcome, Outcome.DIVERGED)
        new["epoch"] = epoch
        info = {
            "train_cost": state["cost_sum"] / state["weight_sum"],
            "dev_cost": cost,
            "dev_score": got,
        }
        new["cost_sum"] = jnp.zeros_like(state["cost_sum"])
        new["weight_sum"] = jnp.zeros_like(state["weight_sum"])
        return new, info

    return score_epoch


def _unscored(state: Arrays, dtype: str) -> Arrays:
    nothing = jnp.full((), jnp.nan, dtype)
    return {"train_cost": nothing, "dev_cost": nothing, "dev_score": nothing}
