"""The forward pass in NumPy: what a saved model predicts with, and the oracle of the programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ._activations import ACTIVATIONS
from ._architecture import Architecture
from ._batch_norm import normalized
from ._convolutions import Stage, convolved, sum_of_products
from ._dropout_rate import drop_of
from ._losses import LOSSES

_NUMBERS_AT_ONCE = 4_000_000  # of a convolutional layer
ROWS_AT_ONCE = 8_192  # keeps the activations of a wide network small
INPUT = -1  # the layer number of the rows themselves

Arrays = Mapping[str, np.ndarray]
Dropper = Callable[[int, np.ndarray], np.ndarray]


def forward(
    architecture: Architecture, parameters: Arrays, x: np.ndarray, drop: Dropper | None = None
) -> np.ndarray:
    """Return the raw outputs (B, outputs) for rows x (B, inputs).

    Args:
        architecture: the network.
        parameters: by the names of `parameter_shapes` and `statistic_shapes`.
        x: encoded rows.
        drop: `(layer, a) -> a`, on the rows (layer -1) and after each hidden layer's activation;
            None multiplies by what prediction asks for (1 - p in classic dropout).
    """
    last = architecture.layers - 1
    # A diverged network overflows; its non-finite outputs are the caller's to judge.
    with np.errstate(over="ignore", invalid="ignore"):
        a = activations(architecture, parameters, x, last, drop)
        return sums(architecture, parameters, last, a)


def activations(
    architecture: Architecture,
    parameters: Arrays,
    x: np.ndarray,
    layer: int,
    drop: Dropper | None = None,
) -> np.ndarray:
    """Return the inputs of a dense layer, counted from 0: (B, n_in) for rows x (B, inputs)."""
    before: list[np.ndarray] = []
    drop = drop or predicting(architecture)
    a = drop(INPUT, x.astype(parameters["weights/0"].dtype, copy=False))
    if architecture.front is not None:
        a = convolved(architecture.front, parameters, a, stage_of(architecture, parameters))
    for hidden in range(layer):
        z = before_norm(architecture, parameters, hidden, a)
        a = drop(hidden, after_norm(architecture, parameters, hidden, z))
        source = architecture.skip_source(hidden)
        if source is not None:
            shared = min(a.shape[1], before[source].shape[1])
            a = a.copy()
            a[:, :shared] += before[source][:, :shared]
        before.append(a)
    return a


def before_norm(
    architecture: Architecture, parameters: Arrays, layer: int, a: np.ndarray
) -> np.ndarray:
    """Return what a hidden layer hands to batch normalization: z, or g(z) where it comes after."""
    z = sums(architecture, parameters, layer, a)
    return z if architecture.batch_norm == "before" else activated(architecture, z)


def sums(architecture: Architecture, parameters: Arrays, layer: int, a: np.ndarray) -> np.ndarray:
    """Return a dense layer's z = a W + b, (B, n_out)."""
    z = a @ parameters[f"weights/{layer}"]
    return z + parameters[f"biases/{layer}"] if architecture.has_bias(layer) else z


def after_norm(
    architecture: Architecture, parameters: Arrays, layer: int, z: np.ndarray
) -> np.ndarray:
    """Return a hidden layer's activations from what `before_norm` gave."""
    if architecture.batch_norm == "none":
        return z
    z = normed(architecture, parameters, layer, z)
    return activated(architecture, z) if architecture.batch_norm == "before" else z


def normed(architecture: Architecture, parameters: Arrays, layer: int, z: np.ndarray) -> np.ndarray:
    """Return z normalized as a hidden layer does at prediction, (B, n)."""
    moments = parameters[f"means/{layer}"], parameters[f"variances/{layer}"]
    scale, shift = parameters[f"scales/{layer}"], parameters[f"shifts/{layer}"]
    return normalized(z, moments, scale, shift, z.dtype.type(architecture.norm_epsilon), np)


def stage_of(architecture: Architecture, parameters: Arrays) -> Stage:
    """Return what convolutional layers do at prediction."""

    def norm(layer: int, z: np.ndarray) -> np.ndarray:
        if architecture.batch_norm == "none":
            return z
        moments = parameters[f"channel_means/{layer}"], parameters[f"channel_variances/{layer}"]
        scale, shift = parameters[f"channel_scales/{layer}"], parameters[f"channel_shifts/{layer}"]
        return normalized(z, moments, scale, shift, z.dtype.type(architecture.norm_epsilon), np)

    first = architecture.batch_norm == "before"
    return Stage(
        sum_of_products, norm, lambda z: activated(architecture, z), first, biased=not first
    )


def activated(architecture: Architecture, z: np.ndarray) -> np.ndarray:
    """Return g(z); where each unit has pieces, z (B, H k) becomes (B, H)."""
    activation = ACTIVATIONS[architecture.activation]
    if activation.takes_pieces:
        z = z.reshape(len(z), -1, architecture.pieces)
    return activation.apply(z, z.dtype.type(architecture.slope), np)


def predicting(architecture: Architecture) -> Dropper:
    """Return what prediction does where training drops units: a factor, usually 1."""

    def scaled(layer: int, a: np.ndarray) -> np.ndarray:
        factor = drop_of(architecture, layer).predict_scale
        return a if factor == 1.0 else a * a.dtype.type(factor)

    return scaled


def predictions(architecture: Architecture, parameters: Arrays, x: np.ndarray) -> np.ndarray:
    """Return class probabilities (B, C) in float64, or standardized values (B,).

    Rows go through in pieces, so that memory stays bounded.
    """
    predict = LOSSES[architecture.loss].predict
    pieces = []
    at_once = ROWS_AT_ONCE
    if architecture.front is not None:
        at_once = max(16, min(at_once, _NUMBERS_AT_ONCE // architecture.front.largest()))
    for i in range(0, max(len(x), 1), at_once):
        raw = forward(architecture, parameters, x[i : i + at_once]).astype(np.float64)
        with np.errstate(invalid="ignore"):  # infinite outputs become NaN, for the caller to judge
            pieces.append(predict(raw, np))
    return np.concatenate(pieces)
