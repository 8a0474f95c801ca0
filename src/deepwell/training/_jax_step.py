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
from deepwell.networks._batch_norm import averaged
from deepwell.networks._dropout import dropped, kept_units
from deepwell.networks._dropout_rate import INPUT_LAYER
from deepwell.networks._losses import LOSSES
from deepwell.networks._mlp import Pass, needs_masks, outputs
from deepwell.optimization._decay import Time

from ._jax_augment import augmented, mixed_loss
from ._jax_blocks import block_rows, in_blocks
from ._jax_layout import (
    BITS,
    REAL_SETTINGS,
    WHOLE_SETTINGS,
    drop_layers,
    foreign_of,
    joined,
    unpacked,
    vectors_of,
)
from ._jax_update import updated
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
        All have a leading axis where there are data views with rows of their own.
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
        filled: (steps,) places of each batch up to the last one that holds a row, at least 1;
            (V, steps) for V data views.
        count: how many of these steps to take.
        epoch: counted from 1.
        per_epoch: steps of an epoch.
        ends_epoch: whether the dev set is scored after them.
    """

    order: Any
    filled: Any
    count: Any
    epoch: Any
    per_epoch: Any
    ends_epoch: Any


jax.tree_util.register_dataclass(
    Steps,
    data_fields=["order", "filled", "count", "epoch", "per_epoch", "ends_epoch"],
    meta_fields=[],
)


@dataclass(frozen=True)
class Batches:
    """The train rows of one call in the order of its steps; a pytree.

    Members share them: gathered once, each step then reads one contiguous piece.

    Attributes:
        x: (steps, B, D); y, weight: (steps, B).
        total: (steps,) sum of the weights of each batch.
        filled: (steps,) places of each batch up to the last one that holds a row, at least 1.
    """

    x: Any
    y: Any
    weight: Any
    total: Any
    filled: Any


jax.tree_util.register_dataclass(
    Batches, data_fields=["x", "y", "weight", "total", "filled"], meta_fields=[]
)


def gather(rows: Rows, steps: Steps) -> Batches:
    """Return the rows of all steps of a call; of several data views, with a leading axis."""

    def of_view(x, y, weight, order, filled) -> Batches:
        x, y, weight = (h.at[order].get(mode="promise_in_bounds") for h in (x, y, weight))
        total = jnp.maximum(weight.sum(axis=1), jnp.finfo(weight.dtype).tiny)
        return Batches(x, y, weight, total, filled)

    if steps.order.ndim == 2:
        take = of_view
    elif rows.y_train.ndim == 2:
        take = jax.vmap(of_view)
    else:  # parts of the same rows
        take = jax.vmap(of_view, in_axes=(None, None, None, 0, 0))
    return take(rows.x_train, rows.y_train, rows.weight_train, steps.order, steps.filled)


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
        numbers, scalars = _named_settings(settings), _named_scalars(state)
        running = scalars["outcome"] == Outcome.RUNNING
        view = (numbers["view"],) if structure.views > 1 else ()
        held = {name: unpacked(structure, name, state[name]) for name in moving}
        held["foreign"] = {name: state[name] for name in foreign_of(structure)}

        def more(carry):
            index, _, scalars = carry
            return (index < steps.count) & (scalars["outcome"] == Outcome.RUNNING)

        def body(carry):
            index, held, scalars = carry
            batch = jax.tree.map(lambda held: held[(*view, index)], batches)
            return index + 1, *train_step(numbers, held, scalars, batch, steps)

        _, held, scalars = jax.lax.while_loop(more, body, (jnp.int32(0), held, scalars))
        vectors = {name: joined(structure, name, held[name]) for name in moving}
        scored = running & steps.ends_epoch & (scalars["outcome"] == Outcome.RUNNING)
        nothing = jnp.full(3, jnp.nan, structure.dtype)
        kept = [vectors[name] for name in ("parameters", "statistics") if name in vectors]
        best, scalars, costs = jax.lax.cond(
            scored,
            lambda best: score_epoch(numbers, held, kept, best, scalars, rows, steps.epoch),
            lambda best: (best, scalars, nothing),
            state["best"],
        )
        return vectors | held["foreign"] | {"best": best} | _joined_scalars(scalars), costs

    return chunk


def _named_settings(settings: Arrays) -> Arrays:
    named = {name: settings["real"][i] for i, name in enumerate(REAL_SETTINGS)}
    named |= {name: settings["whole"][i] for i, name in enumerate(WHOLE_SETTINGS)}
    named |= {name: settings["bits"][i] for i, name in enumerate(BITS)}
    own = ("drop_below", "drop_scales", "mask", "widths", "shares")
    return named | {name: settings[name] for name in own if name in settings}


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
    apply = network(structure)

    def step(numbers: Arrays, held: dict[str, Arrays], scalars: Arrays, batch: Batches, steps):
        count = scalars["step"] + 1
        parameters = held["parameters"]
        kept = _kept(structure, numbers, count, len(batch.y))
        share = batch.weight / batch.total  # (B,)
        x, mixture = augmented(structure, numbers, batch, count)

        def forward(arrays: Arrays):
            return apply(arrays, numbers, x, Training(share, kept))

        z, pull, moments = jax.vjp(forward, parameters, has_aux=True)
        smoothing = numbers["label_smoothing"] if structure.smooths else 0.0
        losses, slope = mixed_loss(loss, batch.y, mixture, smoothing)(z)
        mean = (losses * batch.weight).sum() / batch.total
        (slopes,) = pull(slope * share[:, None])
        when = (real.astype(structure.dtype) for real in (steps.epoch, count, steps.per_epoch))
        new = updated(structure, numbers, held, slopes, count, Time(*when))
        for name, moment in moments.items():
            old, momentum = held["statistics"][name], numbers["batch_norm_momentum"]
            after = averaged(old, moment, momentum, count.astype(structure.dtype))
            new["statistics"][name] = jnp.where(share.sum() > 0, after, old)
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
    layers = drop_layers(structure)
    if not layers:
        return None
    key = fold(Words(numbers["key_first"], numbers["key_second"]), count)

    def mask(place: int, layer: int) -> jax.Array:
        shape = batch, structure.inputs if layer < 0 else structure.hidden[layer]
        threshold = numbers["drop_below"][place]
        return jax.lax.cond(
            threshold > 0,
            lambda: kept_units(key, INPUT_LAYER if layer < 0 else layer, shape, threshold),
            lambda: jnp.ones(shape, bool),
        )

    return [mask(place, layer) for place, layer in enumerate(layers)]


@dataclass(frozen=True)
class Training:
    """What a train batch meets in the network: its rows' shares (B,) and dropout masks."""

    share: jax.Array
    kept: list[jax.Array] | None


def network(structure: Structure):
    """Return `(arrays, numbers, x, train, statistics) -> (outputs, moments)`.

    With `train` the batch's moments normalize and its masks drop; else the statistics normalize
    and classic dropout scales.
    """
    wide = structure.network
    place_of = {layer: place for place, layer in enumerate(drop_layers(structure))}
    ends = list(itertools.accumulate(structure.hidden))

    def apply(
        arrays: Arrays,
        numbers: Arrays,
        x: jax.Array,
        train: Training | None,
        statistics: Arrays | None = None,
    ):
        def drop(layer: int, a: jax.Array) -> jax.Array:
            if layer not in place_of:
                return a
            place = place_of[layer]
            scales = numbers["drop_scales"][place]
            if train is None or train.kept is None:
                return a * scales[1]
            return dropped(a, train.kept[place], scales[0])

        masks = []
        if needs_masks(wide):
            pairs = zip(ends, structure.hidden, strict=True)
            masks = [numbers["mask"][end - units : end] for end, units in pairs]
        share = train.share if train and structure.batch_norm != "none" else None
        through = Pass(numbers["slope"], numbers["norm_epsilon"], masks, drop, share, statistics)
        return outputs(wide, arrays, x, through)

    return apply


def _score_epoch(structure: Structure):
    loss = LOSSES[structure.loss]
    score = score_function(structure.score, structure.loss)
    apply = network(structure)

    def score_epoch(numbers, arrays, vectors, best, held: Arrays, rows: Rows, epoch):
        view = (numbers["view"],) if rows.y_dev.ndim == 2 else (...,)
        y, weight = rows.y_dev[view], rows.weight_dev[view]
        statistics = arrays.get("statistics")

        def outputs_of(x: jax.Array) -> jax.Array:
            return apply(arrays["parameters"], numbers, x, None, statistics)[0]

        z = in_blocks(outputs_of, rows.x_dev[view], block_rows(structure.network))
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
        return jnp.where(better, jnp.concatenate(vectors), best), new, costs

    return score_epoch
