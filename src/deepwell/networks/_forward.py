"""The forward pass in NumPy: what a saved model predicts with, and the oracle of the programs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ._activations import ACTIVATIONS
from ._architecture import Architecture
from ._losses import LOSSES

_ROWS_AT_ONCE = 8_192  # keeps the activations of a wide network small


def forward(
    architecture: Architecture, parameters: Mapping[str, np.ndarray], x: np.ndarray
) -> np.ndarray:
    """Return the raw outputs (B, outputs) for rows x (B, inputs), dropout off.

    Args:
        architecture: the network.
        parameters: `weights/l` and `biases/l` of each layer l.
        x: encoded rows.
    """
    activate = ACTIVATIONS[architecture.activation].apply
    a = x.astype(parameters["weights/0"].dtype, copy=False)
    for layer in range(architecture.layers):
        last = layer == architecture.layers - 1
        # A diverged network overflows; its non-finite outputs are the caller's to judge.
        with np.errstate(over="ignore", invalid="ignore"):
            z = a @ parameters[f"weights/{layer}"] + parameters[f"biases/{layer}"]
            a = z if last else activate(z, a.dtype.type(architecture.slope), np)
    return a


def predictions(
    architecture: Architecture, parameters: Mapping[str, np.ndarray], x: np.ndarray
) -> np.ndarray:
    """Return class probabilities (B, C) in float64, or standardized values (B,).

    Rows go through in pieces, so that memory stays bounded.
    """
    predict = LOSSES[architecture.loss].predict
    pieces = []
    for i in range(0, max(len(x), 1), _ROWS_AT_ONCE):
        raw = forward(architecture, parameters, x[i : i + _ROWS_AT_ONCE]).astype(np.float64)
        with np.errstate(invalid="ignore"):  # infinite outputs become NaN, for the caller to judge
            pieces.append(predict(raw, np))
    return np.concatenate(pieces)
