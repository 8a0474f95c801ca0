"""From gradients to new parameters in JAX: the second half of an update step.

    g = dJ/dw + l2 w + l1 sgn(w)            penalties, weights only
    g = clipped by value, then by norm
    g = g + noise
    w = (1 - alpha weight_decay) w + change(g)
    w = within its largest norm             weights only

What no member of a structure uses is left out of its program.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from deepwell._jax._generator import Words, fold, words
from deepwell.optimization._clipping import clipped_by_value, norm_scale
from deepwell.optimization._decay import DECAYS, Time
from deepwell.optimization._foreign import is_foreign
from deepwell.optimization._gradient_noise import noise_deviation, normal_of
from deepwell.optimization._learning_rate import warmed
from deepwell.optimization._max_norm import within_norm
from deepwell.optimization._penalties import l1_slope
from deepwell.optimization._registry import OPTIMIZERS
from deepwell.optimization._weight_decay import kept_share

from ._jax_foreign import foreign_change
from ._program import Structure

_OF_FRONT = ("kernels", "offsets", "channel_scales", "channel_shifts")
Arrays = dict[str, jax.Array]
Numbers = Mapping[str, Any]


def rate_of_step(numbers: Numbers, time: Time) -> jax.Array:
    """Return the learning rate of a step: each member's own schedule, chosen by its code."""
    factors = [decay(numbers, time, jnp) for decay in DECAYS.values()]
    factor = jnp.stack(factors)[numbers["decay"]] * warmed(numbers, time, jnp)
    return numbers["learning_rate"] * factor


def updated(
    structure: Structure,
    numbers: Numbers,
    held: dict[str, Arrays],
    slopes: Arrays,
    step: jax.Array,
    time: Time,
) -> dict[str, Arrays]:
    """Return parameters and slots after a step.

    Args:
        structure: what is in the program.
        numbers: of the member.
        held: parameters and slots.
        slopes: the gradient of the mean loss, by the names of the parameters.
        step: int32, counted from 1; draws depend on it, and a float32 would miss some.
        time: of the step, in the members' type.
    """
    parameters = held["parameters"]
    local = {**numbers, "learning_rate": rate_of_step(numbers, time)}
    kept = kept_share(local["learning_rate"], numbers["weight_decay"])
    gradients = _whole_gradients(structure, numbers, parameters, slopes)
    if "gradient_noise" in structure.extras:
        gradients = _noisy(structure, gradients, numbers, step, time)
    changes, remembered = _changes(structure.optimizer, local, held, gradients, time)
    new: dict[str, Arrays] = {name: {} for name in held}
    new["parameters"] = {
        name: _moved(structure, numbers, name, parameters[name], change, kept)
        for name, change in changes.items()
    }
    return new | remembered


def _changes(
    optimizer: str, numbers: Numbers, held: dict[str, Arrays], gradients: Arrays, time: Time
) -> tuple[Arrays, dict[str, Arrays]]:
    """Return what the rule adds to each parameter, and what it remembers after the step."""
    if is_foreign(optimizer):
        changes, after = foreign_change(
            optimizer, numbers, held["foreign"], gradients, held["parameters"]
        )
        return changes, {"foreign": after}
    rule, changes = OPTIMIZERS[optimizer], {}
    new: dict[str, Arrays] = {"foreign": {}, **{slot: {} for slot in rule.slots}}
    for name, gradient in gradients.items():
        slots = tuple(held[slot][name] for slot in rule.slots)
        changes[name], slots = rule.change(gradient, slots, numbers, time.step, jnp)
        for slot, values in zip(rule.slots, slots, strict=True):
            new[slot][name] = values
    return changes, new


def _is_weight(name: str) -> bool:
    return name.startswith(("weights/", "kernels/"))


def _moved(structure: Structure, numbers: Numbers, name: str, w, change, kept) -> jax.Array:
    """Return an array after its change; biases neither decay nor have a largest norm."""
    if not _is_weight(name):
        return w + change
    w = kept * w + change
    return within_norm(w, numbers["max_norm"], jnp) if "max_norm" in structure.extras else w


def _whole_gradients(
    structure: Structure, numbers: Numbers, parameters: Arrays, slopes: Arrays
) -> Arrays:
    """Return the cost's gradients, penalties included, clipped."""
    gradients, extras = dict(slopes), structure.extras
    for name, gradient in gradients.items():
        if _is_weight(name):
            gradient = gradient + numbers["l2"] * parameters[name]
            if "l1" in extras:
                gradient = gradient + l1_slope(parameters[name], numbers["l1"], jnp)
        if "clip_value" in extras:
            gradient = clipped_by_value(gradient, numbers["clip_value"], jnp)
        gradients[name] = gradient
    if "clip_norm" in extras:
        scale = norm_scale(gradients.values(), numbers["clip_norm"], jnp)
        gradients = {name: gradient * scale for name, gradient in gradients.items()}
    return gradients


def _true_places(structure: Structure, numbers: Numbers, name: str, array: jax.Array) -> jax.Array:
    """Return which places of a padded array belong to the member: noise elsewhere would train."""
    kind, layer = name.split("/")[0], int(name.split("/")[1])
    if kind in _OF_FRONT:
        return jnp.ones(array.shape, bool)  # channels are never padded
    widths = numbers["widths"]
    hidden = layer < len(structure.hidden)
    after = structure.batch_norm == "after" and kind in ("scales", "shifts")
    pieces = structure.pieces if hidden and not after else 1  # of a unit, side by side
    outputs = jnp.arange(array.shape[-1]) < widths[layer + 1] * pieces
    if not _is_weight(name):
        return outputs
    return (jnp.arange(array.shape[0]) < widths[layer])[:, None] & outputs


def _array_number(name: str) -> int:
    """Return the word that stands for a parameter array in the key of its noise."""
    kind, layer = name.split("/")
    first = {"weights": 0, "biases": 1, "scales": 2**16, "shifts": 2**16 + 1}
    first |= {kind: 2**17 + i for i, kind in enumerate(_OF_FRONT)}
    if kind in _OF_FRONT:
        return first[kind] + 4 * int(layer)
    return first[kind] + 2 * int(layer)


def _noisy(
    structure: Structure, gradients: Arrays, numbers: Numbers, step: jax.Array, time: Time
) -> Arrays:
    """Return gradients with noise; a member without any draws none."""
    key = fold(Words(numbers["noise_first"], numbers["noise_second"]), step)
    deviation = noise_deviation(numbers["gradient_noise"], time.step, jnp)

    def draw() -> Arrays:
        noise = {}
        for name, gradient in gradients.items():
            array = fold(key, _array_number(name))
            shape = gradient.shape if gradient.ndim >= 2 else (1, *gradient.shape)
            normal = normal_of(words(array, shape), gradient.dtype, jnp).reshape(gradient.shape)
            noise[name] = jnp.where(
                _true_places(structure, numbers, name, gradient), deviation * normal, 0
            )
        return noise

    def nothing() -> Arrays:
        return {name: jnp.zeros_like(gradient) for name, gradient in gradients.items()}

    noise = jax.lax.cond(numbers["gradient_noise"] > 0, draw, nothing)
    return {name: gradient + noise[name] for name, gradient in gradients.items()}
