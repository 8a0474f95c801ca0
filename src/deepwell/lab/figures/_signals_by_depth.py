"""Signals that vanish, explode or keep their size with depth."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style, end_labels
from deepwell.networks._architecture import Architecture
from deepwell.networks._forward import forward
from deepwell.networks._initializers import initial_parameters

DEPTH, UNITS, ROWS = 30, 64, 256


def identity_network(
    factor: float, hidden: int, units: int
) -> tuple[Architecture, dict[str, np.ndarray]]:
    """Return `hidden` linear layers with weights `factor I`, an output layer with `I`."""
    network = Architecture(units, (units,) * hidden, units, "identity")
    parameters: dict[str, np.ndarray] = {}
    for layer in range(network.layers):
        scale = factor if layer < hidden else 1.0
        parameters[f"weights/{layer}"] = scale * np.eye(units)
        parameters[f"biases/{layer}"] = np.zeros(units)
    return network, parameters


def scaled_identity(factor: float, hidden: int, units: int) -> float:
    """Return the output of `hidden` linear layers with weights `factor I` for an input of 1."""
    network = identity_network(factor, hidden, units)
    return float(forward(*network, np.ones((1, units)))[0, 0])


def sizes_by_depth(scheme: str, activation: str) -> np.ndarray:
    """Return the root mean square of each layer's activations for normal inputs."""
    x = np.random.default_rng(0).normal(size=(ROWS, UNITS))
    sizes = []
    whole = initial_parameters(
        Architecture(UNITS, (UNITS,) * DEPTH, UNITS, activation), scheme, seed=0, dtype="float64"
    )
    for hidden in range(1, DEPTH + 1):
        shallow = Architecture(UNITS, (UNITS,) * hidden, UNITS, activation)
        kept = {n: w for n, w in whole.items() if int(n.split("/")[1]) < hidden}
        kept[f"weights/{hidden}"], kept[f"biases/{hidden}"] = np.eye(UNITS), np.zeros(UNITS)
        sizes.append(np.sqrt((forward(shallow, kept, x) ** 2).mean()))
    return np.array(sizes)


def _measure() -> dict[str, dict[str, np.ndarray]]:
    """Return sizes by layer: of scaled identities, and of random ReLU and tanh networks."""
    linear = {
        f"{factor} I": np.array([scaled_identity(factor, n, 2) for n in range(1, DEPTH + 1)])
        for factor in (1.5, 1.0, 0.5)
    }
    random = {
        f"{activation}, {scheme}": sizes_by_depth(scheme, activation)
        for activation, scheme in (("relu", "he"), ("relu", "lecun"), ("tanh", "lecun"),
                                   ("relu", "small"), ("relu", "large"))
    }  # fmt: skip
    return {"linear layers with weights c I": linear, "random weights, 64 units a layer": random}


def _draw(sheet: Any, measured: dict[str, dict[str, np.ndarray]], style: Style) -> None:
    panels = sheet.subplots(1, 2)
    layers = np.arange(1, DEPTH + 1)
    for axes, (title, curves) in zip(panels, measured.items(), strict=True):
        axes.set(title=title, xlabel="hidden layer", yscale="log", xlim=(1, DEPTH),
                 ylim=(1e-12, 1e12))  # fmt: skip
        ends = []
        for color, (name, sizes) in zip(style.colors, curves.items(), strict=False):
            axes.plot(layers, sizes, color=color)
            ends.append((DEPTH, sizes[-1], name, color))
        end_labels(axes, ends)
    panels[0].set_ylabel("root mean square of the activations")


SIGNALS_BY_DEPTH = LabFigure(
    name="signals-by-depth",
    shows="A factor per layer becomes a power of the depth; the right spread keeps signals alive.",
    techniques=("N3",),
    measure=_measure,
    draw=_draw,
    size=(9.0, 3.6),
)
