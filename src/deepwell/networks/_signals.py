"""What goes through the layers of a network at prediction, layer by layer, in NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ._architecture import Architecture
from ._convolutions import convolved
from ._forward import INPUT, Arrays, activated, normed, predicting, stage_of, sums


@dataclass(frozen=True)
class Signal:
    """One layer's numbers for some rows; units, or channels, along the last axis.

    Attributes:
        z: what enters the activation; a unit of maxout has several, side by side.
        g: what the activation makes of it; of the output layer, z again.
        out: what the layer hands on, normalized, pooled and with what a skip connection adds.
    """

    z: np.ndarray
    g: np.ndarray
    out: np.ndarray


def layer_names(architecture: Architecture) -> tuple[str, ...]:
    """Return the names of the layers, first to last.

    >>> layer_names(Architecture(4, (8, 8), 3))
    ('hidden 1', 'hidden 2', 'output')
    """
    front = architecture.front
    convolutions = len(front.channels) if front is not None else 0
    return (
        *(f"convolution {n + 1}" for n in range(convolutions)),
        *(f"hidden {n + 1}" for n in range(len(architecture.hidden))),
        "output",
    )


def layer_arrays(architecture: Architecture) -> list[tuple[str, ...]]:
    """Return the names of each layer's weights and biases, first to last.

    Where batch normalization gives the biases its shifts are among them; its scales never are.
    """
    shapes = architecture.parameter_shapes()
    convolutions = len(architecture.front.channels) if architecture.front is not None else 0
    layers = [
        *(("kernels", "offsets", "channel_shifts", n) for n in range(convolutions)),
        *(("weights", "biases", "shifts", n) for n in range(architecture.layers)),
    ]
    return [
        tuple(name for kind in kinds if (name := f"{kind}/{n}") in shapes) for *kinds, n in layers
    ]


def signals(architecture: Architecture, parameters: Arrays, x: np.ndarray) -> Iterator[Signal]:
    """Yield each layer's numbers for rows x (B, inputs), the raw outputs last.

    A network that diverged overflows; its non-finite numbers are the caller's to judge.
    """
    drop = predicting(architecture)
    before: list[np.ndarray] = []
    with np.errstate(over="ignore", invalid="ignore"):
        a = drop(INPUT, x.astype(parameters["weights/0"].dtype, copy=False))
        if architecture.front is not None:
            a, found = _of_front(architecture, parameters, a)
            yield from found
    for layer in range(architecture.layers - 1):
        with np.errstate(over="ignore", invalid="ignore"):
            signal = _of_hidden(architecture, parameters, layer, a)
            a = drop(layer, signal.out)
            source = architecture.skip_source(layer)
            if source is not None:
                shared = min(a.shape[1], before[source].shape[1])
                a = a.copy()
                a[:, :shared] += before[source][:, :shared]
            before.append(a)
        yield replace(signal, out=a)
    with np.errstate(over="ignore", invalid="ignore"):
        z = sums(architecture, parameters, architecture.layers - 1, a)
    yield Signal(z, z, z)


def _of_hidden(architecture: Architecture, parameters: Arrays, layer: int, a: np.ndarray) -> Signal:
    z = sums(architecture, parameters, layer, a)
    if architecture.batch_norm == "before":
        z = normed(architecture, parameters, layer, z)
    g = activated(architecture, z)
    after = architecture.batch_norm == "after"
    return Signal(z, g, normed(architecture, parameters, layer, g) if after else g)


def _of_front(
    architecture: Architecture, parameters: Arrays, x: np.ndarray
) -> tuple[np.ndarray, list[Signal]]:
    """Return the dense layers' input, and the signals of the convolutional layers."""
    stage = stage_of(architecture, parameters)
    inputs: list[np.ndarray] = []  # of each layer: what the one before it hands on
    entered: list[np.ndarray] = []
    given: list[np.ndarray] = []

    def convolve(a: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
        inputs.append(a)
        return stage.convolve(a, kernel, stride)

    def activate(z: np.ndarray) -> np.ndarray:
        entered.append(z)
        given.append(stage.activate(z))
        return given[-1]

    assert architecture.front is not None
    watched = replace(stage, convolve=convolve, activate=activate)
    out = convolved(architecture.front, parameters, x, watched)
    last = out.reshape(len(out), *architecture.front.sizes()[-1])
    each = zip(entered, given, [*inputs[1:], last], strict=True)
    return out, [Signal(z, g, handed) for z, g, handed in each]
