"""The dense network in JAX: the forward pass of one member inside a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from ._activations import Activation

Dropper = Callable[[int, jax.Array], jax.Array]


def outputs(
    weights: Sequence[jax.Array],
    biases: Sequence[jax.Array],
    x: jax.Array,
    activation: Activation,
    slope: jax.Array,
    masks: Sequence[jax.Array],
    drop: Dropper | None = None,
) -> jax.Array:
    """Return the raw outputs (B, O).

    Args:
        weights: one (n_in, n_out) array a layer, padded to the program's widths.
        biases: one (n_out,) array a layer.
        x: (B, D).
        activation: of the hidden layers.
        slope: its hyperparameter.
        masks: one (H,) array of zeros and ones a hidden layer, one where the unit exists; only
            read where g(0) is not 0, since else padded units stay 0 by themselves.
        drop: `(layer, a) -> a` applied after each hidden activation in training.
    """
    a = x
    for layer in range(len(weights) - 1):
        z = a @ weights[layer] + biases[layer]  # (B, H)
        a = activation.apply(z, slope, jnp)
        if not activation.zero_at_zero:
            a = a * masks[layer]
        if drop is not None:
            a = drop(layer, a)
    return a @ weights[-1] + biases[-1]  # (B, O)
