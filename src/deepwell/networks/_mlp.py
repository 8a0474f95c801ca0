"""The dense network in JAX: the forward pass of one member inside a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from ._activations import ACTIVATIONS
from ._architecture import Architecture
from ._batch_norm import batch_moments, normalized
from ._convolutions import Stage, convolved
from ._convolve import convolution

Arrays = Mapping[str, jax.Array]
Dropper = Callable[[int, jax.Array], jax.Array]
INPUT = -1  # the layer number of the rows themselves


@dataclass(frozen=True)
class Pass:
    """What rows meet on their way besides the parameters.

    Attributes:
        slope: hyperparameter of the activation.
        epsilon: of batch normalization.
        masks: one (H,) array of zeros and ones a hidden layer, one where the unit exists; empty
            where padded units stay 0 by themselves (see `needs_masks`).
        drop: `(layer, a) -> a`, on the rows (layer -1) and after each hidden layer's activation.
        share: (B,) of each row in the batch's weight, whose moments then normalize; None takes
            `statistics`.
        statistics: `means/l`, `variances/l`.
    """

    slope: jax.Array
    epsilon: jax.Array
    masks: Sequence[jax.Array] = ()
    drop: Dropper | None = None
    share: jax.Array | None = None
    statistics: Arrays | None = None


def needs_masks(network: Architecture) -> bool:
    """Whether padded units must be set to 0: g(0) is not, or a skip connection reaches them."""
    return not ACTIVATIONS[network.activation].zero_at_zero or network.residual > 0


def outputs(
    network: Architecture, parameters: Arrays, x: jax.Array, through: Pass
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Return the raw outputs (B, O), and the batch's moments by name where they normalize.

    Args:
        network: its shape, padded to the program's widths.
        parameters: by the names of `Architecture.parameter_shapes`.
        x: (B, D).
        through: numbers, masks, dropout and moments.
    """
    moments: dict[str, jax.Array] = {}
    activation = ACTIVATIONS[network.activation]
    drop = through.drop or _nothing_dropped

    def norm(layer: int, z: jax.Array) -> jax.Array:
        if through.share is None:
            held = through.statistics or {}
            pair = held[f"means/{layer}"], held[f"variances/{layer}"]
        else:
            pair = batch_moments(z, through.share)
            moments[f"means/{layer}"], moments[f"variances/{layer}"] = pair
        scale, shift = parameters[f"scales/{layer}"], parameters[f"shifts/{layer}"]
        return normalized(z, pair, scale, shift, through.epsilon, jnp)

    before: list[jax.Array] = []  # outputs of the hidden layers
    a = drop(INPUT, x)
    if network.front is not None:
        a = convolved(network.front, parameters, a, _stage(network, parameters, through, moments))
    for layer, units in enumerate(network.hidden):
        z = a @ parameters[f"weights/{layer}"]  # (B, H k)
        if network.has_bias(layer):
            z = z + parameters[f"biases/{layer}"]
        if network.batch_norm == "before":
            z = norm(layer, z)
        if activation.takes_pieces:
            z = z.reshape(len(z), units, network.pieces)
        a = activation.apply(z, through.slope, jnp)  # (B, H)
        if through.masks:
            a = a * through.masks[layer]
        if network.batch_norm == "after":
            a = norm(layer, a)
        a = drop(layer, a)
        source = network.skip_source(layer)
        if source is not None:
            a = a + resized(before[source], units)
            a = a * through.masks[layer] if through.masks else a
        before.append(a)
    last = network.layers - 1
    return a @ parameters[f"weights/{last}"] + parameters[f"biases/{last}"], moments  # (B, O)


def _stage(
    network: Architecture, parameters: Arrays, through: Pass, moments: dict[str, jax.Array]
) -> Stage:
    """Return what convolutional layers do; leaves the batch's moments by channel in `moments`."""
    activation = ACTIVATIONS[network.activation]

    def norm(layer: int, z: jax.Array) -> jax.Array:
        if network.batch_norm == "none":
            return z
        flat = z.reshape(-1, z.shape[-1])  # every place of every row's image
        if through.share is None:
            held = through.statistics or {}
            pair = held[f"channel_means/{layer}"], held[f"channel_variances/{layer}"]
        else:
            places = z.shape[1] * z.shape[2]
            pair = batch_moments(flat, jnp.repeat(through.share / places, places))
            moments[f"channel_means/{layer}"], moments[f"channel_variances/{layer}"] = pair
        scale, shift = parameters[f"channel_scales/{layer}"], parameters[f"channel_shifts/{layer}"]
        return normalized(flat, pair, scale, shift, through.epsilon, jnp).reshape(z.shape)

    return Stage(
        convolution(),
        norm,
        lambda z: activation.apply(z, through.slope, jnp),
        norm_last=network.batch_norm == "after",
        biased=network.batch_norm != "before",
        rising=activation.rising,
    )


def resized(a: jax.Array, units: int) -> jax.Array:
    """Return activations (B, H) cut to so many units, or padded with zeros."""
    a = a[:, :units]
    return jnp.pad(a, ((0, 0), (0, units - a.shape[1])))


def _nothing_dropped(layer: int, a: jax.Array) -> jax.Array:
    del layer
    return a
