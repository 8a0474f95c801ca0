"""One member in JAX: an update step, the steps of a chunk, the end of an epoch.

Pure functions of one member's padded arrays; `_jax_program.py` maps them over lanes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from deepwell._jax._generator import Words, fold
from deepwell.networks._activations import ACTIVATIONS
from deepwell.networks._dropout import inverted_dropout, kept_units
from deepwell.networks._losses import LOSSES
from deepwell.networks._mlp import outputs
from deepwell.optimization._decay import DECAYS
from deepwell.optimization._registry import OPTIMIZERS

from ._jax_blocks import in_blocks
from ._jax_layout import (
    BITS,
    REAL_SETTINGS,
    WHOLE_SETTINGS,
    joined,
    masks_units,
    unpacked,
    vectors_of,
)
from ._program import Outcome, Structure
from ._scores import score_function
from ._state import REAL_NUMBERS, WHOLE_NUMBERS

Arrays = dict[str, jax.Array]


@dataclass(frozen=True)
class Rows:
    """The data on a device, padded; a pytree.

    Attributes:
        x_train: (n_pad, D); y_train, weight_train: (n_pad,), weight 0 on padding.
        x_dev: (k_pad, D); y_dev, weight_dev: (k_pad,).
        All have a leading axis where there are several data views.
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
        order: (steps, B) int32 rows of each batch; (V, steps, B) for V data views.
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


@dataclass(frozen=True)
class Batches:
    """The train rows of one call in the order of its steps; a pytree.

    Members share them: gathered once, each step then reads one contiguous piece.

    Attributes:
        x: (steps, B, D); y, weight: (steps, B).
        total: (steps,) sum of the weights of each batch.
    """

    x: Any
    y: Any
    weight: Any
    total: Any


jax.tree_util.register_dataclass(Batches, data_fields=["x", "y", "weight", "total"], meta_fields=[])


def gather(rows: Rows, steps: Steps) -> Batches:
    """Return the rows of all steps of a call; of several data views, with a leading axis."""

    def of_view(x, y, weight, order) -> Batches:
        x, y, weight = (h.at[order].get(mode="promise_in_bounds") for h in (x, y, weight))
        total = jnp.maximum(weight.sum(axis=1), jnp.finfo(weight.dtype).tiny)
        return Batches(x, y, weight, total)

    several = steps.order.ndim == 3
    take = jax.vmap(of_view) if several else of_view
    return take(rows.x_train, rows.y_train, rows.weight_train, steps.order)


def member_chunk(
    structure: Structure,
) -> Callable[[Arrays, Arrays, Rows, Batches, Steps], tuple[Arrays, jax.Array]]:
    """Return `(settings, state, rows, batches, steps) -> (state, costs)` for one member.

    States and settings are laid out as in `_jax_layout.py`; costs are train cost, dev cost and
    dev score, NaN where there is none. The steps work on separate arrays: a vector would be cut
    and joined in each of them.
    """
    train_step, score_epoch = _train_step(structure), _score_epoch(structure)
    moving = [name for name in vectors_of(structure) if name != "best"]

    def chunk(settings: Arrays, state: Arrays, rows: Rows, batches: Batches, steps: Steps):
        numbers, scalars = _named_settings(structure, settings), _named_scalars(state)
        running = scalars["outcome"] == Outcome.RUNNING
        view = (numbers["view"],) if structure.views > 1 else ()
        held = {name: unpacked(structure, state[name]) for name in moving}

        def more(carry):
            index, _, scalars = carry
            return (index < steps.count) & (scalars["outcome"] == Outcome.RUNNING)

        def body(carry):
            index, held, scalars = carry
            batch = jax.tree.map(lambda held: held[(*view, index)], batches)
            return index + 1, *train_step(numbers, held, scalars, batch, steps.epoch)

        _, held, scalars = jax.lax.while_loop(more, body, (jnp.int32(0), held, scalars))
        vectors = {name: joined(structure, held[name]) for name in moving}
        scored = running & steps.ends_epoch & (scalars["outcome"] == Outcome.RUNNING)
        nothing = jnp.full(3, jnp.nan, structure.dtype)
        best, scalars, costs = jax.lax.cond(
            scored,
            lambda best: score_epoch(
                numbers, held["parameters"], vectors["parameters"], best, scalars, rows, steps.epoch
            ),
            lambda best: (best, scalars, nothing),
            state["best"],
        )
        return vectors | {"best": best} | _joined_scalars(scalars), costs

    return chunk


def _named_settings(structure: Structure, settings: Arrays) -> Arrays:
    named = {name: settings["real"][i] for i, name in enumerate(REAL_SETTINGS)}
    named |= {name: settings["whole"][i] for i, name in enumerate(WHOLE_SETTINGS)}
    named |= {name: settings["bits"][i] for i, name in enumerate(BITS)}
    return named | ({"mask": settings["mask"]} if masks_units(structure) else {})


def _named_scalars(state: Arrays) -> Arrays:
    named = {name: state["whole"][i] for i, name in enumerate(WHOLE_NUMBERS)}
    return named | {name: state["real"][i] for i, name in enumerate(REAL_NUMBERS)}


def _joined_scalars(scalars: Arrays) -> Arrays:
    return {
        "whole": jnp.stack([scalars[name] for name in WHOLE_NUMBERS]),
        "real": jnp.stack([scalars[name] for name in REAL_NUMBERS]),
    }


def _train_step(structure: Structure):
    loss = LOSSES[structure.loss]
    optimizer = OPTIMIZERS[structure.optimizer]
    apply = network(structure)

    def step(numbers: Arrays, held: dict[str, Arrays], scalars: Arrays, batch: Batches, epoch):
        count = scalars["step"] + 1
        parameters = held["parameters"]
        kept = _kept(structure, numbers, count, len(batch.y))
        z, pull = jax.vjp(lambda arrays: apply(arrays, numbers, batch.x, kept), parameters)
        mean = (loss.rows(z, batch.y, jnp) * batch.weight).sum() / batch.total
        share = batch.weight / batch.total  # (B,)
        (slopes,) = pull(loss.slope(z, batch.y, jnp) * share[:, None])
        local = {**numbers, "learning_rate": decayed_rate(numbers, epoch)}
        t = count.astype(structure.dtype)
        new: dict[str, Arrays] = {name: {} for name in held}
        for name, gradient in slopes.items():
            if name.startswith("weights/"):
                gradient = gradient + numbers["l2"] * parameters[name]
            slots = tuple(held[slot][name] for slot in optimizer.slots)
            change, slots = optimizer.change(gradient, slots, local, t, jnp)
            new["parameters"][name] = parameters[name] + change
            for slot, values in zip(optimizer.slots, slots, strict=True):
                new[slot][name] = values
        return new, scalars | {
            "step": count,
            "cost_sum": scalars["cost_sum"] + mean * batch.total,
            "weight_sum": scalars["weight_sum"] + batch.total,
            "outcome": jnp.where(jnp.isfinite(mean), scalars["outcome"], Outcome.DIVERGED),
        }

    return step


def _kept(structure: Structure, numbers: Arrays, count, batch: int) -> list[jax.Array] | None:
    """Return the dropout masks of a step, None where no member drops.

    XLA fuses a mask into each of its readers, forward and backward, and so would draw it twice;
    it does not fuse a conditional. A member without dropout draws nothing.
    """
    if not structure.drops:
        return None
    key = fold(Words(numbers["key_first"], numbers["key_second"]), count)
    threshold = numbers["drop_below"]

    def mask(layer: int, shape: tuple[int, int]) -> jax.Array:
        return jax.lax.cond(
            threshold > 0,
            lambda: kept_units(key, layer, shape, threshold),
            lambda: jnp.ones(shape, bool),
        )

    return [mask(layer, (batch, units)) for layer, units in enumerate(structure.hidden)]


def network(structure: Structure):
    """Return `(arrays, numbers, x, kept or None) -> outputs`; masks switch dropout on."""
    layers = len(structure.hidden) + 1
    activation = ACTIVATIONS[structure.activation]
    ends = list(itertools.accumulate(structure.hidden))

    def apply(arrays: Arrays, numbers: Arrays, x: jax.Array, kept: list[jax.Array] | None):
        def drop(layer: int, a: jax.Array) -> jax.Array:
            assert kept is not None
            return inverted_dropout(a, kept[layer], numbers["drop_scale"])

        masks = []
        if masks_units(structure):
            pairs = zip(ends, structure.hidden, strict=True)
            masks = [numbers["mask"][end - units : end] for end, units in pairs]
        return outputs(
            [arrays[f"weights/{layer}"] for layer in range(layers)],
            [arrays[f"biases/{layer}"] for layer in range(layers)],
            x,
            activation,
            numbers["slope"],
            masks,
            drop if kept else None,
        )

    return apply


def decayed_rate(numbers: Arrays, epoch: Any) -> jax.Array:
    """Return the learning rate of an epoch: each member's own schedule, chosen by its code."""
    alpha, rate = numbers["learning_rate"], numbers["decay_rate"]
    t = epoch.astype(alpha.dtype)
    return jnp.stack([decay(alpha, rate, t) for decay in DECAYS.values()])[numbers["decay"]]


def _score_epoch(structure: Structure):
    loss = LOSSES[structure.loss]
    score = score_function(structure.score, structure.loss)
    apply = network(structure)

    def score_epoch(numbers, arrays: Arrays, vector, best, held: Arrays, rows: Rows, epoch):
        view = (numbers["view"],) if structure.views > 1 else (...,)
        y, weight = rows.y_dev[view], rows.weight_dev[view]
        z = in_blocks(lambda x: apply(arrays, numbers, x, None), rows.x_dev[view])
        cost = (loss.rows(z, y, jnp) * weight).sum() / weight.sum()
        # A network too far gone to have a cost has no score either; NaN is never better.
        got = jnp.where(jnp.isfinite(cost), score(z, y, weight), jnp.nan)
        better = (got < held["best_score"]) | (
            (got == held["best_score"]) & jnp.isfinite(got) & (cost < held["best_cost"])
        )
        stale = jnp.where(better, 0, held["stale"] + 1)
        tired = (numbers["patience"] > 0) & (stale >= numbers["patience"])
        outcome = jnp.where(tired, Outcome.EARLY_STOPPED, held["outcome"])
        new = held | {
            "best_score": jnp.where(better, got, held["best_score"]),
            "best_cost": jnp.where(better, cost, held["best_cost"]),
            "best_epoch": jnp.where(better, epoch, held["best_epoch"]),
            "stale": stale,
            "outcome": jnp.where(jnp.isfinite(cost), outcome, Outcome.DIVERGED),
            "epoch": epoch,
            "cost_sum": jnp.zeros_like(held["cost_sum"]),
            "weight_sum": jnp.zeros_like(held["weight_sum"]),
        }
        costs = jnp.stack([held["cost_sum"] / held["weight_sum"], cost, got])
        return jnp.where(better, vector, best), new, costs

    return score_epoch
