"""What was measured inside one network at one moment of its training, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class Probe:
    """The inside of one network after so many steps; L layers, first to last.

    Attributes:
        trial: its number.
        epoch, step: how far it was trained.
        layers: their names, as in `convolution 1`, `hidden 1`, `output`.
        activations: (L, 7) float32, `QUANTILES` of what each layer hands on; of the output layer,
            the raw outputs.
        gradients, weights: (L, 7) float32, `QUANTILES` over weights and biases together.
        dead: (L,) float32, share of units with one and the same value on all dev rows.
        saturated: (L,) share of units in a flat part of their activation for 95 % of the dev rows
            or more; NaN where the activation has no flat part.
        zero: (L,) share of activations that are exactly 0; NaN for the output layer.
        weight_norm, gradient_norm, update_norm: (L,) Euclidean norms over weights and biases: of
            themselves, of the gradient of one batch, and of the step that the optimizer makes.
    """

    trial: int
    epoch: int
    step: int
    layers: tuple[str, ...]
    activations: np.ndarray
    gradients: np.ndarray
    weights: np.ndarray
    dead: np.ndarray
    saturated: np.ndarray
    zero: np.ndarray
    weight_norm: np.ndarray
    gradient_norm: np.ndarray
    update_norm: np.ndarray
